/**
 * Two commits beside each other: the files that differ, and the way to each difference.
 */
import { listIcon, treeViewIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { CommandIDs } from '../commands';
import { Ago } from '../components/ago';
import { ChangeList } from '../components/change-list';
import { changedFile } from '../components/commit-details';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { shortId } from '../components/formats';
import { IconButton } from '../components/icon-button';
import { compareIcon } from '../icons';
import type { CommitDiffModel } from '../models/commit-diff';
import { ModelPanel } from './model-panel';
import { refText } from './file-view';

/** What differs between two commits. */
export class CommitDiffPanel extends ModelPanel {
  constructor(options: CommitDiffPanel.IOptions) {
    super({ ...options, models: [options.model] });
    this.addClass('jp-DatalakeCommitDiff');
    this.model = options.model;
    this.disposed.connect(() => options.model.dispose());
  }

  readonly model: CommitDiffModel;

  protected render(): React.JSX.Element {
    const { model, trans } = this;
    const count = `${model.changes.length.toLocaleString()}${model.hasMore ? '+' : ''}`;
    return (
      <>
        <header className="jp-DatalakeCommitDiff-header">
          <span className="jp-DatalakeRow-name">{model.repo}</span>
          <Version label={model.old} commit={model.commits?.[0]} />
          <IconButton
            icon={compareIcon}
            label={trans.__('Compare the other way round')}
            onClick={() => model.swap()}
          />
          <Version label={model.new} commit={model.commits?.[1]} />
          <span className="jp-DatalakeCount" title={trans.__('Paths that differ')}>
            {count}
          </span>
          <label className="jp-DatalakeCommitDiff-renames">
            <input
              type="checkbox"
              checked={model.renames}
              onChange={event => {
                model.renames = event.target.checked;
              }}
            />
            {trans.__('Find renames')}
          </label>
          <IconButton
            icon={this._isTree ? listIcon : treeViewIcon}
            label={
              this._isTree ? trans.__('Show changes as a list') : trans.__('Show changes as a tree')
            }
            onClick={() => {
              this._isTree = !this._isTree;
              this.update();
            }}
          />
        </header>
        <ErrorBanner error={model.error} trans={trans} onRetry={() => void model.refresh()} />
        {!model.isReady && model.error === null && (
          <p className="jp-DatalakeNote" role="status">
            {trans.__('Comparing…')}
          </p>
        )}
        {model.isReady && model.changes.length === 0 && (
          <EmptyState title={trans.__('No file differs.')} />
        )}
        <ChangeList
          changes={model.changes}
          hasMore={model.hasMore}
          label={trans.__('Files that differ between %1 and %2', model.old, model.new)}
          trans={trans}
          isTree={this._isTree}
          onMore={() => void model.loadMore()}
          onOpen={change => this._open(change)}
        />
      </>
    );
  }

  private _open(change: api.Change): void {
    const { repo, commits } = this.model;
    if (commits) {
      const [old, now] = commits;
      const file = changedFile({ repo, old: old.id, now: now.id }, change);
      this.run(CommandIDs.openFile, { ...file });
    }
  }

  private _isTree = false;
}

function Version(props: { label: string; commit: api.Commit | undefined }): React.JSX.Element {
  const { label, commit } = props;
  const text = refText(label);
  return (
    <span className="jp-DatalakeCommitDiff-version" title={commit?.message}>
      <code>{text}</code>
      {commit && text !== shortId(commit.id) && <code>{shortId(commit.id)}</code>}
      {commit && <Ago time={commit.created_at} />}
    </span>
  );
}

/** What a {@link CommitDiffPanel} is made of. */
export namespace CommitDiffPanel {
  export interface IOptions extends ModelPanel.IContext {
    model: CommitDiffModel;
  }
}
