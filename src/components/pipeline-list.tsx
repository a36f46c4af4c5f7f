/**
 * The pipelines of the lake: what they run, when, and how their newest job went.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  caretDownIcon,
  caretRightIcon,
  deleteIcon,
  editIcon,
  pauseIcon,
  runIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { calendarIcon, clockIcon, lineageIcon } from '../icons';
import { scheduleOf } from '../schedules';
import { codeOf, cronInputs, parametersOf, repoInputs } from '../specs';
import { Ago } from './ago';
import { shortId } from './formats';
import { IconButton } from './icon-button';
import { usePlainSchedule } from './schedule-fields';
import { StateBadge } from './state-badge';

/** What a {@link PipelineList} shows and does. */
export interface IPipelineListProps {
  pipelines: readonly api.Pipeline[];
  /** Names of those whose details are shown. */
  opened: ReadonlySet<string>;
  trans: TranslationBundle;
  onToggle: (pipeline: string) => void;
  onRun: (pipeline: string) => void;
  onPause: (pipeline: string) => void;
  onResume: (pipeline: string) => void;
  onSchedule: (pipeline: string) => void;
  onEdit: (pipeline: string) => void;
  onDelete: (pipeline: string) => void;
  onLineage: (pipeline: string) => void;
  onJob: (job: string) => void;
}

/** All pipelines. */
export function PipelineList(props: IPipelineListProps): React.JSX.Element {
  return (
    <ul className="jp-DatalakePipelineList" aria-label={props.trans.__('Pipelines')}>
      {props.pipelines.map(pipeline => (
        <PipelineItem key={pipeline.name} {...props} pipeline={pipeline} />
      ))}
    </ul>
  );
}

function PipelineItem(props: IPipelineListProps & { pipeline: api.Pipeline }): React.JSX.Element {
  const { pipeline, trans } = props;
  const { name } = pipeline;
  const isOpen = props.opened.has(name);
  const isPaused = pipeline.state === 'paused';
  const clocks = cronInputs(pipeline.spec);
  const schedule = scheduleOf(pipeline.spec);
  const job = pipeline.latest_job;
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  return (
    <li className="jp-DatalakePipelineList-item" data-pipeline={name} data-state={pipeline.state}>
      <div className="jp-DatalakeRow">
        <button
          type="button"
          className="jp-DatalakeRow-main"
          aria-expanded={isOpen}
          onClick={() => props.onToggle(name)}
        >
          <Caret.react tag="span" className="jp-DatalakeRow-icon" />
          <span className="jp-DatalakeRow-text">
            <span className="jp-DatalakeRow-title">
              <span className="jp-DatalakeRow-name">{name}</span>
              <span className="jp-DatalakeRow-version">v{pipeline.version}</span>
            </span>
            <span className="jp-DatalakeRow-facts">
              {(schedule ? [schedule] : clocks).map(clock => (
                <span key={clock.name} title={trans.__('Schedule, by the clock of %1', clock.zone)}>
                  <clockIcon.react tag="span" className="jp-DatalakeTag-icon" />
                  {clock.schedule}
                </span>
              ))}
              {job ? (
                <Ago time={job.finished_at ?? job.started_at ?? job.created_at} />
              ) : (
                <span>{trans.__('has not run yet')}</span>
              )}
            </span>
          </span>
        </button>
        <span className="jp-DatalakeRow-actions">
          <IconButton
            icon={runIcon}
            label={clocks.length > 0 ? trans.__('Tick %1 now', name) : trans.__('Run %1 now', name)}
            isDisabled={isPaused}
            onClick={() => props.onRun(name)}
          />
          {isPaused ? (
            <IconButton
              icon={clockIcon}
              label={trans.__('Resume %1', name)}
              onClick={() => props.onResume(name)}
            />
          ) : (
            <IconButton
              icon={pauseIcon}
              label={trans.__('Pause %1', name)}
              onClick={() => props.onPause(name)}
            />
          )}
          <IconButton
            icon={calendarIcon}
            label={trans.__('Schedule of %1', name)}
            onClick={() => props.onSchedule(name)}
          />
          <IconButton
            icon={editIcon}
            label={trans.__('Edit %1 as a graph', name)}
            onClick={() => props.onEdit(name)}
          />
          <IconButton
            icon={lineageIcon}
            label={trans.__('Lineage of %1', name)}
            onClick={() => props.onLineage(name)}
          />
          <IconButton
            icon={deleteIcon}
            label={trans.__('Delete %1', name)}
            onClick={() => props.onDelete(name)}
          />
        </span>
        {isPaused && <StateBadge state="paused" trans={trans} />}
        {!isPaused && job && (
          <button
            type="button"
            className="jp-DatalakeRow-badge"
            title={trans.__('Show the newest job')}
            onClick={() => props.onJob(job.id)}
          >
            <StateBadge state={job.state} outcome={job.outcome} trans={trans} />
          </button>
        )}
      </div>
      {isOpen && <PipelineDetails pipeline={pipeline} trans={trans} />}
    </li>
  );
}

/** A clock as it is written, and in plain words. */
export function ClockText(props: {
  clock: { schedule: string; zone: string };
  trans: TranslationBundle;
}): React.JSX.Element {
  const { schedule, zone } = props.clock;
  const words = usePlainSchedule(schedule, props.trans);
  return (
    <>
      <code>{schedule}</code> {words} ({zone})
    </>
  );
}

/** What a pipeline reads, runs and is set to. */
export function PipelineDetails(props: {
  pipeline: api.Pipeline;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { pipeline, trans } = props;
  const { spec } = pipeline;
  const code = codeOf(spec);
  const schedule = scheduleOf(spec);
  const files = Array.isArray(spec.files) ? spec.files.map(String) : [];
  return (
    <dl className="jp-DatalakeFacts">
      {typeof spec.description === 'string' && spec.description && (
        <>
          <dt>{trans.__('About')}</dt>
          <dd>{spec.description}</dd>
        </>
      )}
      {repoInputs(spec).map(input => (
        <React.Fragment key={`${input.name} ${input.repo}@${input.branch} ${input.glob}`}>
          <dt>{trans.__('Reads')}</dt>
          <dd>
            {input.repo}@{input.branch} <code>{input.glob}</code>
            {input.name !== input.repo && ` ${trans.__('as %1', input.name)}`}
          </dd>
        </React.Fragment>
      ))}
      {(schedule ? [schedule] : cronInputs(spec)).map(clock => (
        <React.Fragment key={clock.name}>
          <dt>{trans.__('Ticks')}</dt>
          <dd>
            <ClockText clock={clock} trans={trans} />
          </dd>
        </React.Fragment>
      ))}
      <dt>{trans.__('Runs')}</dt>
      <dd>
        <code className={code.kind === 'ingest' ? 'jp-DatalakeFacts-block' : undefined}>
          {code.text}
        </code>
      </dd>
      {files.length > 0 && (
        <>
          <dt>{trans.__('With')}</dt>
          <dd>{files.join(', ')}</dd>
        </>
      )}
      {Object.entries(parametersOf(spec)).map(([name, value]) => (
        <React.Fragment key={name}>
          <dt title={trans.__('Parameter')}>{name}</dt>
          <dd>
            <code>{JSON.stringify(value)}</code>
          </dd>
        </React.Fragment>
      ))}
      <dt>{trans.__('Writes')}</dt>
      <dd>{pipeline.name}</dd>
      <dt>{trans.__('Code')}</dt>
      <dd>
        <code title={pipeline.code_commit_id}>{shortId(pipeline.code_commit_id)}</code>{' '}
        {trans.__('by %1', pipeline.created_by)}
      </dd>
    </dl>
  );
}
