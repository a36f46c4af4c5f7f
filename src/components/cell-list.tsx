/**
 * The cells of an executed notebook: how far it is, and where it failed.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { formatDuration } from './formats';
import type { Tone } from './state-badge';

const TONES: Readonly<Record<api.CellState, Tone>> = {
  waiting: 'idle',
  running: 'busy',
  done: 'good',
  failed: 'bad'
};

/** What a {@link CellList} shows. */
export interface ICellListProps {
  cells: readonly api.ExecutedCell[];
  trans: TranslationBundle;
}

/** Cells with their states and times; of the one that failed, its traceback. */
export function CellList({ cells, trans }: ICellListProps): React.JSX.Element {
  const done = cells.filter(cell => cell.state === 'done').length;
  const failed = cells.find(cell => cell.state === 'failed');
  return (
    <section className="jp-DatalakeCells" aria-label={trans.__('Cells')}>
      <details open={failed !== undefined || done < cells.length}>
        <summary className="jp-DatalakeCells-summary">
          <span role="status">{trans.__('%1 of %2 cells done', done, cells.length)}</span>
        </summary>
        <ol className="jp-DatalakeCells-list" aria-label={trans.__('Cells of the notebook')}>
          {cells.map((cell, place) => (
            <CellItem key={place} cell={cell} trans={trans} />
          ))}
        </ol>
      </details>
      {failed && (
        <div role="alert">
          <p className="jp-DatalakeJobView-message jp-mod-bad">
            {failed.index === null
              ? trans.__('The cell of the parameters failed: %1', failed.error)
              : trans.__('Cell %1 failed: %2', failed.index + 1, failed.error)}
          </p>
          {failed.traceback && (
            <pre
              className="jp-DatalakeLogView-text jp-DatalakeCells-traceback"
              tabIndex={0}
              aria-label={
                failed.index === null
                  ? trans.__('Traceback of the cell of the parameters')
                  : trans.__('Traceback of cell %1', failed.index + 1)
              }
            >
              {failed.traceback}
            </pre>
          )}
        </div>
      )}
    </section>
  );
}

function CellItem(props: { cell: api.ExecutedCell; trans: TranslationBundle }): React.JSX.Element {
  const { cell, trans } = props;
  return (
    <li className="jp-DatalakeCells-item" data-state={cell.state}>
      <span className="jp-DatalakeCells-number">{cell.index === null ? '' : cell.index + 1}</span>
      <span className={`jp-DatalakeStateBadge jp-mod-${TONES[cell.state]}`}>
        {cellText(cell.state, trans)}
      </span>
      <code className="jp-DatalakeCells-title">{cell.title || trans.__('(empty)')}</code>
      {cell.seconds !== null && <span>{formatDuration(cell.seconds)}</span>}
    </li>
  );
}

function cellText(state: api.CellState, trans: TranslationBundle): string {
  switch (state) {
    case 'waiting':
      return trans.__('waiting');
    case 'running':
      return trans.__('running');
    case 'done':
      return trans.__('done');
    case 'failed':
      return trans.__('failed');
  }
}
