/**
 * What is staged in one session, and committing it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { deleteIcon, listIcon, treeViewIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { branchIcon } from '../icons';
import { ChangeList } from './change-list';
import type { IConflictListProps } from './conflict-list';
import { ConflictList } from './conflict-list';
import { ErrorBanner } from './error-banner';
import type { IFailure } from './errors';
import { IconButton } from './icon-button';

/** Paths that others changed too. */
export type ISessionConflictProps = Pick<IConflictListProps, 'paths' | 'count' | 'choices'>;

/** What {@link SessionChanges} shows and does. */
export interface ISessionChangesProps {
  session: api.Session;
  changes: readonly api.Change[];
  hasMore: boolean;
  message: string;
  error: IFailure | null;
  /** The paths that others changed too, once a commit was refused for them. */
  conflict: ISessionConflictProps | null;
  isMounted: boolean;
  isBusy: boolean;
  /** Whether changes stand below their folders. */
  isTree: boolean;
  trans: TranslationBundle;
  onMessage: (message: string) => void;
  onCommit: () => void;
  onTree: (isTree: boolean) => void;
  /** Drop the change of a path, all below a folder, or all there are. */
  onDiscard: (path?: string, isFolder?: boolean) => void;
  /** Where more changes can be loaded. */
  onMore?: () => void;
  /** Show how a staged file differs from the commit below it. */
  onOpen: (path: string) => void;
  /** Say whose version of some paths is committed. */
  onChoose: IConflictListProps['onChoose'];
  /** Show what the session and what others made of a path. */
  onOpenBoth: (path: string) => void;
}

/** One group of changes with its commit box. */
export function SessionChanges(props: ISessionChangesProps): React.JSX.Element {
  const { session, changes, trans } = props;
  const branch = `${session.repo}@${session.branch}`;
  const address = session.name === null ? branch : `${branch}+${session.name}`;
  const { conflict } = props;
  const isDecided = conflict?.paths.every(path => conflict.choices.has(path)) ?? true;
  const canCommit = !props.isBusy && isDecided && changes.length > 0 && props.message.trim() !== '';
  const commit = () => {
    if (canCommit) {
      props.onCommit();
    }
  };
  return (
    <section className="jp-DatalakeSessionChanges" aria-label={trans.__('Changes in %1', address)}>
      <header className="jp-DatalakeSessionChanges-header">
        <branchIcon.react tag="span" className="jp-DatalakeRow-icon" />
        <span className="jp-DatalakeRow-name" title={session.notebook ?? undefined}>
          {address}
        </span>
        {!props.isMounted && (
          <span className="jp-DatalakeTag" title={trans.__('Mount the repo to go on with it')}>
            {trans.__('not mounted')}
          </span>
        )}
        <span className="jp-DatalakeCount">
          {changes.length}
          {props.hasMore && '+'}
        </span>
        <IconButton
          icon={props.isTree ? listIcon : treeViewIcon}
          label={
            props.isTree ? trans.__('Show changes as a list') : trans.__('Show changes as a tree')
          }
          onClick={() => props.onTree(!props.isTree)}
        />
        <IconButton
          icon={deleteIcon}
          label={trans.__('Discard all changes in %1', address)}
          isDisabled={props.isBusy}
          onClick={() => props.onDiscard()}
        />
      </header>
      <ChangeList
        changes={changes}
        hasMore={props.hasMore}
        label={trans.__('Changed files of %1', address)}
        trans={trans}
        isTree={props.isTree}
        onDiscard={props.onDiscard}
        onMore={props.onMore}
        onOpen={change => props.onOpen(change.path)}
      />
      {conflict ? (
        <ConflictList
          {...conflict}
          sides={{ mine: trans.__('Mine'), theirs: trans.__('Theirs') }}
          trans={trans}
          onChoose={props.onChoose}
          onOpen={props.onOpenBoth}
        />
      ) : (
        <ErrorBanner error={props.error} trans={trans} />
      )}
      <div className="jp-DatalakeCommitBox">
        <textarea
          className="jp-DatalakeField"
          rows={2}
          placeholder={trans.__('Message (Ctrl+Enter to commit)')}
          aria-label={trans.__('Commit message for %1', address)}
          value={props.message}
          onChange={event => props.onMessage(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              commit();
            }
          }}
        />
        <button
          type="button"
          className="jp-DatalakeButton jp-mod-styled jp-mod-accept"
          disabled={!canCommit}
          title={
            props.message.trim() === '' ? trans.__('Say in a message what changed') : undefined
          }
          onClick={commit}
        >
          {props.isBusy ? trans.__('Committing…') : trans.__('Commit')}
        </button>
      </div>
    </section>
  );
}
