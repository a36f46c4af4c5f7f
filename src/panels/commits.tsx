/**
 * The section of history: the commits of the selected repo.
 */
import { Clipboard } from '@jupyterlab/apputils';
import { filterIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { CommitFilters, CommitSearch } from '../components/commit-filters';
import { CommitList } from '../components/commit-list';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { shortId } from '../components/formats';
import { IconButton } from '../components/icon-button';
import { RefPicker } from '../components/ref-picker';
import { mergeIcon } from '../icons';
import type { CommitsModel } from '../models/commits';
import type { RefsModel } from '../models/refs';
import type { ILakeSelection } from '../tokens';
import { ModelPanel } from './model-panel';

/** How a history is shown, beside its repo and ref. */
export interface IHistoryState {
  /** Whether the fields are there by which commits are filtered. */
  hasFilters: boolean;
  /** Whether it is a graph of all that led to the ref. */
  isGraph: boolean;
}

/** The history of a ref. */
export class CommitsPanel extends ModelPanel {
  constructor(options: CommitsPanel.IOptions) {
    super({
      ...options,
      models: [options.commits, options.refs],
      signals: [options.selection.changed]
    });
    this.addClass('jp-DatalakeCommitsPanel');
    this._options = options;
  }

  /** How the history is shown. */
  get state(): IHistoryState {
    return { hasFilters: this._hasFilters, isGraph: this._options.commits.allParents };
  }
  set state(state: IHistoryState) {
    this._hasFilters = state.hasFilters;
    this._options.commits.allParents = state.isGraph;
    this.update();
  }

  protected render(): React.JSX.Element {
    const { commits, refs, selection } = this._options;
    const { trans } = this;
    const { repo, ref } = selection;
    if (repo === null) {
      return (
        <EmptyState title={trans.__('No repo is selected.')}>
          {trans.__('Choose the history of a repo above; its commits show here.')}
        </EmptyState>
      );
    }
    return (
      <>
        <div className="jp-DatalakeCommitsPanel-top">
          <div className="jp-DatalakeCommitsPanel-header">
            <span className="jp-DatalakeRow-name" title={repo}>
              {repo}
            </span>
            <RefPicker
              value={/^[0-9a-f]{64}$/.test(ref) ? shortId(ref) : ref}
              branches={refs.branches}
              tags={refs.tags}
              trans={trans}
              onChange={chosen => selection.select(repo, chosen)}
            />
            <IconButton
              icon={mergeIcon}
              label={trans.__('Show all that was merged in, as a graph')}
              isPressed={commits.allParents}
              onClick={() => this._show({ ...this.state, isGraph: !commits.allParents })}
            />
            <IconButton
              icon={filterIcon}
              label={trans.__('Filter the commits')}
              isPressed={this._hasFilters}
              onClick={() => this._showFilters(!this._hasFilters)}
            />
          </div>
          {this._hasFilters && (
            <CommitFilters
              values={commits.filter}
              takesFocus={this._takesFocus}
              trans={trans}
              onChange={values => {
                commits.filter = values;
              }}
              onClose={() => this._showFilters(false)}
            />
          )}
          {commits.isFiltered && (
            <CommitSearch
              {...commits.looking}
              found={commits.commits.length}
              hasMore={commits.hasMore}
              trans={trans}
              onStop={() => commits.stop()}
              onGoOn={() => void commits.loadMore()}
            />
          )}
        </div>
        <ErrorBanner error={commits.error} trans={trans} onRetry={() => void commits.refresh()} />
        <CommitList
          commits={commits.commits}
          hasMore={commits.hasMore}
          isGraph={commits.allParents && !commits.isFiltered}
          selected={commits.selected?.repo === repo ? commits.selected.id : null}
          refsAt={commit => refs.at(commit)}
          detailsOf={commit => commits.detailsOf(commit)}
          trans={trans}
          onToggle={commit => commits.toggle(commit)}
          onMore={() => void commits.loadMore()}
          onMount={commit =>
            this.run(CommandIDs.openFiles, { repo: commit.repo, ref: shortId(commit.id) })
          }
          onCreateRef={(kind, commit) =>
            this.run(kind === 'branch' ? CommandIDs.createBranch : CommandIDs.createTag, {
              repo: commit.repo,
              at: commit.id
            })
          }
          onSelect={({ id }) => this.run(CommandIDs.selectForCompare, { repo, ref: id })}
          onCompare={({ id }) => this.run(CommandIDs.openComparison, { repo, new: id })}
          onRevert={({ id }) => this.run(CommandIDs.revertCommit, { repo, ref: id })}
          onPick={({ id }) => this.run(CommandIDs.cherryPick, { repo, ref: id })}
          onMerge={({ id }) => this.run(CommandIDs.mergeCommit, { repo, ref: id })}
          onReset={
            refs.branches.some(({ name }) => name === ref)
              ? ({ id }) => this.run(CommandIDs.resetRef, { repo, name: ref, to: id })
              : undefined
          }
          onCopy={text => Clipboard.copyToSystem(text)}
          onLineage={globalId => this.run(CommandIDs.openLineage, { globalId })}
          onFile={file => this.run(CommandIDs.openFile, { ...file })}
          onFileLineage={file => this.run(CommandIDs.openLineage, { ...file })}
          onJob={job => this.run(CommandIDs.openJob, { job })}
          onCommit={(input, commit) =>
            this.run(CommandIDs.openHistory, { repo: input, ref: commit })
          }
        />
      </>
    );
  }

  private _show(state: IHistoryState): void {
    this.state = state;
    this._options.onState?.(state);
  }

  /** Show the fields of the filters, or all commits without them. */
  private _showFilters(hasFilters: boolean): void {
    this._takesFocus = hasFilters;
    this._show({ ...this.state, hasFilters });
    if (!hasFilters) {
      this._options.commits.filter = { path: '', author: '', text: '' };
      this.node
        .querySelector<HTMLElement>('.jp-DatalakeCommitsPanel-header button:last-child')
        ?.focus();
    }
  }

  private readonly _options: CommitsPanel.IOptions;
  private _hasFilters = false;
  /** Whether the filters were asked for just now, and not restored. */
  private _takesFocus = false;
}

/** What a {@link CommitsPanel} is made of. */
export namespace CommitsPanel {
  export interface IOptions extends ModelPanel.IContext {
    commits: CommitsModel;
    refs: RefsModel;
    selection: ILakeSelection;
    /** Called when somebody wants it shown otherwise. */
    onState?: (state: IHistoryState) => void;
  }
}
