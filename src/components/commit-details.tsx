/**
 * One commit in full: what it is made from, what it changed, its files, what can be done with it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { copyIcon, undoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import {
  branchIcon,
  compareIcon,
  lineageIcon,
  mergeIcon,
  mountIcon,
  pickIcon,
  resetIcon,
  tagIcon
} from '../icons';
import { ChangeList } from './change-list';
import { ErrorBanner } from './error-banner';
import type { IFailure } from './errors';
import type { ITreeFolder } from './file-tree';
import { FileTree } from './file-tree';
import { shortId } from './formats';
import { IconButton } from './icon-button';

/** The files of a commit as far as they are loaded. */
export interface ICommitFiles {
  folders: ReadonlyMap<string, ITreeFolder>;
  toggle: (path: string) => void;
  loadMore: (path: string) => unknown;
}

/** A file of a commit, and what to compare it with. */
export interface ICommitFile {
  repo: string;
  ref: string;
  path: string;
  base?: string;
  tab?: string;
}

/** What {@link CommitDetails} shows and does. */
export interface ICommitDetailsProps {
  commit: api.Commit;
  /** Changes against the first parent; null until loaded. */
  changes: api.ChangePage | null;
  error: IFailure | null;
  files: ICommitFiles;
  trans: TranslationBundle;
  onMount: (commit: api.Commit) => void;
  onCreateRef: (kind: api.RefKind, commit: api.Commit) => void;
  /** The commit that is selected to compare others with. */
  selected: string | null;
  onSelect: (commit: api.Commit) => void;
  /** Show how the commit differs from the one that is selected. */
  onCompare: (commit: api.Commit) => void;
  onRevert: (commit: api.Commit) => void;
  onPick: (commit: api.Commit) => void;
  onMerge: (commit: api.Commit) => void;
  /** Let a branch point to it; undefined where the history is not that of a branch. */
  onReset?: (commit: api.Commit) => void;
  onCopy: (text: string) => void;
  onLineage: (globalId: string) => void;
  onJob: (job: string) => void;
  /** Show a file of the commit, or of its parent what it removed. */
  onFile: (file: ICommitFile) => void;
  /** Show what made a file of the commit and what uses it. */
  onFileLineage: (file: ICommitFile) => void;
  /** Show the history of an input. */
  onCommit: (repo: string, commit: string) => void;
}

/** What an opened commit shows. */
export function CommitDetails(props: ICommitDetailsProps): React.JSX.Element {
  const { commit, changes, files, trans } = props;
  const { provenance } = commit;
  return (
    <div className="jp-DatalakeCommitDetails" data-repo={commit.repo} data-ref={commit.id}>
      <CommitActions {...props} />
      {commit.message.includes('\n') && (
        <pre className="jp-DatalakeCommitDetails-message">{commit.message}</pre>
      )}
      <dl className="jp-DatalakeFacts">
        <dt>{trans.__('Commit')}</dt>
        <dd>
          <code className="jp-DatalakeFacts-id">{commit.id}</code>
        </dd>
        <dt>{trans.__('Change')}</dt>
        <dd>
          <button
            type="button"
            className="jp-DatalakeLink"
            title={trans.__('Show all that this change set off')}
            onClick={() => props.onLineage(commit.global_id)}
          >
            <code>{shortId(commit.global_id)}</code>
          </button>
        </dd>
        {provenance.pipeline && (
          <>
            <dt>{trans.__('Made by')}</dt>
            <dd>
              {provenance.pipeline} v{provenance.pipeline_version}
              {provenance.job_id && (
                <>
                  {', '}
                  <button
                    type="button"
                    className="jp-DatalakeLink"
                    onClick={() => props.onJob(provenance.job_id ?? '')}
                  >
                    {trans.__('its job')}
                  </button>
                </>
              )}
            </dd>
          </>
        )}
        {provenance.inputs.length > 0 && (
          <>
            <dt>{trans.__('From')}</dt>
            <dd>
              {provenance.inputs.map(input => (
                <button
                  key={input.name}
                  type="button"
                  className="jp-DatalakeLink"
                  title={trans.__('Show this commit of %1', input.repo)}
                  onClick={() => props.onCommit(input.repo, input.commit_id)}
                >
                  {input.repo}@{shortId(input.commit_id)}
                </button>
              ))}
            </dd>
          </>
        )}
        {Object.entries(provenance.parameters).map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{JSON.stringify(value)}</code>
            </dd>
          </React.Fragment>
        ))}
        {Object.entries(commit.metadata).map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
      </dl>
      <ErrorBanner error={props.error} trans={trans} />
      {changes === null && props.error === null && (
        <p className="jp-DatalakeNote">{trans.__('Loading…')}</p>
      )}
      {changes && changes.results.length > 0 && (
        <ChangeList
          changes={changes.results}
          hasMore={changes.has_more}
          label={trans.__('Files changed by %1', shortId(commit.id))}
          trans={trans}
          onOpen={change =>
            props.onFile(
              changedFile(
                { repo: commit.repo, old: commit.parents[0] ?? commit.id, now: commit.id },
                change
              )
            )
          }
        />
      )}
      {changes?.results.length === 0 && (
        <p className="jp-DatalakeNote">
          {commit.parents.length === 0
            ? trans.__('The first commit: it holds nothing.')
            : trans.__('No file differs from the commit before.')}
        </p>
      )}
      <FileTree
        folders={files.folders}
        trans={trans}
        onToggle={path => files.toggle(path)}
        onMore={path => void files.loadMore(path)}
        onOpen={path => props.onFile({ repo: commit.repo, ref: commit.id, path })}
        onLineage={path => props.onFileLineage({ repo: commit.repo, ref: commit.id, path })}
      />
    </div>
  );
}

/** Return what to show of a change between two commits: both versions if there are two of them. */
export function changedFile(
  { repo, old, now }: { repo: string; old: string; now: string },
  { kind, path }: api.Change
): ICommitFile {
  switch (kind) {
    case 'removed':
      return { repo, ref: old, path };
    case 'modified':
      return { repo, ref: now, path, base: old, tab: 'changes' };
    case 'added':
    case 'renamed':
      return { repo, ref: now, path };
  }
}

function CommitActions(props: ICommitDetailsProps): React.JSX.Element {
  const { commit, trans } = props;
  const address = `${commit.repo}@${shortId(commit.id)}`;
  return (
    <div className="jp-DatalakeCommitDetails-actions" role="group" aria-label={address}>
      <button
        type="button"
        className="jp-DatalakeButton jp-mod-styled"
        onClick={() => props.onMount(commit)}
      >
        <mountIcon.react tag="span" className="jp-DatalakeButton-icon" />
        {trans.__('Mount')}
      </button>
      <IconButton
        icon={branchIcon}
        label={trans.__('New branch at %1', address)}
        onClick={() => props.onCreateRef('branch', commit)}
      />
      <IconButton
        icon={tagIcon}
        label={trans.__('New tag at %1', address)}
        onClick={() => props.onCreateRef('tag', commit)}
      />
      {props.selected !== null && props.selected !== commit.id ? (
        <IconButton
          icon={compareIcon}
          label={trans.__('Compare with selected')}
          onClick={() => props.onCompare(commit)}
        />
      ) : (
        <IconButton
          icon={compareIcon}
          label={trans.__('Select for compare')}
          isPressed={props.selected === commit.id}
          onClick={() => props.onSelect(commit)}
        />
      )}
      <IconButton
        icon={undoIcon}
        label={trans.__('Revert %1…', address)}
        onClick={() => props.onRevert(commit)}
      />
      <IconButton
        icon={pickIcon}
        label={trans.__('Cherry-pick %1…', address)}
        onClick={() => props.onPick(commit)}
      />
      <IconButton
        icon={mergeIcon}
        label={trans.__('Merge %1 into a branch…', address)}
        onClick={() => props.onMerge(commit)}
      />
      {props.onReset && (
        <IconButton
          icon={resetIcon}
          label={trans.__('Reset the branch to %1…', address)}
          onClick={() => props.onReset?.(commit)}
        />
      )}
      <IconButton
        icon={lineageIcon}
        label={trans.__('Lineage of this change')}
        onClick={() => props.onLineage(commit.global_id)}
      />
      <IconButton
        icon={copyIcon}
        label={trans.__('Copy the address %1', `${commit.repo}@${commit.id}`)}
        onClick={() => props.onCopy(`${commit.repo}@${commit.id}`)}
      />
    </div>
  );
}
