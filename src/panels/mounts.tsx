/**
 * The section of mounts: every mount point with what it shows, and sessions that no mount shows.
 */
import * as React from 'react';

import type * as api from '../api/types';
import { CommandIDs } from '../commands';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { MountList } from '../components/mount-list';
import { confirm } from '../dialogs/confirm';
import type { MountsModel } from '../models/mounts';
import { asLakeError } from '../models/refreshing';
import type { SessionsModel } from '../models/sessions';
import { ModelPanel } from './model-panel';

/** Mounts, sessions and drafts. */
export class MountsPanel extends ModelPanel {
  constructor(options: MountsPanel.IOptions) {
    super({ ...options, models: [options.mounts, options.sessions] });
    this.addClass('jp-DatalakeMountsPanel');
    this._options = options;
  }

  protected render(): React.JSX.Element {
    const { mounts, sessions } = this._options;
    const { trans } = this;
    const loose = sessions.sessions.filter(({ id }) => mounts.ofSession(id) === undefined);
    const isEmpty = mounts.points.length + loose.length + sessions.lost.length === 0;
    return (
      <>
        <ErrorBanner
          error={this._error ?? mounts.error}
          trans={trans}
          onRetry={() => {
            this._error = null;
            void mounts.refresh();
          }}
        />
        {mounts.isReady && isEmpty && (
          <EmptyState title={trans.__('Nothing is mounted.')}>
            {trans.__('A repo that is mounted is a folder; its branch can be written to.')}
          </EmptyState>
        )}
        <MountList
          points={mounts.points}
          mounts={mounts.mounts}
          loose={loose}
          lost={sessions.lost}
          countOf={session => sessions.countOf(session)}
          isBusy={key => mounts.isBusy(key) || sessions.isBusy(key)}
          trans={trans}
          onOpen={({ repo, ref }) => this.run(CommandIDs.openFiles, { repo, ref })}
          onSwitch={({ repo, name }) => this.run(CommandIDs.switchMount, { repo, name })}
          onUnmount={({ repo, name }) => this.run(CommandIDs.deleteMount, { repo, name })}
          onRemount={mount => void this._do(() => mounts.remount(mount))}
          onMount={({ repo, branch }) =>
            this.run(CommandIDs.createMount, { repo, ref: branch, writable: true })
          }
          onDelete={session => void this._delete(session)}
          onRecover={draft => void this._do(() => sessions.recover(draft))}
        />
      </>
    );
  }

  private async _delete(session: api.Session): Promise<void> {
    const { sessions } = this._options;
    const { trans } = this;
    const { count, hasMore } = sessions.countOf(session.id);
    const address = `${session.repo}@${session.branch}`;
    const text =
      count === 0
        ? trans.__('Nothing is staged in it.')
        : hasMore
          ? trans.__('More than %1 changes in %2 will be lost.', count, address)
          : trans._n(
              '%1 change in %2 will be lost.',
              '%1 changes in %2 will be lost.',
              count,
              address
            );
    if (await confirm(trans.__('Delete the Session'), text, trans.__('Delete'), trans)) {
      await this._do(() => sessions.delete(session));
    }
  }

  /** Do something, and show here why it failed. */
  private async _do(action: () => Promise<unknown>): Promise<void> {
    this._error = null;
    try {
      await action();
    } catch (reason) {
      this._error = asLakeError(reason);
    }
    this.update();
  }

  private readonly _options: MountsPanel.IOptions;
  private _error: api.Error | null = null;
}

/** What a {@link MountsPanel} is made of. */
export namespace MountsPanel {
  export interface IOptions extends ModelPanel.IContext {
    mounts: MountsModel;
    sessions: SessionsModel;
  }
}
