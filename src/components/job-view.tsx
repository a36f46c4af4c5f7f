/**
 * One job in full.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { lineageIcon } from '../icons';
import { CellList } from './cell-list';
import { Ago, Duration } from './ago';
import { DatumDetails } from './datum-details';
import { DatumProgress } from './datum-progress';
import type { IDatumTableProps } from './datum-table';
import { DatumTable } from './datum-table';
import { causeText, shortId } from './formats';
import type { ILogSearchProps } from './log-search';
import { LogSearch } from './log-search';
import { LogView } from './log-view';
import { NotebookButton } from './notebook-button';
import { StateBadge } from './state-badge';

/** What a {@link JobView} shows and does. */
export interface IJobViewProps extends Omit<IDatumTableProps, 'counts'>, ILogSearchProps {
  job: api.Job;
  isLive: boolean;
  log: api.DatumLog | null;
  /** Cells of the chosen datum's notebook. */
  cells: readonly api.ExecutedCell[];
  /** The line of the log that was asked for, from 1. */
  line: number | null;
  trans: TranslationBundle;
  onCancel: () => void;
  /** Compare it with the run before it. */
  onCompare: () => void;
  onRerun: (reprocess: boolean) => void;
  /** Run what did not succeed. */
  onResume: () => void;
  /** What the chosen datum was seen to open, newest first. */
  opened: readonly api.Observation[];
  /** Show a file at a commit. */
  onFile: (repo: string, commit: string, path: string) => void;
  onLineage: (globalId: string) => void;
  /** Input name to its repo, as far as the datums tell. */
  inputRepos: ReadonlyMap<string, string>;
  /** Show a commit in the history of its repo. */
  onCommit: (repo: string, commit: string) => void;
}

/** A job: how it went, its datums and what they printed. */
export function JobView(props: IJobViewProps): React.JSX.Element {
  const { job, log, trans } = props;
  const chosen = props.datums.find(datum => datum.position === props.choice);
  return (
    <article className="jp-DatalakeJobView" aria-label={trans.__('Job %1', job.number)}>
      <header className="jp-DatalakeJobView-header">
        <h2 className="jp-DatalakeJobView-title">
          {job.pipeline} <span className="jp-DatalakeRow-version">#{job.number}</span>
        </h2>
        <StateBadge state={job.state} outcome={job.outcome} trans={trans} />
        <JobButtons {...props} />
      </header>
      <DatumProgress total={job.datum_total} counts={job.datum_counts} trans={trans} />
      {job.message && (
        <p
          className={`jp-DatalakeJobView-message ${job.state === 'failed' ? 'jp-mod-bad' : ''}`}
          role={job.state === 'failed' ? 'alert' : undefined}
        >
          {job.message}
        </p>
      )}
      <JobTable {...props} />
      <DatumTable {...props} counts={job.datum_counts} />
      {chosen && (
        <DatumDetails
          datum={chosen}
          opened={props.opened}
          output={outputOf(job, chosen)}
          trans={trans}
          onFile={props.onFile}
        />
      )}
      {props.cells.length > 0 && <CellList cells={props.cells} trans={trans} />}
      <LogSearch {...props} />
      {props.choice !== null && (
        <LogView
          text={log && log.position === props.choice ? log.text : null}
          label={trans.__('Log of %1', chosen?.label ?? log?.label ?? String(props.choice))}
          isLive={chosen?.state === 'running'}
          line={props.line}
          trans={trans}
        />
      )}
    </article>
  );
}

function JobButtons(props: IJobViewProps): React.JSX.Element {
  const { job, trans } = props;
  const notebook = props.hasNotebooks
    ? props.datums.find(datum => datum.position === props.choice && datum.artifacts_root !== null)
    : undefined;
  return (
    <div className="jp-DatalakeJobView-buttons">
      {notebook && (
        <NotebookButton trans={trans} onOpen={() => props.onNotebook(notebook.position)} />
      )}
      <button
        type="button"
        className="jp-DatalakeButton jp-mod-styled"
        onClick={() => props.onLineage(job.global_id)}
      >
        <lineageIcon.react tag="span" className="jp-DatalakeButton-icon" />
        {trans.__('Lineage')}
      </button>
      <button
        type="button"
        className="jp-DatalakeButton jp-mod-styled"
        title={trans.__(
          'Parameters, code, inputs, output and times beside those of the run before'
        )}
        onClick={props.onCompare}
      >
        {trans.__('Compare')}
      </button>
      {props.isLive ? (
        <button
          type="button"
          className="jp-DatalakeButton jp-mod-styled jp-mod-warn"
          disabled={job.cancel_requested}
          onClick={props.onCancel}
        >
          <stopIcon.react tag="span" className="jp-DatalakeButton-icon" />
          {job.cancel_requested ? trans.__('Cancelling…') : trans.__('Cancel')}
        </button>
      ) : (
        <>
          {(job.state === 'failed' || job.state === 'cancelled') && (
            <button
              type="button"
              className="jp-DatalakeButton jp-mod-styled"
              title={trans.__(
                'Over the same inputs, with the code that is published now; datums that succeeded' +
                  ' are taken over. Publish a notebook that you have mended first.'
              )}
              onClick={props.onResume}
            >
              <runIcon.react tag="span" className="jp-DatalakeButton-icon" />
              {trans.__('Resume')}
            </button>
          )}
          <button
            type="button"
            className="jp-DatalakeButton jp-mod-styled"
            title={trans.__('With the inputs as they are now; Shift-click runs every datum anew')}
            onClick={event => props.onRerun(event.shiftKey)}
          >
            <refreshIcon.react tag="span" className="jp-DatalakeButton-icon" />
            {trans.__('Rerun')}
          </button>
        </>
      )}
    </div>
  );
}

/** Return where what a datum made can be looked at; null where nothing was committed. */
function outputOf(job: api.Job, datum: api.Datum): { repo: string; commit: string } | null {
  return job.output_commit_id === null || datum.output_root === null
    ? null
    : { repo: job.pipeline, commit: job.output_commit_id };
}

function JobTable(props: IJobViewProps): React.JSX.Element {
  const { job, trans } = props;
  const inputs = Object.entries(Object.keys(job.inputs).length > 0 ? job.inputs : job.heads);
  const repoOf = (name: string): string | undefined => props.inputRepos.get(name);
  return (
    <dl className="jp-DatalakeFacts jp-mod-tiles">
      <Pair name={trans.__('Set off by')}>
        {causeText(job.trigger.kind, job.trigger.subject, trans)}
      </Pair>
      <Pair name={trans.__('Change')}>
        <button
          type="button"
          className="jp-DatalakeLink"
          title={trans.__('Show all that this change set off')}
          onClick={() => props.onLineage(job.global_id)}
        >
          <code>{shortId(job.global_id)}</code>
        </button>
      </Pair>
      {inputs.length > 0 && (
        <Pair name={trans.__('Inputs')}>
          {inputs.map(([name, commit]) => (
            <span key={name} className="jp-DatalakeFacts-item">
              <InputLink {...props} name={name} repo={repoOf(name)} commit={commit} />
            </span>
          ))}
        </Pair>
      )}
      {job.output_commit_id && (
        <Pair name={trans.__('Output')}>
          <button
            type="button"
            className="jp-DatalakeLink"
            title={trans.__('Show this commit of %1', job.pipeline)}
            onClick={() => props.onCommit(job.pipeline, job.output_commit_id ?? '')}
          >
            {job.pipeline}@{shortId(job.output_commit_id)}
          </button>
        </Pair>
      )}
      {job.rows_written !== null && (
        <Pair name={trans.__('Rows written')}>{job.rows_written.toLocaleString()}</Pair>
      )}
      {job.started_at && (
        <Pair name={trans.__('Time')}>
          <Duration start={job.started_at} end={job.finished_at} />
        </Pair>
      )}
      <Pair name={trans.__('Began')}>
        <Ago time={job.started_at ?? job.created_at} />
      </Pair>
      <Pair name={trans.__('Version')}>
        v{job.pipeline_version}
        {job.attempt > 1 && `, ${trans.__('attempt %1', job.attempt)}`}
      </Pair>
    </dl>
  );
}

function InputLink(
  props: IJobViewProps & { name: string; repo: string | undefined; commit: string }
): React.JSX.Element {
  const { name, repo, commit, trans } = props;
  const shown = <code title={commit}>{shortId(commit)}</code>;
  return repo === undefined ? (
    <>
      {name} {shown}
    </>
  ) : (
    <button
      type="button"
      className="jp-DatalakeLink"
      title={trans.__('Show this commit of %1', repo)}
      onClick={() => props.onCommit(repo, commit)}
    >
      {name} {shown}
    </button>
  );
}

function Pair(props: { name: string; children: React.ReactNode }): React.JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}
