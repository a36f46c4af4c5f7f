/**
 * How two tables differ: rows by their key, with the cells that changed marked.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';

/** What a {@link TableDiff} shows. */
export interface ITableDiffProps {
  diff: api.TableDiff;
  /** Columns that can be chosen as the key. */
  columns: readonly string[];
  onKey: (key: string | undefined) => void;
  trans: TranslationBundle;
}

const GUESS = ' guess';
const MAX_COLUMNS = 100;

/** Counts, changed columns, and a page of rows. */
export function TableDiff(props: ITableDiffProps): React.JSX.Element {
  const { diff, trans } = props;
  return (
    <div className="jp-DatalakeTableDiff">
      <p className="jp-DatalakeTableDiff-facts">
        <KeyPicker {...props} />
        {diff.is_equal ? (
          <span>{trans.__('Nothing differs.')}</span>
        ) : (
          <>
            <Count kind="added" text={trans.__('%1 added', diff.added.toLocaleString())} />
            <Count kind="removed" text={trans.__('%1 removed', diff.removed.toLocaleString())} />
            <Count kind="changed" text={trans.__('%1 changed', diff.changed.toLocaleString())} />
          </>
        )}
      </p>
      {diff.duplicate_keys > 0 && (
        <p className="jp-DatalakeNote">
          {trans.__(
            '%1 keys are there more than once; their rows are compared as a whole.',
            diff.duplicate_keys
          )}
        </p>
      )}
      {diff.columns.length > 0 && (
        <ul className="jp-DatalakeTableDiff-columns" aria-label={trans.__('Changed columns')}>
          {diff.columns.map((one, index) => (
            <li key={index}>
              <code>{one.name}</code> {columnText(one, trans)}
            </li>
          ))}
        </ul>
      )}
      {diff.rows.length > 0 && <Rows {...props} />}
      {diff.has_more && (
        <p className="jp-DatalakeNote">
          {trans.__('These are the first %1 differences.', diff.rows.length)}
        </p>
      )}
    </div>
  );
}

function Count(props: { kind: string; text: string }): React.JSX.Element {
  return <span className={`jp-DatalakeTag jp-mod-${props.kind}`}>{props.text}</span>;
}

function KeyPicker(props: ITableDiffProps): React.JSX.Element {
  const { diff, trans } = props;
  const isWhole = diff.key.length === 0;
  const value = diff.key_is_guessed ? GUESS : isWhole ? '' : csvOf(diff.key);
  return (
    <label>
      {trans.__('Key')}{' '}
      <select
        className="jp-DatalakeField"
        value={value}
        onChange={event => {
          const chosen = event.target.value;
          props.onKey(chosen === GUESS ? undefined : chosen);
        }}
      >
        <option value={GUESS}>
          {diff.key_is_guessed
            ? trans.__('guessed: %1', diff.key.join(', '))
            : trans.__('guess the key')}
        </option>
        <option value="">{trans.__('none: compare whole rows')}</option>
        {props.columns.map(name => (
          <option key={name} value={csvOf([name])}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Rows(props: ITableDiffProps): React.JSX.Element {
  const { diff, trans } = props;
  const names = shownColumns(diff);
  return (
    <div
      className="jp-DatalakeTableDiff-rows"
      tabIndex={0}
      role="region"
      aria-label={trans.__('Changed rows')}
    >
      <table className="jp-DatalakeTable">
        <thead>
          <tr>
            <th scope="col">{trans.__('Change')}</th>
            {names.map(name => (
              <th key={name} scope="col">
                {name}
                {diff.key.includes(name) && ` (${trans.__('key')})`}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {diff.rows.map((row, index) => (
            <tr key={index} className={`jp-DatalakeTableDiff-row jp-mod-${row.kind}`}>
              <th scope="row">
                {rowText(row, trans)}
                {row.count > 1 && ` × ${row.count}`}
              </th>
              {names.map(name => (
                <Cell key={name} row={row} name={name} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ row, name }: { row: api.RowChange; name: string }): React.JSX.Element {
  const old = row.old as Record<string, unknown> | null;
  const now = row.new as Record<string, unknown> | null;
  const key = row.key as Record<string, unknown>;
  if (name in key) {
    return <td>{valueText(key[name])}</td>;
  }
  if (old && now && name in old && name in now) {
    return (
      <td className="jp-mod-changed">
        <del>{valueText(old[name])}</del> <ins>{valueText(now[name])}</ins>
      </td>
    );
  }
  const only = old && name in old ? old : now && name in now ? now : null;
  return <td>{only ? valueText(only[name]) : ''}</td>;
}

function shownColumns(diff: api.TableDiff): string[] {
  const names = new Set<string>(diff.key);
  for (const row of diff.rows) {
    for (const side of [row.old, row.new]) {
      Object.keys(side ?? {}).forEach(name => names.add(name));
    }
  }
  return [...names].slice(0, MAX_COLUMNS);
}

function rowText(row: api.RowChange, trans: TranslationBundle): string {
  switch (row.kind) {
    case 'added':
      return trans.__('added');
    case 'removed':
      return trans.__('removed');
    case 'changed':
      return trans.__('changed');
  }
}

function columnText(one: api.ColumnChange, trans: TranslationBundle): string {
  switch (one.kind) {
    case 'added':
      return trans.__('is new (%1)', one.new ?? '');
    case 'removed':
      return trans.__('is gone (%1)', one.old ?? '');
    case 'retyped':
      return trans.__('was %1 and is %2', one.old ?? '', one.new ?? '');
    case 'moved':
      return trans.__('moved from place %1 to %2', one.old ?? '', one.new ?? '');
  }
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) {
    return 'NULL';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Return names as one line of CSV, as the server takes a key. */
function csvOf(names: readonly string[]): string {
  return names.map(name => `"${name.replace(/"/g, '""')}"`).join(',');
}
