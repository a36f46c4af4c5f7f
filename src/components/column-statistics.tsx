/**
 * What the columns of a table hold: one card each, with a histogram or its most frequent values.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';

/** What {@link ColumnStatistics} shows. */
export interface IColumnStatisticsProps {
  statistics: api.TableStatistics;
  trans: TranslationBundle;
}

const BAR = 10;
const HEIGHT = 60;

/** Cards of all columns. */
export function ColumnStatistics(props: IColumnStatisticsProps): React.JSX.Element {
  const { statistics, trans } = props;
  const hidden = statistics.column_count - statistics.columns.length;
  return (
    <div className="jp-DatalakeStatistics">
      <p className="jp-DatalakeNote">
        {statistics.is_partial
          ? trans.__('Of the first %1 rows.', statistics.rows.toLocaleString())
          : trans._n(
              'Of its one row.',
              'Of all %2 rows.',
              statistics.rows,
              statistics.rows.toLocaleString()
            )}
        {hidden > 0 && ` ${trans.__('%1 more columns are not shown.', hidden)}`}
      </p>
      <ul className="jp-DatalakeStatistics-list" aria-label={trans.__('Columns')}>
        {statistics.columns.map((column, index) => (
          <li key={index} className="jp-DatalakeStatistics-card" data-column={column.name}>
            <Card column={column} trans={trans} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Card(props: {
  column: api.ColumnStatistics;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { column, trans } = props;
  const facts: [string, string | null | undefined][] = [
    [trans.__('Values'), column.count.toLocaleString()],
    [trans.__('NULL'), column.nulls ? column.nulls.toLocaleString() : '0'],
    [trans.__('Other type'), column.strange ? column.strange.toLocaleString() : null],
    [trans.__('Distinct'), `≈ ${column.distinct.toLocaleString()}`],
    [trans.__('Min'), column.min],
    [trans.__('Median'), aboutText(column.quantiles['0.5'])],
    [trans.__('Max'), column.max],
    [trans.__('Mean'), column.mean === null ? null : numberText(column.mean)],
    [trans.__('Deviation'), column.deviation === null ? null : numberText(column.deviation)],
    [trans.__('5 – 95 %'), spanText(column.quantiles)]
  ];
  return (
    <>
      <h3 className="jp-DatalakeStatistics-name" title={column.name}>
        {column.name} <span className="jp-DatalakeStatistics-type">{column.type}</span>
      </h3>
      {column.bins.length > 1 ? (
        <Histogram column={column} trans={trans} />
      ) : (
        <TopValues column={column} trans={trans} />
      )}
      <dl className="jp-DatalakeFacts">
        {facts
          .filter(([, value]) => value !== null && value !== undefined)
          .map(([name, value]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd title={value ?? undefined}>{value}</dd>
            </React.Fragment>
          ))}
      </dl>
    </>
  );
}

function Histogram(props: {
  column: api.ColumnStatistics;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { column, trans } = props;
  const { bins } = column;
  const most = Math.max(1, ...bins.map(bin => bin.count));
  const [low, high] = [bins[0]?.low ?? '', bins[bins.length - 1]?.high ?? ''];
  return (
    <figure className="jp-DatalakeHistogram">
      <svg
        viewBox={`0 0 ${bins.length * BAR} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={trans.__('Histogram of %1, from %2 to %3', column.name, low, high)}
      >
        {bins.map((bin, index) => {
          const height = bin.count === 0 ? 0 : Math.max(1, (bin.count / most) * HEIGHT);
          return (
            <rect
              key={index}
              className="jp-DatalakeHistogram-bar"
              x={index * BAR + 0.5}
              y={HEIGHT - height}
              width={BAR - 1}
              height={height}
            >
              <title>{`${bin.low} – ${bin.high}: ${bin.count.toLocaleString()}`}</title>
            </rect>
          );
        })}
      </svg>
      <figcaption className="jp-DatalakeHistogram-ends">
        <span>{low}</span>
        <span>{high}</span>
      </figcaption>
    </figure>
  );
}

function TopValues(props: {
  column: api.ColumnStatistics;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { column, trans } = props;
  const top = column.top.slice(0, 5);
  if (top.length === 0) {
    return <p className="jp-DatalakeNote">{trans.__('No values.')}</p>;
  }
  return (
    <ol
      className="jp-DatalakeTopValues"
      aria-label={trans.__('Most frequent values of %1', column.name)}
    >
      {top.map((one, index) => (
        <li key={index}>
          <span className="jp-DatalakeTopValues-value" title={one.value}>
            {one.value || trans.__('(empty)')}
          </span>
          <meter min={0} max={column.count} value={one.count} aria-hidden="true" />
          <span className="jp-DatalakeTopValues-count">{one.count.toLocaleString()}</span>
        </li>
      ))}
    </ol>
  );
}

function numberText(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** Quantiles are estimates. */
function aboutText(quantile: string | undefined): string | null {
  return quantile === undefined ? null : `≈ ${quantile}`;
}

function spanText(quantiles: Readonly<Record<string, string>>): string | null {
  const [low, high] = [quantiles['0.05'], quantiles['0.95']];
  return low !== undefined && high !== undefined ? `≈ ${low} – ${high}` : null;
}
