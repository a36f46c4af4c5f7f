/**
 * A trial: the datums that were tried, what each printed, and how its output differs.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { infoIcon, launchIcon, stopIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { Duration } from './ago';
import { CellList } from './cell-list';
import { ChangeList } from './change-list';
import { IconButton } from './icon-button';
import { LogView } from './log-view';
import { NotebookButton } from './notebook-button';
import { StateBadge } from './state-badge';

/** What a {@link TrialView} shows and does. */
export interface ITrialViewProps {
  trial: api.Trial;
  /** Position of the datum or step that is looked at; null for all of them together. */
  choice: number | null;
  /** The datum or step that is looked at. */
  chosen: api.TriedDatum | undefined;
  log: api.DatumLog | null;
  cells: readonly api.ExecutedCell[];
  changes: readonly api.Change[];
  hasMore: boolean;
  trans: TranslationBundle;
  onChoose: (position: number | null) => void;
  onCancel: () => void;
  onMore: () => void;
  /** Show how a file differs. */
  onChange: (change: api.Change) => void;
  /** Show an executed notebook. */
  onNotebook: (position: number) => void;
  /** Show the trial by itself, where it is shown beside something else. */
  onOpen?: () => void;
}

/** A trial with its datums, and what is known of the one that is chosen. */
export function TrialView(props: ITrialViewProps): React.JSX.Element {
  const { trial, trans } = props;
  return (
    <section className="jp-DatalakeTrial" aria-label={trans.__('Trial of %1', trial.pipeline)}>
      <div className="jp-DatalakeTrial-header" role="status">
        <StateBadge state={trial.state} trans={trans} />
        <span className="jp-DatalakeTrial-summary">{summaryOf(trial, trans)}</span>
        {trial.state === 'running' && (
          <IconButton icon={stopIcon} label={trans.__('Stop the trial')} onClick={props.onCancel} />
        )}
        {props.onOpen && (
          <IconButton
            icon={launchIcon}
            label={trans.__('Show the trial in a tab')}
            onClick={props.onOpen}
          />
        )}
      </div>
      {trial.message && (
        <p
          className={`jp-DatalakeJobView-message ${trial.state === 'failed' ? 'jp-mod-bad' : ''}`}
          role={trial.state === 'failed' ? 'alert' : undefined}
        >
          {trial.message}
        </p>
      )}
      <Notes trial={trial} trans={trans} />
      <TriedTable {...props} />
      <Chosen {...props} />
    </section>
  );
}

/** Return in a sentence what came of a trial. */
function summaryOf(trial: api.Trial, trans: TranslationBundle): string {
  const count = trial.datums.length;
  const done = trial.datums.filter(one => one.finished_at !== null).length;
  if (trial.state === 'running') {
    return trans._n('%2 of %1 datum done', '%2 of %1 datums done', count, done);
  }
  const tried = trial.is_whole
    ? trans._n('The one datum was tried', 'All %1 datums were tried', count)
    : trans._n('%1 datum was tried', '%1 datums were tried', count);
  return trial.base_commit_id === null
    ? `${tried}; ${trans.__('there is no output yet to compare with')}`
    : `${tried}; ${trans.__('nothing was committed')}`;
}

function Notes({ trial, trans }: { trial: api.Trial; trans: TranslationBundle }) {
  const expected = trial.unexpected.map(line => trans.__('Expectation: %1', line));
  const lines = [...expected, ...trial.notes];
  if (lines.length === 0) {
    return null;
  }
  return (
    <ul className="jp-DatalakeForm-notes" aria-label={trans.__('What is to be said of it')}>
      {lines.map(line => (
        <li key={line}>
          <infoIcon.react tag="span" className="jp-DatalakeTag-icon" />
          <span>{line}</span>
        </li>
      ))}
    </ul>
  );
}

function TriedTable(props: ITrialViewProps): React.JSX.Element {
  const { trial, trans } = props;
  const together = trans.__('All together');
  return (
    <div className="jp-DatalakeTrial-table">
      <table className="jp-DatalakeTable" aria-label={trans.__('Datums that were tried')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('Datum')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('Time')}</th>
            <th scope="col">{trans.__('Output')}</th>
          </tr>
        </thead>
        <tbody>
          {[...trial.steps, ...trial.datums].map(one => (
            <Row key={one.position} {...props} position={one.position} label={one.label}>
              <td>
                <StateBadge state={one.state} trans={trans} />
              </td>
              <td className="jp-mod-number">
                {one.started_at && <Duration start={one.started_at} end={one.finished_at} />}
              </td>
              <td>
                <Counts output={one.output} trans={trans} />
              </td>
            </Row>
          ))}
          {trial.output && trial.datums.length > 1 && (
            <Row {...props} position={null} label={together}>
              <td />
              <td className="jp-mod-number">
                <Duration start={trial.created_at} end={trial.finished_at} />
              </td>
              <td>
                <Counts output={trial.output} trans={trans} />
              </td>
            </Row>
          )}
        </tbody>
      </table>
    </div>
  );
}

function Row(
  props: ITrialViewProps & {
    position: number | null;
    label: string;
    children: React.ReactNode;
  }
): React.JSX.Element {
  const { position, label, choice, onChoose, trans } = props;
  const isChosen = choice === position;
  return (
    <tr className={isChosen ? 'jp-mod-selected' : undefined} onClick={() => onChoose(position)}>
      <th scope="row">
        <button
          type="button"
          className="jp-DatalakeLink"
          aria-pressed={isChosen}
          title={trans.__('Show what came of %1', label)}
          onClick={() => onChoose(position)}
        >
          {label}
        </button>
      </th>
      {props.children}
    </tr>
  );
}

/** How many paths differ: what is told of each kind, in a few letters. */
function Counts(props: {
  output: api.ComparedOutput | null;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { output, trans } = props;
  if (output === null) {
    return null;
  }
  const { added, modified, removed, same } = output.counts;
  const words = [
    { kind: 'added', count: added, text: trans.__('%1 added', added) },
    { kind: 'modified', count: modified, text: trans.__('%1 changed', modified) },
    { kind: 'removed', count: removed, text: trans.__('%1 removed', removed) },
    { kind: 'same', count: same, text: trans.__('%1 the same', same) }
  ].filter(({ count }) => count > 0);
  return (
    <span className="jp-DatalakeTrial-counts">
      {words.length === 0
        ? trans.__('nothing')
        : words.map(({ kind, text }) => (
            <span key={kind} className={`jp-DatalakeTrial-count jp-mod-${kind}`}>
              {text}
            </span>
          ))}
    </span>
  );
}

/** What is known of the datum that is looked at, or of all of them together. */
function Chosen(props: ITrialViewProps): React.JSX.Element | null {
  const { trial, chosen, choice, cells, changes, trans } = props;
  const output = choice === null ? trial.output : chosen?.output;
  const label = chosen?.label ?? trans.__('all together');
  if (choice !== null && !chosen) {
    return null;
  }
  const isTold =
    cells.some(({ error }) => error !== '') || trial.message.includes(chosen?.message ?? '');
  return (
    <div className="jp-DatalakeTrial-chosen">
      {chosen && chosen.message && !isTold && (
        <p className="jp-DatalakeJobView-message jp-mod-bad">{chosen.message}</p>
      )}
      {cells.length > 0 && <CellList cells={cells} trans={trans} />}
      {chosen && cells.length > 0 && chosen.artifacts_root !== null && (
        <NotebookButton trans={trans} onOpen={() => props.onNotebook(chosen.position)} />
      )}
      {output && (
        <section aria-label={trans.__('What differs of %1', label)}>
          <p className="jp-DatalakeTrial-title">{trans.__('What differs of %1', label)}</p>
          {changes.length === 0 ? (
            <p className="jp-DatalakeNote">
              {trans.__('Nothing: the output holds the same already.')}
            </p>
          ) : (
            <ChangeList
              changes={changes}
              hasMore={props.hasMore}
              label={trans.__('Files that differ of %1', label)}
              trans={trans}
              onMore={props.onMore}
              onOpen={props.onChange}
            />
          )}
        </section>
      )}
      {chosen && chosen.state !== 'queued' && (
        <LogView
          text={props.log?.text ?? null}
          label={trans.__('Log of %1', label)}
          isLive={chosen.state === 'running'}
          trans={trans}
        />
      )}
    </div>
  );
}
