/**
 * What is known of the chosen node of the lineage graph.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, historyIcon, runIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { mountIcon } from '../icons';
import type { ITableFlow } from '../lineage/flows';
import type { INode } from '../lineage/graph';
import { codeOf } from '../specs';
import { Ago } from './ago';
import { EmptyState } from './empty-state';
import { Environment } from './environment';
import { formatBytes, shortId } from './formats';
import { IconButton } from './icon-button';
import { JobList } from './job-list';
import { NotebookButton } from './notebook-button';
import { kindText } from './lineage-node';
import { PipelineDetails } from './pipeline-list';
import { TableFlows } from './table-flows';
import { StateBadge } from './state-badge';

/** What a {@link LineageSheet} shows and does. */
export interface ILineageSheetProps {
  node: INode;
  /** Ids of the groups that it is in, the outermost first. */
  groups: readonly string[];
  commits: readonly api.Commit[];
  jobs: readonly api.Job[];
  pipeline: api.Pipeline | null;
  /** The environment of its code. */
  environment: unknown;
  /** Of a warehouse table: the pipelines between it and the lake. */
  flows: readonly ITableFlow[];
  trans: TranslationBundle;
  isLive: (job: api.Job) => boolean;
  onClose: () => void;
  /** Open a group, or close it. */
  onToggle: (group: string) => void;
  onFiles: (repo: string) => void;
  onHistory: (repo: string, ref?: string) => void;
  onMount: (repo: string, commit: string) => void;
  onRun: (pipeline: string) => void;
  onJob: (job: api.Job) => void;
  onNotebook: (job: api.Job) => void;
  /** Show a file of a pipeline's published code. */
  onCode: (pipeline: api.Pipeline, path: string) => void;
  onCancel: (job: api.Job) => void;
  onRerun: (job: api.Job) => void;
  onChange: (globalId: string) => void;
  /** Choose another node. */
  onNode: (id: string) => void;
}

/** The sheet beside the graph. */
export function LineageSheet(props: ILineageSheetProps): React.JSX.Element {
  const { node, trans } = props;
  return (
    <aside
      className="jp-DatalakeLineageSheet"
      aria-label={trans.__('%1 %2', kindText(node.kind, trans), node.label)}
    >
      <header className="jp-DatalakeLineageSheet-header">
        <span className="jp-DatalakeLineageSheet-kind">{kindText(node.kind, trans)}</span>
        <h3 className="jp-DatalakeLineageSheet-title">{node.label}</h3>
        {node.state && <StateBadge state={node.state} trans={trans} />}
        <IconButton icon={closeIcon} label={trans.__('Close')} onClick={props.onClose} />
      </header>
      {node.kind === 'repo' && <RepoSheet {...props} />}
      {node.kind === 'pipeline' && <PipelineSheet {...props} />}
      {node.kind === 'group' && <GroupSheet {...props} />}
      {node.kind === 'table' && (
        <TableFlows
          flows={props.flows}
          trans={trans}
          onPipeline={name => props.onNode(`pipeline:${name}`)}
          onJob={props.onJob}
        />
      )}
      {node.kind === 'cron' && <Details {...props} />}
      <Groups {...props} />
    </aside>
  );
}

function GroupSheet({ node, trans, onToggle }: ILineageSheetProps): React.JSX.Element {
  const { kinds, states } = node.details as Record<string, Record<string, number>>;
  return (
    <>
      <div className="jp-DatalakeLineageSheet-buttons">
        <button
          type="button"
          className="jp-DatalakeButton jp-mod-styled"
          onClick={() => onToggle(node.id)}
        >
          {trans.__('Open the group (e)')}
        </button>
      </div>
      <dl className="jp-DatalakeFacts">
        {Object.entries(kinds ?? {}).map(([kind, count]) => (
          <React.Fragment key={kind}>
            <dt>{kindText(kind as INode['kind'], trans)}</dt>
            <dd>{count}</dd>
          </React.Fragment>
        ))}
        {Object.entries(states ?? {}).map(([state, count]) => (
          <React.Fragment key={state}>
            <dt>
              <StateBadge state={state} trans={trans} />
            </dt>
            <dd>{count}</dd>
          </React.Fragment>
        ))}
      </dl>
    </>
  );
}

/** The open groups that a node is in, to close them. */
function Groups({ groups, trans, onToggle }: ILineageSheetProps): React.JSX.Element | null {
  if (groups.length === 0) {
    return null;
  }
  return (
    <>
      <h4 className="jp-DatalakeLineageSheet-section">{trans.__('Groups')}</h4>
      <div className="jp-DatalakeLineageSheet-buttons">
        {groups.map(group => (
          <button
            key={group}
            type="button"
            className="jp-DatalakeLink"
            onClick={() => onToggle(group)}
          >
            {trans.__('Close %1', group.slice('group:'.length))}
          </button>
        ))}
      </div>
    </>
  );
}

function RepoSheet(props: ILineageSheetProps): React.JSX.Element {
  const { node, commits, trans } = props;
  return (
    <>
      <div className="jp-DatalakeLineageSheet-buttons">
        <button
          type="button"
          className="jp-DatalakeButton jp-mod-styled"
          onClick={() => props.onFiles(node.label)}
        >
          {trans.__('Show files')}
        </button>
        <button
          type="button"
          className="jp-DatalakeButton jp-mod-styled"
          onClick={() => props.onHistory(node.label)}
        >
          {trans.__('History')}
        </button>
      </div>
      <h4 className="jp-DatalakeLineageSheet-section">{trans.__('Newest commits')}</h4>
      <ul
        className="jp-DatalakeLineageSheet-list"
        aria-label={trans.__('Newest commits of %1', node.label)}
      >
        {commits.map(commit => (
          <li key={commit.id} className="jp-DatalakeRow">
            <span className="jp-DatalakeRow-text" title={commit.message}>
              <span className="jp-DatalakeRow-name">{commit.message.split('\n')[0]}</span>
              <span className="jp-DatalakeRow-facts">
                <button
                  type="button"
                  className="jp-DatalakeLink"
                  title={trans.__('Show what this change set off')}
                  onClick={() => props.onChange(commit.global_id)}
                >
                  <code>{shortId(commit.id)}</code>
                </button>
                <Ago time={commit.created_at} />
                <span>{formatBytes(commit.size_bytes)}</span>
              </span>
            </span>
            <span className="jp-DatalakeRow-actions">
              <IconButton
                icon={historyIcon}
                label={trans.__('Show commit %1 in the history', shortId(commit.id))}
                onClick={() => props.onHistory(node.label, commit.id)}
              />
              <IconButton
                icon={mountIcon}
                label={trans.__('Mount %1 at %2', node.label, shortId(commit.id))}
                onClick={() => props.onMount(node.label, commit.id)}
              />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function PipelineSheet(props: ILineageSheetProps): React.JSX.Element {
  const { node, jobs, pipeline, trans } = props;
  const ended = jobs.find(job => job.datum_total > 0);
  const isNotebook = pipeline !== null && codeOf(pipeline.spec).kind === 'notebook';
  return (
    <>
      <div className="jp-DatalakeLineageSheet-buttons">
        <button
          type="button"
          className="jp-DatalakeButton jp-mod-styled"
          disabled={pipeline?.state === 'paused'}
          onClick={() => props.onRun(node.label)}
        >
          <runIcon.react tag="span" className="jp-DatalakeButton-icon" />
          {trans.__('Run now')}
        </button>
        {isNotebook && ended && (
          <NotebookButton trans={trans} onOpen={() => props.onNotebook(ended)} />
        )}
      </div>
      {pipeline && <PipelineDetails pipeline={pipeline} trans={trans} />}
      {pipeline && isNotebook && (
        <div className="jp-DatalakeLineageSheet-buttons">
          <button
            type="button"
            className="jp-DatalakeLink"
            title={trans.__('As it was when version %1 was published', pipeline.version)}
            onClick={() => props.onCode(pipeline, codeOf(pipeline.spec).text)}
          >
            {trans.__('Notebook of version %1', pipeline.version)}
          </button>
        </div>
      )}
      {props.environment !== null && (
        <>
          <h4 className="jp-DatalakeLineageSheet-section">{trans.__('Environment')}</h4>
          <Environment lock={props.environment} trans={trans} />
        </>
      )}
      <h4 className="jp-DatalakeLineageSheet-section">{trans.__('Jobs')}</h4>
      {jobs.length > 0 ? (
        <JobList
          jobs={jobs}
          hasMore={false}
          grouping="none"
          trans={trans}
          isLive={props.isLive}
          onOpen={props.onJob}
          onCancel={props.onCancel}
          onRerun={props.onRerun}
          onLineage={props.onChange}
          onMore={() => undefined}
        />
      ) : (
        <EmptyState title={trans.__('It has not run yet.')} />
      )}
    </>
  );
}

function Details({ node }: ILineageSheetProps): React.JSX.Element {
  return (
    <dl className="jp-DatalakeFacts">
      {Object.entries(node.details).map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}
