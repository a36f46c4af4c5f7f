/**
 * Two runs beside each other.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { formatDuration, shortId } from './formats';

const ID = /^[0-9a-f]{64}$/;
const ASPECTS: readonly api.Aspect[] = [
  'code',
  'parameters',
  'inputs',
  'metrics',
  'output',
  'time'
];

/** What a {@link JobComparison} shows and does. */
export interface IJobComparisonProps {
  comparison: api.JobComparison;
  /** Runs that may stand on either side. */
  choices: readonly api.Job[];
  trans: TranslationBundle;
  onChoose: (old: string, fresh: string) => void;
  onOpen: (job: api.Job) => void;
}

/** What was given to two runs, and what came of them. */
export function JobComparison(props: IJobComparisonProps): React.JSX.Element {
  const { comparison, trans } = props;
  const { old, new: fresh } = comparison;
  const [isShort, setShort] = React.useState(false);
  const values = comparison.values.filter(one => !isShort || !one.is_equal);
  return (
    <article className="jp-DatalakeJobView" aria-label={trans.__('Comparison of two runs')}>
      <header className="jp-DatalakeJobView-header">
        <h2 className="jp-DatalakeJobView-title">{trans.__('Two runs')}</h2>
        <label>
          <input
            type="checkbox"
            checked={isShort}
            onChange={event => setShort(event.target.checked)}
          />{' '}
          {trans.__('Only what differs')}
        </label>
      </header>
      <table className="jp-DatalakeTable" aria-label={trans.__('Values of both runs')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('What')}</th>
            <th scope="col">
              <Side {...props} job={old} label={trans.__('Older run')} isOld={true} />
            </th>
            <th scope="col">
              <Side {...props} job={fresh} label={trans.__('Newer run')} isOld={false} />
            </th>
            <th scope="col">
              <span className="jp-DatalakeHidden">{trans.__('Difference')}</span>
            </th>
          </tr>
        </thead>
        {ASPECTS.map(aspect => (
          <Values
            key={aspect}
            aspect={aspect}
            values={values.filter(one => one.aspect === aspect)}
            trans={trans}
          />
        ))}
      </table>
      <Changes
        label={trans.__('Files of the code that differ')}
        changes={comparison.code_changes}
        trans={trans}
      />
      <Changes
        label={trans.__('Files of the output that differ')}
        changes={comparison.output_changes}
        trans={trans}
      />
      {comparison.has_more && <p className="jp-DatalakeNote">{trans.__('… and more files')}</p>}
    </article>
  );
}

function Side(
  props: IJobComparisonProps & { job: api.Job; label: string; isOld: boolean }
): React.JSX.Element {
  const { comparison, job, trans } = props;
  const choices = props.choices.some(one => one.id === job.id)
    ? props.choices
    : [job, ...props.choices];
  return (
    <span className="jp-DatalakeComparison-side">
      <select
        className="jp-DatalakeField"
        aria-label={props.label}
        value={job.id}
        onChange={({ target: { value } }) =>
          props.isOld
            ? props.onChoose(value, comparison.new.id)
            : props.onChoose(comparison.old.id, value)
        }
      >
        {choices.map(one => (
          <option key={one.id} value={one.id}>
            {`${one.pipeline} #${one.number}`}
          </option>
        ))}
      </select>
      <button type="button" className="jp-DatalakeLink" onClick={() => props.onOpen(job)}>
        {trans.__('Show #%1', job.number)}
      </button>
    </span>
  );
}

function Values(props: {
  aspect: api.Aspect;
  values: readonly api.ComparedValue[];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { aspect, values, trans } = props;
  if (values.length === 0) {
    return null;
  }
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={4} className="jp-DatalakeComparison-aspect">
          {aspectText(aspect, trans)}
        </th>
      </tr>
      {values.map(one => (
        <tr
          key={one.name}
          data-name={one.name}
          className={one.is_equal ? undefined : 'jp-mod-selected'}
        >
          <th scope="row">{one.name}</th>
          <td className="jp-DatalakeTable-message">{valueText(one, one.old)}</td>
          <td className="jp-DatalakeTable-message">{valueText(one, one.new)}</td>
          <td>{one.is_equal ? '' : (changeOf(one) ?? trans.__('differs'))}</td>
        </tr>
      ))}
    </tbody>
  );
}

function Changes(props: {
  label: string;
  changes: readonly api.Change[];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  if (props.changes.length === 0) {
    return null;
  }
  return (
    <section>
      <h3 className="jp-DatalakeComparison-title">{props.label}</h3>
      <ul className="jp-DatalakeComparison-changes" aria-label={props.label}>
        {props.changes.map(change => (
          <li key={change.path}>
            <code>{change.path}</code> {changeText(change.kind, props.trans)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function valueText({ name }: api.ComparedValue, value: unknown): string {
  if (value === null || value === undefined) {
    return '–';
  }
  if (name === 'seconds' && typeof value === 'number') {
    // Short runs differ in what a rounded time does not show.
    return value < 10 ? `${value.toPrecision(3)} s` : formatDuration(value);
  }
  if (typeof value === 'string') {
    return ID.test(value) ? shortId(value) : value;
  }
  return typeof value === 'number' ? numberText(value) : JSON.stringify(value);
}

/** Return by how much a metric rose or fell. */
function changeOf({ aspect, old, new: fresh }: api.ComparedValue): string | null {
  if (aspect !== 'metrics' || typeof old !== 'number' || typeof fresh !== 'number') {
    return null;
  }
  return `${fresh > old ? '+' : '−'}${numberText(Math.abs(fresh - old))}`;
}

function numberText(value: number): string {
  return Number.isInteger(value)
    ? value.toLocaleString()
    : value.toLocaleString(undefined, { maximumSignificantDigits: 6 });
}

function aspectText(aspect: api.Aspect, trans: TranslationBundle): string {
  switch (aspect) {
    case 'code':
      return trans.__('Code');
    case 'parameters':
      return trans.__('Parameters');
    case 'inputs':
      return trans.__('Inputs');
    case 'metrics':
      return trans.__('Metrics');
    case 'output':
      return trans.__('Output');
    case 'time':
      return trans.__('Time');
  }
}

function changeText(kind: api.ChangeKind, trans: TranslationBundle): string {
  switch (kind) {
    case 'added':
      return trans.__('added');
    case 'modified':
      return trans.__('modified');
    case 'removed':
      return trans.__('removed');
    case 'renamed':
      return trans.__('renamed');
  }
}
