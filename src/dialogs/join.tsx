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
import { shortId } from '../components/formats';
import type { JoinModel } from '../models/joining';
import { ActingDialog, runFollowing } from './acting-dialog';

const BRANCH_FIELD = 'jp-datalake-join-branch';
const PARENT_FIELD = 'jp-datalake-join-parent';
const MESSAGE_FIELD = 'jp-datalake-join-message';

/** Show what would become of it, and do it; return null if it was not done. */
export function showJoin(
  model: JoinModel,
  branches: readonly string[],
  trans: TranslationBundle
): Promise<api.MergeReport | null> {
  const [title, accept] = words(model, trans);
  const body = new JoinBody(model, branches, trans);
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
          <span>{trans.__('On branch')}</span>
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
          <Report model={model} report={model.report} trans={trans} />
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

function Report(props: {
  model: JoinModel;
  report: api.MergeReport;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { model, report, trans } = props;
  const { branch, commit } = model;
  return (
    <>
      <p className="jp-DatalakeNote" role="status">
        {summary(report, branch, trans)}
      </p>
      {report.conflicts.length > 0 && (
        <ConflictList
          paths={report.conflicts.map(({ path }) => path)}
          choices={model.choices}
          sides={{
            mine: branch,
            theirs: model.kind === 'revert' ? trans.__('before it') : shortId(commit.id).slice(0, 8)
          }}
          trans={trans}
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
