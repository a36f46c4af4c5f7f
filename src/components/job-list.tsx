/**
 * Jobs, newest first, those of one change under one heading.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { Ago, Duration } from './ago';
import { countsText, DatumProgress } from './datum-progress';
import { causeText, shortId } from './formats';
import { IconButton } from './icon-button';
import { StateBadge, stateText } from './state-badge';

/** Those of one change, or of one pipeline, under one heading; or all in one list. */
export type JobGrouping = 'change' | 'pipeline' | 'none';

/** What a {@link JobList} shows and does. */
export interface IJobListProps {
  jobs: readonly api.Job[];
  hasMore: boolean;
  /** Which jobs stand under one heading. */
  grouping: JobGrouping;
  trans: TranslationBundle;
  isLive: (job: api.Job) => boolean;
  onOpen: (job: api.Job) => void;
  onCancel: (job: api.Job) => void;
  onRerun: (job: api.Job) => void;
  onLineage: (globalId: string) => void;
  onMore: () => void;
}

/** Jobs, flat or by change. */
export function JobList(props: IJobListProps): React.JSX.Element {
  const { jobs, trans } = props;
  const groups = new Map<string, api.Job[]>();
  for (const job of jobs) {
    const key = props.grouping === 'pipeline' ? job.pipeline : job.global_id;
    groups.set(key, [...(groups.get(key) ?? []), job]);
  }
  return (
    <>
      {props.grouping === 'none' ? (
        <JobItems {...props} label={trans.__('Jobs')} />
      ) : (
        [...groups].map(([key, members]) => (
          <section key={key} className="jp-DatalakeJobList-group">
            {props.grouping === 'pipeline' ? (
              <header className="jp-DatalakeJobList-header">{key}</header>
            ) : (
              <GroupHeader {...props} globalId={key} jobs={members} />
            )}
            <JobItems
              {...props}
              jobs={members}
              label={trans.__('Jobs of %1', props.grouping === 'pipeline' ? key : shortId(key))}
            />
          </section>
        ))
      )}
      {props.hasMore && (
        <button type="button" className="jp-DatalakeMore" onClick={props.onMore}>
          {trans.__('Show older jobs')}
        </button>
      )}
    </>
  );
}

function GroupHeader(props: IJobListProps & { globalId: string }): React.JSX.Element {
  const { globalId, jobs, trans } = props;
  const first = jobs.reduce((least, job) => (job.number < least.number ? job : least));
  const text =
    first.trigger.kind === 'upstream'
      ? trans.__('Change %1', shortId(globalId))
      : causeText(first.trigger.kind, first.trigger.subject, trans);
  return (
    <header className="jp-DatalakeJobList-header">
      <button
        type="button"
        className="jp-DatalakeLink"
        title={trans.__('Lineage of change %1', globalId)}
        onClick={() => props.onLineage(globalId)}
      >
        {text}
      </button>
      <Ago time={first.created_at} />
    </header>
  );
}

function JobItems(props: IJobListProps & { label: string }): React.JSX.Element {
  return (
    <ul className="jp-DatalakeJobList" aria-label={props.label}>
      {props.jobs.map(job => (
        <JobItem key={job.id} {...props} job={job} />
      ))}
    </ul>
  );
}

function JobItem(props: IJobListProps & { job: api.Job }): React.JSX.Element {
  const { job, trans } = props;
  const isLive = props.isLive(job);
  const name = `${job.pipeline} #${job.number}`;
  return (
    <li className="jp-DatalakeJobList-item" data-job={job.id} data-state={job.state}>
      <div className="jp-DatalakeRow">
        <button
          type="button"
          className="jp-DatalakeRow-main"
          aria-label={trans.__('Job %1, %2', name, stateText(job.state, trans))}
          title={job.message || undefined}
          onClick={() => props.onOpen(job)}
        >
          <span className="jp-DatalakeRow-text">
            <span className="jp-DatalakeRow-title">
              <span className="jp-DatalakeRow-name">{job.pipeline}</span>
              <span className="jp-DatalakeRow-version">#{job.number}</span>
            </span>
            <JobFacts job={job} hasAge={props.grouping !== 'change'} trans={trans} />
            {isLive && (
              <DatumProgress total={job.datum_total} counts={job.datum_counts} trans={trans} />
            )}
          </span>
        </button>
        <span className="jp-DatalakeRow-actions">
          {isLive ? (
            <IconButton
              icon={stopIcon}
              label={trans.__('Cancel %1', name)}
              isDisabled={job.cancel_requested}
              onClick={() => props.onCancel(job)}
            />
          ) : (
            <IconButton
              icon={refreshIcon}
              label={trans.__('Run %1 again', name)}
              onClick={() => props.onRerun(job)}
            />
          )}
        </span>
        <StateBadge state={job.state} outcome={job.outcome} trans={trans} />
      </div>
    </li>
  );
}

function rowsText(rows: number, trans: TranslationBundle): string {
  return trans._n('%2 row', '%2 rows', rows, rows.toLocaleString());
}

/** How a job went, in a few words. */
function JobFacts(props: {
  job: api.Job;
  /** Whether it says when; the heading of a group does already. */
  hasAge: boolean;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { job, trans } = props;
  return (
    <span className="jp-DatalakeRow-facts">
      {job.started_at && <Duration start={job.started_at} end={job.finished_at} />}
      {job.datum_total > 0 && (
        <span title={countsText(job.datum_counts, trans)}>
          {trans._n('%1 datum', '%1 datums', job.datum_total)}
        </span>
      )}
      {job.rows_written !== null && <span>{rowsText(job.rows_written, trans)}</span>}
      {props.hasAge && <Ago time={job.finished_at ?? job.started_at ?? job.created_at} />}
    </span>
  );
}
