/**
 * Reverting, cherry-picking or merging a commit: what would change, what conflicts, and doing it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { ChangeList } from '../components/change-list';
import { ConflictList } from '../components/conflict-list';
import { ErrorBanner } from '../components/error-banner';
import { formatBytes, shortId } from '../components/formats';
import { SidesContext } from '../components/sides';
import type { JoinModel } from '../models/joining';
import { asLakeError } from '../models/refreshing';
import type { BothVersions, IBothVersionsProps } from './both-versions';
import { ActingDialog, runFollowing } from './acting-dialog';

const BRANCH_FIELD = 'jp-datalake-join-branch';
const PARENT_FIELD = 'jp-datalake-join-parent';
const MESSAGE_FIELD = 'jp-datalake-join-message';

/** Loads what compares two versions of a file. */
export type LoadVersions = () => Promise<{ BothVersions: typeof BothVersions }>;

/** Show what would become of it, and do it; return null if it was not done. */
export function showJoin(
  model: JoinModel,
  branches: readonly string[],
  loadVersions: LoadVersions,
  trans: TranslationBundle
): Promise<api.MergeReport | null> {
  const [title, accept] = words(model, trans);
  const body = new JoinBody(model, branches, loadVersions, trans);
  const dialog = new ActingDialog<api.MergeReport>({
    title,
    accept,
    body,
    focus: 'select',
    trans,
    act: () => model.act()
  });
  dialog.addClass('jp-DatalakeJoinDialog');
  const follow = () => dialog.setReady(model.isReady);
  return runFollowing(dialog, model, follow, () => {
    void model.look(); // the body says meanwhile that it is looked
  });
}

/** Return the title and the label of the button. */
function words({ kind, commit }: JoinModel, trans: TranslationBundle): [string, string] {
  switch (kind) {
    case 'merge':
      return [trans.__('Merge %1', shortId(commit.id)), trans.__('Merge')];
    case 'revert':
      return [trans.__('Revert %1', shortId(commit.id)), trans.__('Revert')];
    case 'pick':
      return [trans.__('Cherry-Pick %1', shortId(commit.id)), trans.__('Cherry-pick')];
  }
}

class JoinBody extends ReactWidget {
  constructor(
    private readonly _model: JoinModel,
    private readonly _branches: readonly string[],
    private readonly _loadVersions: LoadVersions,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-DatalakeForm');
    _model.stateChanged.connect(this.update, this);
  }

  protected render(): React.JSX.Element {
    const model = this._model;
    const trans = this._trans;
    return (
      <>
        <p className="jp-DatalakeJoin-commit">{model.commit.message.split('\n')[0]}</p>
        <label className="jp-DatalakeJoin-field" htmlFor={BRANCH_FIELD}>
          <span>{model.kind === 'merge' ? trans.__('Into branch') : trans.__('On branch')}</span>
          <select
            id={BRANCH_FIELD}
            className="jp-DatalakeField"
            value={model.branch}
            onChange={event => {
              model.branch = event.target.value;
            }}
          >
            {this._branches.map(name => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        {model.needsParent && (
          <label className="jp-DatalakeJoin-field" htmlFor={PARENT_FIELD}>
            <span>{trans.__('Compared with parent')}</span>
            <select
              id={PARENT_FIELD}
              className="jp-DatalakeField"
              value={model.parent}
              onChange={event => {
                model.parent = Number(event.target.value);
              }}
            >
              {model.commit.parents.map((parent, position) => (
                <option key={parent} value={position + 1}>
                  {`${position + 1}: ${shortId(parent)}`}
                </option>
              ))}
            </select>
          </label>
        )}
        <label className="jp-DatalakeJoin-field" htmlFor={MESSAGE_FIELD}>
          <span>{trans.__('Message')}</span>
          <input
            id={MESSAGE_FIELD}
            className="jp-DatalakeField"
            placeholder={
              model.kind === 'pick'
                ? model.commit.message.split('\n')[0]
                : trans.__('One that names the commit')
            }
            defaultValue={model.message}
            onChange={event => {
              model.message = event.target.value;
            }}
          />
        </label>
        <ErrorBanner error={model.error} trans={trans} onRetry={() => void model.look()} />
        {model.report ? (
          <Report
            model={model}
            report={model.report}
            loadVersions={this._loadVersions}
            trans={trans}
          />
        ) : (
          model.error === null && (
            <p className="jp-DatalakeNote" role="status">
              {trans.__('Looking what would change…')}
            </p>
          )
        )}
      </>
    );
  }
}

interface IReportProps {
  model: JoinModel;
  report: api.MergeReport;
  loadVersions: LoadVersions;
  trans: TranslationBundle;
}

function Report(props: IReportProps): React.JSX.Element {
  const { model, report, trans } = props;
  const { branch } = model;
  const theirs = theirSide(model, trans);
  return (
    <>
      {(report.changes.length > 0 || report.conflicts.length === 0) && (
        <p className="jp-DatalakeNote" role="status">
          {summary(report, branch, trans)}
        </p>
      )}
      {report.conflicts.length > 0 && (
        <ConflictList
          paths={report.conflicts.map(({ path }) => path)}
          choices={model.choices}
          sides={{ mine: branch, theirs }}
          trans={trans}
          renderVersions={path => <Versions {...props} path={path} />}
          onChoose={(paths, side) => model.choose(paths, side)}
        />
      )}
      {report.conflicts.length < report.conflict_count && (
        <p className="jp-DatalakeNote">
          {trans.__(
            'There are %1 conflicts, more than can be decided here one by one. The command line and Python decide folders at once.',
            report.conflict_count
          )}
        </p>
      )}
      {report.changes.length > 0 && (
        <div className="jp-DatalakeJoin-changes">
          <ChangeList
            changes={report.changes}
            hasMore={report.has_more}
            label={trans.__('What would change on %1', branch)}
            trans={trans}
          />
        </div>
      )}
    </>
  );
}

/** Return what the version is called that is taken over. */
function theirSide({ kind, commit }: JoinModel, trans: TranslationBundle): string {
  return kind === 'revert' ? trans.__('before it') : shortId(commit.id).slice(0, 8);
}

/** Both versions of a path: compared where both are files, and else what each is. */
function Versions(props: IReportProps & { path: string }): React.JSX.Element | null {
  const { model, report, loadVersions, path, trans } = props;
  const conflict = report.conflicts.find(one => one.path === path);
  if (!conflict) {
    return null;
  }
  const mine = model.branch;
  const theirs = theirSide(model, trans);
  if (conflict.ours?.kind !== 'file' || conflict.theirs?.kind !== 'file') {
    return (
      <ul>
        <li>{versionText(mine, conflict.ours, trans)}</li>
        <li>{versionText(theirs, conflict.theirs, trans)}</li>
      </ul>
    );
  }
  return (
    <>
      <p className="jp-DatalakeNote">{trans.__('From %1 to %2:', mine, theirs)}</p>
      <SidesContext.Provider value={[mine, theirs]}>
        <Loaded
          load={loadVersions}
          client={model.client}
          repo={model.commit.repo}
          path={path}
          old={report.ours_commit_id}
          new={report.theirs_commit_id}
          trans={trans}
        />
      </SidesContext.Provider>
    </>
  );
}

/** The comparison, once it is loaded. */
function Loaded({
  load,
  ...props
}: IBothVersionsProps & { load: LoadVersions }): React.JSX.Element | null {
  const [Shown, setShown] = React.useState<typeof BothVersions | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  const ask = React.useCallback(() => {
    setError(null);
    load().then(({ BothVersions: loaded }) => setShown(() => loaded), setError);
  }, [load]);
  React.useEffect(ask, [ask]);
  if (error !== null) {
    return <ErrorBanner error={asLakeError(error)} trans={props.trans} onRetry={ask} />;
  }
  return Shown && <Shown {...props} />;
}

function versionText(side: string, file: api.File | null, trans: TranslationBundle): string {
  switch (file?.kind) {
    case undefined:
      return trans.__('%1 has removed it.', side);
    case 'folder':
      return trans.__('%1 has a folder there.', side);
    case 'symlink':
      return trans.__('%1 has a link to %2.', side, file?.target ?? '');
    case 'file':
      return trans.__('%1 has a file of %2.', side, formatBytes(file?.size_bytes ?? 0));
  }
}

function summary(report: api.MergeReport, branch: string, trans: TranslationBundle): string {
  const count = report.changes.length;
  switch (report.outcome) {
    case 'up-to-date':
      return trans.__('%1 has all of this already: there is nothing to do.', branch);
    case 'fast-forward':
      return trans.__('%1 has nothing of its own and just moves on.', branch);
    case 'merged':
    case 'conflicts':
      return report.has_more
        ? trans.__('More than %1 paths change on %2.', count, branch)
        : trans._n('%1 path changes on %2.', '%1 paths change on %2.', count, branch);
  }
}
