/**
 * The datums of a job.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { editIcon, notebookIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { Duration } from './ago';
import { clockText } from './formats';
import { IconButton } from './icon-button';
import { StateBadge, stateText } from './state-badge';

const STATES: readonly api.DatumState[] = [
  'failed',
  'running',
  'queued',
  'success',
  'recovered',
  'skipped'
];

const ENDED: ReadonlySet<api.DatumState> = new Set(['failed', 'success', 'recovered', 'skipped']);

/** What a {@link DatumTable} shows and does. */
export interface IDatumTableProps {
  datums: readonly api.Datum[];
  hasMore: boolean;
  /** Kernels in which datums failed that are kept, by the datum's position. */
  kernels: ReadonlyMap<number, api.KeptKernel>;
  /** Number of datums by state, over all pages. */
  counts: Readonly<Record<string, number>>;
  /** Show datums in this state only. */
  state: api.DatumState | null;
  /** Position of the datum whose log is shown. */
  choice: number | null;
  /** Whether datums leave executed notebooks. */
  hasNotebooks: boolean;
  /** Whether datums have folders that can be worked in: those of a query have none. */
  hasFolders: boolean;
  trans: TranslationBundle;
  onState: (state: api.DatumState | null) => void;
  onChoose: (position: number) => void;
  onNotebook: (position: number) => void;
  onReopen: (position: number) => void;
  onMore: () => void;
}

/** Datums with state, reason, tries, time and message. */
export function DatumTable(props: IDatumTableProps): React.JSX.Element {
  const { datums, trans } = props;
  return (
    <div className="jp-DatalakeDatumTable">
      <StateFilter {...props} />
      <table className="jp-DatalakeTable" aria-label={trans.__('Datums')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('Datum')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('Why')}</th>
            <th scope="col">{trans.__('Tries')}</th>
            <th scope="col">{trans.__('Time')}</th>
            <th scope="col">{trans.__('Message')}</th>
            {props.hasFolders && (
              <th scope="col">
                <span className="jp-DatalakeHidden">{trans.__('Actions')}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {datums.map(datum => (
            <DatumRow key={datum.position} {...props} datum={datum} />
          ))}
        </tbody>
      </table>
      {datums.length === 0 && (
        <p className="jp-DatalakeNote">
          {props.state === null ? trans.__('No datums yet.') : trans.__('None in this state.')}
        </p>
      )}
      {props.hasMore && (
        <button type="button" className="jp-DatalakeMore" onClick={props.onMore}>
          {trans.__('Show more datums')}
        </button>
      )}
    </div>
  );
}

function StateFilter(props: IDatumTableProps): React.JSX.Element | null {
  const { counts, trans } = props;
  const present = STATES.filter(state => (counts[state] ?? 0) > 0);
  if (present.length < 2 && props.state === null) {
    return null;
  }
  const total = present.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  return (
    <div className="jp-DatalakeChips" role="group" aria-label={trans.__('Show datums')}>
      <button
        type="button"
        className="jp-DatalakeChip"
        aria-pressed={props.state === null}
        onClick={() => props.onState(null)}
      >
        {trans.__('all %1', total)}
      </button>
      {present.map(state => (
        <button
          key={state}
          type="button"
          className="jp-DatalakeChip"
          aria-pressed={props.state === state}
          onClick={() => props.onState(state)}
        >
          {counts[state]} {stateText(state, trans)}
        </button>
      ))}
    </div>
  );
}

function DatumRow(props: IDatumTableProps & { datum: api.Datum }): React.JSX.Element {
  const { datum, trans } = props;
  const isChosen = props.choice === datum.position;
  const kernel = props.kernels.get(datum.position);
  const kept = kernel && keptText(kernel, trans);
  return (
    <tr
      className={isChosen ? 'jp-mod-selected' : undefined}
      aria-selected={isChosen}
      onClick={() => props.onChoose(datum.position)}
    >
      <th scope="row">
        <button
          type="button"
          className="jp-DatalakeLink"
          title={trans.__('Show the log of %1', datum.label)}
          onClick={() => props.onChoose(datum.position)}
        >
          {datum.label}
        </button>
      </th>
      <td>
        <StateBadge state={datum.state} trans={trans} />
      </td>
      <td>{datum.reason}</td>
      <td className="jp-mod-number">{datum.tries || ''}</td>
      <td className="jp-mod-number">
        {datum.started_at && <Duration start={datum.started_at} end={datum.finished_at} />}
      </td>
      <td className="jp-DatalakeTable-message">
        {datum.message}
        {kept !== undefined && <div className="jp-DatalakeNote">{kept}</div>}
      </td>
      {props.hasFolders && (
        <td className="jp-DatalakeTable-actions">
          {props.hasNotebooks && datum.artifacts_root !== null && (
            <IconButton
              icon={notebookIcon}
              label={trans.__('Executed notebook of %1', datum.label)}
              onClick={() => props.onNotebook(datum.position)}
            />
          )}
          {ENDED.has(datum.state) && (
            <IconButton
              icon={editIcon}
              label={[trans.__('Reopen %1 to work on it by hand', datum.label), kept]
                .filter(text => text !== undefined)
                .join('. ')}
              onClick={() => props.onReopen(datum.position)}
            />
          )}
        </td>
      )}
    </tr>
  );
}

/** Return what to say of a kernel that is kept; nothing when its time is over. */
function keptText(kernel: api.KeptKernel, trans: TranslationBundle): string | undefined {
  if (kernel.is_attached) {
    return trans.__('Its kernel is open in JupyterLab');
  }
  const until = new Date(kernel.until);
  return until.getTime() > Date.now()
    ? trans.__('Its kernel is kept until %1', clockText(until))
    : undefined;
}
