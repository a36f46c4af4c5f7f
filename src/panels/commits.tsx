/**
 * The section of history: the commits of the selected repo.
 */
import { Clipboard } from '@jupyterlab/apputils';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { CommitList } from '../components/commit-list';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { shortId } from '../components/formats';
import { RefPicker } from '../components/ref-picker';
import type { CommitsModel } from '../models/commits';
import type { RefsModel } from '../models/refs';
import type { ILakeSelection } from '../tokens';
import { ModelPanel } from './model-panel';

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
        </div>
        <ErrorBanner error={commits.error} trans={trans} onRetry={() => void commits.refresh()} />
        <CommitList
          commits={commits.commits}
          hasMore={commits.hasMore}
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

  private readonly _options: CommitsPanel.IOptions;
}

/** What a {@link CommitsPanel} is made of. */
export namespace CommitsPanel {
  export interface IOptions extends ModelPanel.IContext {
    commits: CommitsModel;
    refs: RefsModel;
    selection: ILakeSelection;
  }
}
