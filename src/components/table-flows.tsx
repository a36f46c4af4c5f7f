/**
 * What is known of a warehouse table: the pipelines that read it or write it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import type { ITableFlow } from '../lineage/flows';
import { scheduleOf } from '../schedules';
import { codeOf, cronInputs, egressOf, ingestOf } from '../specs';
import { Ago } from './ago';
import { ClockText } from './pipeline-list';
import { StateBadge } from './state-badge';

/** What {@link TableFlows} shows and does. */
export interface ITableFlowsProps {
  flows: readonly ITableFlow[];
  trans: TranslationBundle;
  onPipeline: (name: string) => void;
  onJob: (job: api.Job) => void;
}

/** Queries, files, rows and last runs, a pipeline after the other. */
export function TableFlows(props: ITableFlowsProps): React.JSX.Element {
  const { flows, trans, onPipeline } = props;
  return (
    <>
      {flows.map(flow => {
        const { name } = flow.pipeline;
        const isRead = flow.direction === 'read';
        const heading = isRead ? trans.__('Read by %1', name) : trans.__('Written by %1', name);
        return (
          <section key={`${flow.direction} ${name}`} aria-label={heading}>
            <h4 className="jp-DatalakeLineageSheet-section">
              <button
                type="button"
                className="jp-DatalakeLink"
                title={trans.__('Show the pipeline')}
                onClick={() => onPipeline(name)}
              >
                {heading}
              </button>
            </h4>
            <dl className="jp-DatalakeFacts">
              {isRead ? (
                <Reading flow={flow} trans={trans} />
              ) : (
                <Writing flow={flow} trans={trans} />
              )}
              <LastRun flow={flow} {...props} />
            </dl>
          </section>
        );
      })}
    </>
  );
}

interface IFlowProps {
  flow: ITableFlow;
  trans: TranslationBundle;
}

/** What is asked of the warehouse, and where its answer goes. */
function Reading({ flow, trans }: IFlowProps): React.JSX.Element {
  const { name, spec } = flow.pipeline;
  return (
    <>
      <dt>{trans.__('Query')}</dt>
      <dd>
        <code className="jp-DatalakeFacts-block">{codeOf(spec).text}</code>
      </dd>
      <dt>{trans.__('Into')}</dt>
      <dd>
        {name}
        <code>{ingestOf(spec).output}</code>
      </dd>
    </>
  );
}

/** Which files go into the table, and what becomes of the rows that are in it. */
function Writing({ flow, trans }: IFlowProps): React.JSX.Element {
  const egress = egressOf(flow.pipeline.spec);
  return (
    <>
      <dt>{trans.__('From')}</dt>
      <dd>
        {flow.pipeline.name} <code>{egress?.files}</code>
      </dd>
      <dt>{trans.__('Mode')}</dt>
      <dd>
        {egress?.mode}
        {egress && egress.key.length > 0 && ` ${trans.__('by %1', egress.key.join(', '))}`}
      </dd>
    </>
  );
}

/** When its pipeline ran last, what came of that, and when it runs again. */
function LastRun({ flow, trans, onJob }: IFlowProps & ITableFlowsProps): React.JSX.Element {
  const { job, pipeline, rows } = flow;
  const schedule = scheduleOf(pipeline.spec);
  return (
    <>
      <dt>{trans.__('Last run')}</dt>
      <dd>
        {job ? (
          <>
            <button
              type="button"
              className="jp-DatalakeLink"
              title={trans.__('Show the job')}
              onClick={() => onJob(job)}
            >
              <Ago time={job.finished_at ?? job.started_at ?? job.created_at} />
            </button>{' '}
            <StateBadge state={job.state} outcome={job.outcome} trans={trans} />
          </>
        ) : (
          trans.__('has not run yet')
        )}
      </dd>
      {rows !== null && (
        <>
          <dt>{trans.__('Rows')}</dt>
          <dd>{rows.toLocaleString()}</dd>
        </>
      )}
      {(schedule ? [schedule] : cronInputs(pipeline.spec)).map(clock => (
        <React.Fragment key={clock.name}>
          <dt>{trans.__('Ticks')}</dt>
          <dd>
            <ClockText clock={clock} trans={trans} />
          </dd>
        </React.Fragment>
      ))}
    </>
  );
}
