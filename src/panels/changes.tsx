/**
 * The section of changes: what is written to mounted branches and not yet committed.
 */
import * as React from 'react';

import type * as api from '../api/types';
import { CommandIDs } from '../commands';
import { DropTarget } from '../components/drop-target';
import { DraftNote } from '../components/draft-note';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { SessionChanges } from '../components/session-changes';
import type { Discarded } from '../dialogs/confirm';
import { confirmDiscard } from '../dialogs/confirm';
import type { MountsModel } from '../models/mounts';
import type { SessionsModel } from '../models/sessions';
import { ModelPanel } from './model-panel';

/** Changes by session, each with a commit box. */
export class ChangesPanel extends ModelPanel {
  constructor(options: ChangesPanel.IOptions) {
    super({ ...options, models: [options.sessions, options.mounts] });
    this.addClass('jp-DatalakeChangesPanel');
    this._options = options;
  }

  /** Whether changes stand below their folders. */
  get isTree(): boolean {
    return this._isTree;
  }
  set isTree(isTree: boolean) {
    this._isTree = isTree;
    this.update();
  }

  protected render(): React.JSX.Element {
    const { sessions, mounts, onDrop } = this._options;
    const { trans } = this;
    const changed = sessions.changed;
    return (
      <DropTarget
        label={trans.__('Drop to upload')}
        onDrop={transfer => onDrop(transfer, { isStaged: true })}
      >
        <ErrorBanner error={sessions.error} trans={trans} onRetry={() => void sessions.refresh()} />
        {sessions.lost.map(draft => (
          <DraftNote
            key={draft.session_id}
            draft={draft}
            error={sessions.failureOf(draft.session_id)}
            isBusy={sessions.isBusy(draft.session_id)}
            trans={trans}
            onRecover={() => this._quietly(sessions.recover(draft))}
          />
        ))}
        {sessions.isReady && changed.length === 0 && <Nothing {...this._options} />}
        {changed.map(({ session, changes, hasMore, canLoadMore, error, conflict, message }) => (
          <DropTarget
            key={session.id}
            label={trans.__('Drop to upload to %1', `${session.repo}@${session.branch}`)}
            onDrop={transfer =>
              onDrop(transfer, { repo: session.repo, branch: session.branch, isStaged: true })
            }
          >
            <SessionChanges
              session={session}
              changes={changes}
              hasMore={hasMore}
              message={message}
              error={error}
              conflict={conflict}
              isMounted={mounts.ofSession(session.id) !== undefined}
              isBusy={sessions.isBusy(session.id)}
              isTree={this._isTree}
              trans={trans}
              onTree={isTree => this._showTree(isTree)}
              onMore={canLoadMore ? () => void sessions.loadMore(session) : undefined}
              onMessage={text => sessions.setMessage(session.id, text)}
              onCommit={() => this._quietly(sessions.commit(session))}
              onOpen={path => this._openStaged(session, path)}
              onChoose={(paths, whose) => {
                const isEach = paths.length === conflict?.paths.length;
                // More conflict than are listed: what is said of all is said of those too.
                const isMore = isEach && conflict.count > paths.length;
                sessions.choose(session.id, isMore ? ['/', ...paths] : paths, whose);
              }}
              onOpenBoth={path => {
                this._openStaged(session, path);
                if (conflict) {
                  const { base, head } = conflict;
                  const { repo } = session;
                  this.run(CommandIDs.openFile, { repo, ref: head, base, path, tab: 'changes' });
                }
              }}
              onDiscard={(path, isFolder) => void this._discard(session.id, path, isFolder)}
            />
          </DropTarget>
        ))}
      </DropTarget>
    );
  }

  /** Show how a staged file differs from the commit below it. */
  private _openStaged({ id, repo, branch }: api.Session, path: string): void {
    this.run(CommandIDs.openFile, { repo, ref: branch, path, session: id });
  }

  private _showTree(isTree: boolean): void {
    this.isTree = isTree;
    this._options.onTree?.(isTree);
  }

  private async _discard(id: string, path?: string, isFolder = false): Promise<void> {
    const { sessions } = this._options;
    const one = sessions.changed.find(({ session }) => session.id === id);
    if (!one) {
      return;
    }
    let what: Discarded;
    if (path === undefined) {
      what = await sessions.total(one);
    } else {
      what = isFolder ? { folder: path } : { path };
    }
    if (await confirmDiscard(one.session, what, this.trans)) {
      this._quietly(sessions.discard(one.session, path === undefined ? undefined : [path]));
    }
  }

  /** The model keeps why an action failed, and it is shown with the session. */
  private _quietly(action: Promise<unknown>): void {
    action.catch(() => undefined);
  }

  private readonly _options: ChangesPanel.IOptions;
  private _isTree = false;
}

/** What a {@link ChangesPanel} is made of. */
export namespace ChangesPanel {
  export interface IOptions extends ModelPanel.IContext {
    sessions: SessionsModel;
    mounts: MountsModel;
    /** Takes files that are dropped, for a branch or for one that is then chosen. */
    onDrop: (
      transfer: DataTransfer,
      place: { repo?: string; branch?: string; isStaged: boolean }
    ) => void;
    /** Called when somebody asks for a tree, or for a list. */
    onTree?: (isTree: boolean) => void;
  }
}

function Nothing(props: ChangesPanel.IOptions): React.JSX.Element {
  const { mounts, trans } = props;
  const writable = mounts.mounts.find(mount => mount.is_writable);
  return (
    <EmptyState title={trans.__('Nothing to commit.')}>
      {writable
        ? trans.__('What you write below %1 shows here.', writable.contents_path ?? writable.path)
        : trans.__('Mount a repo; what you write into its folder shows here.')}
    </EmptyState>
  );
}
