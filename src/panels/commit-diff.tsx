/**
 * Two versions beside each other, commits or what is staged: the files that differ, and the way to each difference.
 */
import { listIcon, refreshIcon, treeViewIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { CommandIDs } from '../commands';
import { Ago } from '../components/ago';
import { ChangeList } from '../components/change-list';
import { changedFile } from '../components/commit-details';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { refText, shortId } from '../components/formats';
import { IconButton } from '../components/icon-button';
import { stagedText, VersionPicker } from '../components/version-picker';
import { compareIcon } from '../icons';
import type { CommitDiffModel } from '../models/commit-diff';
import { ModelPanel } from './model-panel';

/** What differs between two versions of a repo. */
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
        <div className="jp-DatalakeCommitDiff-header">
          <span className="jp-DatalakeRow-name">{model.repo}</span>
          <VersionPicker
            label={trans.__('Older version')}
            value={{ ref: model.old }}
            refs={model.versions.refs}
            trans={trans}
            onChange={version => 'ref' in version && model.chooseOld(version.ref)}
          />
          <About commit={model.commits?.[0]} label={model.old} />
          <IconButton
            icon={compareIcon}
            label={trans.__('Compare the other way round')}
            isDisabled={model.staged !== null}
            onClick={() => model.swap()}
          />
          <VersionPicker
            label={trans.__('Newer version')}
            value={model.staged === null ? { ref: model.new } : { session: model.staged }}
            refs={model.versions.refs}
            sessions={model.versions.sessions}
            trans={trans}
            onChange={version => model.chooseNew(version)}
          />
          {model.staged === null ? (
            <About commit={model.commits?.[1]} label={model.new} />
          ) : (
            <IconButton
              icon={refreshIcon}
              label={trans.__('Compare again: files may have been written')}
              onClick={() => void model.refresh()}
            />
          )}
          <span className="jp-DatalakeCount" title={trans.__('Paths that differ')}>
            {count}
          </span>
          <label className="jp-DatalakeCommitDiff-renames">
            <input
              type="checkbox"
              checked={model.renames && model.staged === null}
              disabled={model.staged !== null}
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
        </div>
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
          label={trans.__('Files that differ between %1 and %2', model.old, this._newText)}
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
      const { session } = this.model;
      if (session) {
        const place = { repo, ref: session.branch, path: change.path };
        this.run(CommandIDs.openFile, { ...place, session: session.id, base: old.id });
        return;
      }
      const file = changedFile({ repo, old: old.id, now: now.id }, change);
      this.run(CommandIDs.openFile, { ...file });
    }
  }

  private get _newText(): string {
    const { session } = this.model;
    return session ? stagedText(session, this.trans) : refText(this.model.new);
  }

  private _isTree = false;
}

/** Which commit a ref expression means, and of when it is. */
function About(props: { label: string; commit: api.Commit | undefined }): React.JSX.Element | null {
  const { label, commit } = props;
  return commit ? (
    <span className="jp-DatalakeCommitDiff-version" title={commit.message}>
      {refText(label) !== shortId(commit.id) && <code>{shortId(commit.id)}</code>}
      <Ago time={commit.created_at} />
    </span>
  ) : null;
}

/** What a {@link CommitDiffPanel} is made of. */
export namespace CommitDiffPanel {
  export interface IOptions extends ModelPanel.IContext {
    model: CommitDiffModel;
  }
}
