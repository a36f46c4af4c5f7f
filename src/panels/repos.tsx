/**
 * The section of repos.
 */
import { searchIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { RepoList } from '../components/repo-list';
import type { MountsModel } from '../models/mounts';
import type { ReposModel } from '../models/repos';
import type { ILakeSelection } from '../tokens';
import { ModelPanel } from './model-panel';

const FEW = 200;

/** Repos with branch, last commit and mount. */
export class ReposPanel extends ModelPanel {
  constructor(options: ReposPanel.IOptions) {
    super({
      ...options,
      models: [options.repos, options.mounts],
      signals: [options.selection.changed]
    });
    this.addClass('jp-DatalakeReposPanel');
    this._options = options;
  }

  protected render(): React.JSX.Element {
    const { repos, mounts, selection } = this._options;
    const { trans } = this;
    const found = repos.found;
    return (
      <>
        {repos.repos.length > 0 && (
          <div className="jp-DatalakeSearch">
            <searchIcon.react tag="span" className="jp-DatalakeSearch-icon" />
            <input
              type="search"
              className="jp-DatalakeField"
              placeholder={trans.__('Search repos')}
              aria-label={trans.__('Search repos')}
              value={repos.search}
              onChange={event => {
                repos.search = event.target.value;
              }}
            />
          </div>
        )}
        <ErrorBanner
          error={repos.error ?? mounts.error}
          trans={trans}
          onRetry={() => {
            void repos.refresh();
            void mounts.refresh();
          }}
        />
        {repos.isReady && repos.repos.length === 0 && (
          <EmptyState
            title={trans.__('The lake holds no repos yet.')}
            action={trans.__('Create a repo')}
            onAction={() => this.run(CommandIDs.createRepo)}
          >
            {trans.__(
              'A repo holds versioned files. Mounted, it is a folder; what you write there becomes history with a commit.'
            )}
          </EmptyState>
        )}
        {repos.repos.length > 0 && found.length === 0 && (
          <EmptyState title={trans.__('No repo is found.')} />
        )}
        <RepoList
          repos={found.slice(0, FEW)}
          mountsOf={repo => mounts.of(repo)}
          pointOf={mount => mounts.pointOf(mount)}
          isBusy={repo => mounts.isBusy(repo) || repos.isBusy(repo)}
          selected={selection.repo}
          trans={trans}
          onOpen={({ name }) => {
            selection.select(name);
            this.run(CommandIDs.openFiles, { repo: name });
          }}
          onMount={({ name }) => this.run(CommandIDs.createMount, { repo: name })}
          onUnmount={({ repo, name }) => this.run(CommandIDs.deleteMount, { repo, name })}
          onSwitch={({ repo, name }) => this.run(CommandIDs.switchMount, { repo, name })}
          onOpenMount={({ repo, ref }) => this.run(CommandIDs.openFiles, { repo, ref })}
          onDrop={(transfer, { name }) => this._options.onDrop(transfer, { repo: name })}
          onHistory={({ name }) => this.run(CommandIDs.openHistory, { repo: name })}
        />
        {found.length > FEW && (
          <p className="jp-DatalakeNote">
            {trans.__('These are %1 of %2; search for the others.', FEW, found.length)}
          </p>
        )}
      </>
    );
  }

  private readonly _options: ReposPanel.IOptions;
}

/** What a {@link ReposPanel} is made of. */
export namespace ReposPanel {
  export interface IOptions extends ModelPanel.IContext {
    repos: ReposModel;
    mounts: MountsModel;
    selection: ILakeSelection;
    /** Takes files that are dropped onto a repo. */
    onDrop: (transfer: DataTransfer, place: { repo: string }) => void;
  }
}
