/**
 * One change and all it set off, as a table; and choosing a change.
 */
import { Time } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { Ago, Duration } from './ago';
import { countsText } from './datum-progress';
import { causeText, shortId } from './formats';
import { StateBadge } from './state-badge';

/** What a {@link ChangePicker} shows and does. */
export interface IChangePickerProps {
  changes: readonly api.GlobalRecord[];
  /** Id of the change that is chosen; null for everything. */
  value: string | null;
  trans: TranslationBundle;
  onChange: (globalId: string | null) => void;
}

/** Changes to choose from, newest first. */
export function ChangePicker(props: IChangePickerProps): React.JSX.Element {
  const { changes, value, trans } = props;
  const isKnown = value === null || changes.some(record => record.id === value);
  return (
    <label className="jp-DatalakeChangePicker">
      {trans.__('Change')}
      <select
        className="jp-DatalakeField"
        value={value ?? ''}
        onChange={event => props.onChange(event.target.value || null)}
      >
        <option value="">{trans.__('Everything')}</option>
        {!isKnown && value !== null && <option value={value}>{shortId(value)}</option>}
        {changes.map(record => (
          <option key={record.id} value={record.id}>
            {causeText(record.origin, record.subject, trans)} ·{' '}
            {Time.formatHuman(record.created_at, 'narrow')} · {shortId(record.id)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What a {@link ChangeSummary} shows and does. */
export interface IChangeSummaryProps {
  summary: api.GlobalLineage;
  trans: TranslationBundle;
  onJob: (job: api.Job) => void;
}

/** The jobs and commits of one change. */
export function ChangeSummary(props: IChangeSummaryProps): React.JSX.Element {
  const { summary, trans } = props;
  const { record, jobs, commits } = summary;
  return (
    <section className="jp-DatalakeChangeSummary" aria-label={trans.__('What the change set off')}>
      <p className="jp-DatalakeChangeSummary-title">
        <strong>{causeText(record.origin, record.subject, trans)}</strong>{' '}
        {trans.__('by %1', record.created_by)}, <Ago time={record.created_at} />:{' '}
        {trans._n('%1 job', '%1 jobs', jobs.length)},{' '}
        {trans._n('%1 commit', '%1 commits', commits.length)} · <code>{shortId(record.id)}</code>
      </p>
      {jobs.length > 0 && (
        <table className="jp-DatalakeTable" aria-label={trans.__('Jobs of the change')}>
          <thead>
            <tr>
              <th scope="col">{trans.__('Pipeline')}</th>
              <th scope="col">{trans.__('State')}</th>
              <th scope="col">{trans.__('Datums')}</th>
              <th scope="col">{trans.__('Time')}</th>
            </tr>
          </thead>
          <tbody>
            {jobs.map(job => (
              <tr key={job.id}>
                <th scope="row">
                  <button
                    type="button"
                    className="jp-DatalakeLink"
                    onClick={() => props.onJob(job)}
                  >
                    {job.pipeline} #{job.number}
                  </button>
                </th>
                <td>
                  <StateBadge state={job.state} outcome={job.outcome} trans={trans} />
                </td>
                <td>{countsText(job.datum_counts, trans)}</td>
                <td className="jp-mod-number">
                  {job.started_at && <Duration start={job.started_at} end={job.finished_at} />}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
