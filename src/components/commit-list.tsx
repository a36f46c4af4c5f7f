/**
 * The history of a ref: one row per commit, which opens.
 */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { branchIcon, pipelineIcon, tagIcon } from '../icons';
import { Ago } from './ago';
import type { ICommitDetailsProps } from './commit-details';
import { CommitDetails } from './commit-details';
import { formatBytes, shortId } from './formats';

/** What a {@link CommitList} shows and does. */
export interface ICommitListProps extends Pick<
  ICommitDetailsProps,
  | 'onMount'
  | 'onCreateRef'
  | 'onCopy'
  | 'onLineage'
  | 'onJob'
  | 'onFile'
  | 'onFileLineage'
  | 'onCommit'
  | 'trans'
> {
  commits: readonly api.Commit[];
  hasMore: boolean;
  /** Branches and tags that point to a commit. */
  refsAt: (commit: string) => readonly api.Ref[];
  /** What an opened commit shows; undefined for a closed one. */
  detailsOf: (
    commit: string
  ) => Pick<ICommitDetailsProps, 'changes' | 'error' | 'files'> | undefined;
  onToggle: (commit: api.Commit) => void;
  onMore: () => void;
}

/** Commits, newest first. */
export function CommitList(props: ICommitListProps): React.JSX.Element {
  const { trans } = props;
  return (
    <>
      <ol className="jp-DatalakeCommitList" aria-label={trans.__('Commits')}>
        {props.commits.map(commit => (
          <CommitItem key={commit.id} {...props} commit={commit} />
        ))}
      </ol>
      {props.hasMore && (
        <button type="button" className="jp-DatalakeMore" onClick={props.onMore}>
          {trans.__('Show older commits')}
        </button>
      )}
    </>
  );
}

function CommitItem(props: ICommitListProps & { commit: api.Commit }): React.JSX.Element {
  const { commit, trans } = props;
  const details = props.detailsOf(commit.id);
  const isOpen = details !== undefined;
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  const isJob = commit.provenance.origin === 'job';
  return (
    <li className="jp-DatalakeCommitList-item" data-commit={commit.id}>
      <button
        type="button"
        className="jp-DatalakeRow jp-DatalakeRow-main"
        aria-expanded={isOpen}
        title={commit.message}
        onClick={() => props.onToggle(commit)}
      >
        <Caret.react tag="span" className="jp-DatalakeRow-icon" />
        <span className="jp-DatalakeRow-text">
          <span className="jp-DatalakeRow-title">
            {isJob && (
              <pipelineIcon.react
                tag="span"
                className="jp-DatalakeRow-icon"
                title={trans.__('Made by a pipeline')}
              />
            )}
            <span className="jp-DatalakeRow-name">{commit.message.split('\n')[0]}</span>
            {props.refsAt(commit.id).map(ref => (
              <RefTag key={`${ref.kind}:${ref.name}`} item={ref} />
            ))}
          </span>
          <span className="jp-DatalakeRow-facts">
            <code>{shortId(commit.id)}</code>
            <span className="jp-DatalakeRow-author">{commit.author.name}</span>
            <Ago time={commit.created_at} />
            <span>
              {trans._n('%1 file', '%1 files', commit.file_count)}
              {commit.file_count > 0 && `, ${formatBytes(commit.size_bytes)}`}
            </span>
          </span>
        </span>
      </button>
      {details && <CommitDetails {...props} {...details} />}
    </li>
  );
}

function RefTag({ item }: { item: api.Ref }): React.JSX.Element {
  const Icon = item.kind === 'branch' ? branchIcon : tagIcon;
  return (
    <span className={`jp-DatalakeTag jp-mod-${item.kind}`}>
      <Icon.react tag="span" className="jp-DatalakeTag-icon" />
      {item.name}
    </span>
  );
}
