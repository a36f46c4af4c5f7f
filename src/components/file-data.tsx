/**
 * A file as what it is: rows, lines, an image, a sound, or what is known of it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { useColours } from './coloured';
import type { IGridColumn } from './data-grid';
import { DataGrid } from './data-grid';
import { formatBytes } from './formats';

/** What {@link FileData} shows. */
export interface IFileDataProps {
  preview: api.FilePreview;
  count: number;
  row: (index: number) => readonly (string | null)[] | undefined;
  onRange: (first: number, last: number) => void;
  /** Address of an image or sound in this browser. */
  url: string | null;
  trans: TranslationBundle;
}

/** Lines above those in view that are parsed too: what they open may go on. */
const LINES_BEFORE = 100;
const NUMBERS = /^(u?int|float|double|halffloat|decimal)/;

/** The content of a file. */
export function FileData(props: IFileDataProps): React.JSX.Element {
  const { preview, url, trans } = props;
  switch (preview.kind) {
    case 'image':
      return url === null ? (
        <p className="jp-DatalakeNote">{trans.__('Loading…')}</p>
      ) : (
        <div className="jp-DatalakeMedia">
          {/* As an image, an SVG runs no scripts and loads nothing. */}
          <img src={url} alt={preview.path} />
        </div>
      );
    case 'audio':
      return url === null ? (
        <p className="jp-DatalakeNote">{trans.__('Loading…')}</p>
      ) : (
        <div className="jp-DatalakeMedia">
          <audio controls src={url} aria-label={preview.path} />
        </div>
      );
    case 'binary':
      return <Facts {...props} />;
    case 'table':
    case 'text':
    case 'json':
    case 'notebook':
      return <Rows {...props} />;
  }
}

function Rows(props: IFileDataProps): React.JSX.Element {
  const { preview, count, trans } = props;
  const columns = React.useMemo(() => columnsOf(preview.page.columns), [preview]);
  const [seen, setSeen] = React.useState({ first: 0, last: -1 });
  const isText = columns.length === 0;
  const begin = Math.max(0, seen.first - LINES_BEFORE);
  const lines: string[] = [];
  for (let index = begin; isText && index <= seen.last; index++) {
    lines.push(props.row(index)?.[0] ?? '');
  }
  const spans = useColours(preview.path, lines);
  if (count === 0) {
    return (
      <p className="jp-DatalakeNote">
        {columns.length > 0
          ? trans.__(
              'A table without rows. Its columns: %1',
              columns.map(one => one.name).join(', ')
            )
          : trans.__('The file is empty.')}
      </p>
    );
  }
  return (
    <DataGrid
      columns={columns}
      count={count}
      row={props.row}
      spans={index => spans?.[index - begin]}
      onRange={(first, last) => {
        if (first !== seen.first || last !== seen.last) {
          setSeen({ first, last });
        }
        props.onRange(first, last);
      }}
      label={preview.path}
    />
  );
}

function columnsOf(columns: readonly api.TableColumn[]): IGridColumn[] {
  return columns.map(({ name, type }) => ({ name, type, isNumber: NUMBERS.test(type) }));
}

function Facts({ preview, trans }: IFileDataProps): React.JSX.Element {
  const facts = [
    { name: trans.__('Size'), value: formatBytes(preview.size_bytes) },
    { name: trans.__('Type'), value: preview.media_type },
    ...preview.facts
  ];
  return (
    <dl className="jp-DatalakeFacts jp-DatalakeFileFacts">
      {facts.map((fact, index) => (
        <React.Fragment key={index}>
          <dt>{fact.name}</dt>
          <dd>{fact.value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}
