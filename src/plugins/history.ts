/**
 * Commands on the commits of a history: compare, revert, cherry-pick, merge, reset.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, Notification, WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { undoIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { getCommit } from '../api/commits';
import { listRefs, resetRef, undoRef } from '../api/refs';
import { listSessions } from '../api/sessions';
import type * as api from '../api/types';
import { ARGUMENTS, CommandIDs } from '../commands';
import { refText, shortId } from '../components/formats';
import { confirm } from '../dialogs/confirm';
import { showJoin } from '../dialogs/join';
import { confirmReset, effectOf } from '../dialogs/reset';
import { compareIcon, mergeIcon, pickIcon, resetIcon } from '../icons';
import type { CommitsModel } from '../models/commits';
import type { JoinKind } from '../models/joining';
import { JoinModel } from '../models/joining';
import { loadAll } from '../models/paging';
import { asLakeError } from '../models/refreshing';
import { DEFAULT_BRANCH } from '../models/selection';
import type { CommitDiffPanel } from '../panels/commit-diff';
import type { ILake, ILakeSelection } from '../tokens';
import { refOf, repoOf, textOf } from './arguments';
import { importScreen, loadScreen } from './loading';
import { attempt, tellBriefly } from './reporting';
import { showInMain } from './showing';

/** What the commands work on. */
export interface IHistoryCommandOptions {
  app: JupyterFrontEnd;
  lake: ILake;
  commits: CommitsModel;
  selection: ILakeSelection;
  trans: TranslationBundle;
}

type Args = ReadonlyPartialJSONObject;

/** A commit, by a ref expression. */
interface IPlace {
  repo: string;
  ref: string;
}

/** Add the commands on the commits of a history. */
export function addHistoryCommands(options: IHistoryCommandOptions): void {
  const { app, commits, selection, trans } = options;
  /** The commit that is meant: named, under a context menu, or the one that is shown. */
  const meant = (args: Args): IPlace | null => {
    const repo = repoOf(args, app) ?? selection.repo;
    return repo === null ? null : { repo, ref: refOf(args, app) ?? selection.ref };
  };
  addComparison(options, meant);
  app.commands.addCommand(CommandIDs.selectForCompare, {
    label: trans.__('Select for Compare'),
    icon: compareIcon,
    describedBy: ARGUMENTS[CommandIDs.selectForCompare],
    isEnabled: args => meant(args) !== null,
    execute: async args => {
      const place = meant(args);
      const commit = place && (await commitAt(options, place));
      if (commit) {
        commits.select(commit.repo, commit.id);
      }
    }
  });
  const joins: [string, JoinKind, string, typeof undoIcon][] = [
    [CommandIDs.revertCommit, 'revert', trans.__('Revert…'), undoIcon],
    [CommandIDs.cherryPick, 'pick', trans.__('Cherry-Pick onto a Branch…'), pickIcon],
    [CommandIDs.mergeCommit, 'merge', trans.__('Merge into a Branch…'), mergeIcon]
  ];
  for (const [id, kind, label, icon] of joins) {
    app.commands.addCommand(id, {
      label,
      icon,
      describedBy: ARGUMENTS[id],
      isEnabled: args => meant(args) !== null,
      execute: async args => {
        const place = meant(args);
        return place ? join(options, kind, place, textOf(args, 'branch')) : null;
      }
    });
  }
  app.commands.addCommand(CommandIDs.resetRef, {
    label: trans.__('Reset the Branch to Here…'),
    icon: resetIcon,
    describedBy: ARGUMENTS[CommandIDs.resetRef],
    isEnabled: args => meant(args) !== null,
    execute: async args => {
      const to = textOf(args, 'to');
      const place = to === undefined ? meant(args) : { repo: repoOf(args, app), ref: to };
      if (place?.repo) {
        const branch = textOf(args, 'name') ?? selection.ref;
        await reset(options, { repo: place.repo, ref: place.ref }, branch);
      }
    }
  });
  app.commands.addCommand(CommandIDs.undoRef, {
    label: trans.__('Undo the Last Move of a Branch or Tag'),
    icon: undoIcon,
    describedBy: ARGUMENTS[CommandIDs.undoRef],
    execute: async args => {
      const [repo, name] = [textOf(args, 'repo'), textOf(args, 'name')];
      if (repo !== undefined && name !== undefined) {
        const act = (force: boolean) => undoRef(options.lake.client, repo, name, { force });
        await evenIfInUse(`${repo}@${name}`, trans.__('Undo all the same'), trans, act);
      }
    }
  });
}

function addComparison(
  { app, lake, commits, selection, trans }: IHistoryCommandOptions,
  meant: (args: Args) => IPlace | null
): void {
  const { commands, shell } = app;
  const tracker = new WidgetTracker<MainAreaWidget<CommitDiffPanel>>({
    namespace: 'datalake-commits'
  });
  commands.addCommand(CommandIDs.openComparison, {
    label: args => {
      if (args.withStaged === true) {
        return trans.__('Compare with What Is Staged');
      }
      return args.withHead === true
        ? trans.__('Compare with Branch Head')
        : trans.__('Compare with Selected');
    },
    icon: compareIcon,
    describedBy: ARGUMENTS[CommandIDs.openComparison],
    isEnabled: args => {
      const repo = meant(args)?.repo;
      const isPlaced = [args.withHead, args.withStaged].includes(true) || 'old' in args;
      return isPlaced || commits.selected?.repo === repo;
    },
    execute: async args => {
      const place = meant(args);
      const isToHere = args.withHead === true || args.withStaged === true;
      const [old, now] = isToHere
        ? [place?.ref, selection.ref]
        : [textOf(args, 'old') ?? commits.selected?.id, textOf(args, 'new') ?? place?.ref];
      if (!place || old === undefined || now === undefined) {
        return;
      }
      let session = textOf(args, 'session');
      if (args.withStaged === true && session === undefined) {
        session = await stagedIn({ lake, trans }, place.repo, selection.ref);
        if (session === undefined) {
          return;
        }
      }
      const screen = await loadScreen(trans, () => import('../screens/commit-diff'));
      if (!screen) {
        return;
      }
      const id = `datalake-commits-${place.repo}@${old}..${session ?? now}`;
      let widget = tracker.find(one => one.id === id);
      if (!widget) {
        const { CommitDiffModel, CommitDiffPanel } = screen;
        const model = new CommitDiffModel({ lake, repo: place.repo, old, new: now, session });
        widget = new MainAreaWidget({ content: new CommitDiffPanel({ commands, trans, model }) });
        widget.id = id;
        widget.title.icon = compareIcon;
        const { title } = widget;
        const entitle = () => {
          const to = model.staged === null ? refText(model.new) : trans.__('staged');
          title.label = `${refText(model.old)} → ${to}`;
          title.caption = `${place.repo}: ${refText(model.old)} → ${to}`;
        };
        entitle();
        model.stateChanged.connect(entitle);
        await tracker.add(widget);
      }
      showInMain(shell, widget);
    }
  });
}

/** Return the session of a repo in which something may be staged, that of a branch first. */
async function stagedIn(
  { lake, trans }: Pick<IHistoryCommandOptions, 'lake' | 'trans'>,
  repo: string,
  branch: string
): Promise<string | undefined> {
  const found = await attempt(trans, () => listSessions(lake.client, { repo }));
  const sessions = found?.results ?? [];
  const session = sessions.find(one => one.branch === branch) ?? sessions[0];
  if (found && !session) {
    tellBriefly(trans.__('No branch of %1 is mounted to be written to.', repo));
  }
  return session?.id;
}

function commitAt(
  { lake, trans }: IHistoryCommandOptions,
  { repo, ref }: IPlace
): Promise<api.Commit | null> {
  return attempt(trans, () => getCommit(lake.client, repo, ref));
}

async function join(
  options: IHistoryCommandOptions,
  kind: JoinKind,
  place: IPlace,
  wanted: string | undefined
): Promise<api.MergeReport | null> {
  const { lake, selection, trans } = options;
  const { client } = lake;
  const commit = await commitAt(options, place);
  const branches = commit && (await branchesOf(options, place.repo));
  if (!commit || !branches) {
    return null;
  }
  const branch = targetOf(kind, branches, selection.ref, wanted);
  const model = new JoinModel({ client, kind, commit, branch });
  const loadVersions = () => importScreen(trans, () => import('../screens/file'));
  const report = await showJoin(model, branches, loadVersions, trans);
  if (report?.commit) {
    tell(
      options,
      { repo: place.repo, ref: model.branch },
      trans.__('%1 is at %2 now.', `${place.repo}@${model.branch}`, shortId(report.commit.id))
    );
  }
  return report;
}

/**
 * Return the branch that a dialog begins with: unless one is wanted, that which is looked at for a
 * revert, and another for what it has already.
 */
export function targetOf(
  kind: JoinKind,
  branches: readonly string[],
  shown: string,
  wanted?: string
): string {
  const others = kind === 'revert' ? branches : branches.filter(name => name !== shown);
  const [first = DEFAULT_BRANCH] = others;
  const isThere = (name: string): boolean => others.includes(name);
  const wished = wanted !== undefined && branches.includes(wanted) ? wanted : undefined;
  return wished ?? [shown, DEFAULT_BRANCH].find(isThere) ?? first;
}

async function branchesOf(
  { lake, trans }: IHistoryCommandOptions,
  repo: string
): Promise<string[] | null> {
  const refs = await attempt(trans, () =>
    loadAll((after, limit) => listRefs(lake.client, repo, { kind: 'branch', after, limit }))
  );
  return refs && refs.map(({ name }) => name);
}

async function reset(
  options: IHistoryCommandOptions,
  { repo, ref }: IPlace,
  branch: string
): Promise<void> {
  const { lake, trans } = options;
  const { client } = lake;
  const commit = await commitAt(options, { repo, ref });
  const effect = commit && (await attempt(trans, () => effectOf(client, repo, branch, commit.id)));
  if (!commit || !effect) {
    return;
  }
  const target = { repo, branch, to: commit.id };
  if (!(await confirmReset(target, effect, trans))) {
    return;
  }
  const act = (force: boolean) => resetRef(client, repo, branch, { to: commit.id, force });
  const moved = await evenIfInUse(`${repo}@${branch}`, trans.__('Reset all the same'), trans, act);
  if (moved) {
    tell(
      options,
      { repo, ref: branch },
      trans.__('%1 was reset to %2.', `${repo}@${branch}`, shortId(commit.id))
    );
  }
}

/** Move a branch; where a session or a job depends on it, only after it was asked. */
async function evenIfInUse<T>(
  branch: string,
  acceptLabel: string,
  trans: TranslationBundle,
  act: (force: boolean) => Promise<T>
): Promise<T | null> {
  return attempt(trans, async () => {
    try {
      return await act(false);
    } catch (reason) {
      const error = asLakeError(reason);
      if (error.kind !== 'in-use') {
        throw reason;
      }
      const isSure = await confirm(
        trans.__('%1 is in use', branch),
        error.message,
        acceptLabel,
        trans
      );
      return isSure ? act(true) : null;
    }
  });
}

/** Say that a branch moved, with a way back. */
function tell({ app, trans }: IHistoryCommandOptions, { repo, ref }: IPlace, text: string): void {
  Notification.success(text, {
    autoClose: 10_000,
    actions: [
      {
        label: trans.__('Undo'),
        callback: () => void app.commands.execute(CommandIDs.undoRef, { repo, name: ref })
      }
    ]
  });
}
