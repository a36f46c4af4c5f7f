/**
 * Commands on repos, their mounts and their refs.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import { addIcon, deleteIcon, editIcon, folderIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type * as api from '../api/types';
import { ARGUMENTS, CommandIDs } from '../commands';
import { confirm } from '../dialogs/confirm';
import { showCreateRef } from '../dialogs/create-ref';
import { showCreateRepo, showDescribeRepo } from '../dialogs/create-repo';
import { showSwitchMount } from '../dialogs/switch-mount';
import { branchIcon, mountIcon, tagIcon, unmountIcon } from '../icons';
import type { MountsModel } from '../models/mounts';
import type { RefsModel } from '../models/refs';
import type { ReposModel } from '../models/repos';
import { DEFAULT_BRANCH } from '../models/selection';
import type { SessionsModel } from '../models/sessions';
import type { ILakeSelection } from '../tokens';
import { refOf, repoOf, textOf } from './arguments';
import { attempt, tellBriefly } from './reporting';

/** What the commands work on. */
export interface IRepoCommandOptions {
  app: JupyterFrontEnd;
  repos: ReposModel;
  mounts: MountsModel;
  refs: RefsModel;
  sessions: SessionsModel;
  selection: ILakeSelection;
  trans: TranslationBundle;
}

type Args = ReadonlyPartialJSONObject;

/** Add the commands on repos, mounts and refs. */
export function addRepoCommands(options: IRepoCommandOptions): void {
  const { app, repos, mounts, refs, selection, trans } = options;
  const { commands } = app;
  /** The repo that is meant: named, under a context menu, or selected. */
  const meant = (args: Args): string | null => repoOf(args, app) ?? selection.repo;
  const mountOf = (args: Args): api.Mount | undefined => {
    const name = textOf(args, 'name');
    const repo = meant(args);
    return name === undefined
      ? mounts.of(repo ?? '')[0]
      : mounts.mounts.find(mount => mount.name === name);
  };

  commands.addCommand(CommandIDs.createRepo, {
    label: trans.__('Create a Repo…'),
    caption: trans.__('Create a repo: a folder with versions'),
    icon: addIcon,
    describedBy: ARGUMENTS[CommandIDs.createRepo],
    execute: async args => {
      const name = textOf(args, 'name');
      const repo =
        name === undefined
          ? await showCreateRepo(trans, (chosen, description) => repos.create(chosen, description))
          : await attempt(trans, () => repos.create(name, textOf(args, 'description') ?? ''));
      if (repo) {
        selection.select(repo.name);
      }
      return repo?.name ?? null;
    }
  });
  commands.addCommand(CommandIDs.updateRepo, {
    label: trans.__('Describe Repo…'),
    caption: trans.__('Change what is said of a repo'),
    icon: editIcon,
    describedBy: ARGUMENTS[CommandIDs.updateRepo],
    isEnabled: args => meant(args) !== null,
    execute: async args => {
      const repo = meant(args);
      const description = textOf(args, 'description');
      if (repo === null) {
        return;
      }
      if (description === undefined) {
        const now = repos.get(repo)?.description ?? '';
        await showDescribeRepo(repo, now, trans, chosen => repos.describe(repo, chosen));
      } else {
        await attempt(trans, () => repos.describe(repo, description));
      }
    }
  });
  commands.addCommand(CommandIDs.deleteRepo, {
    label: trans.__('Delete Repo…'),
    icon: deleteIcon,
    describedBy: ARGUMENTS[CommandIDs.deleteRepo],
    isEnabled: args => meant(args) !== null,
    execute: async args => {
      const repo = meant(args);
      const isSure =
        repo !== null &&
        (await confirm(
          trans.__('Delete %1', repo),
          trans.__('The repo %1 is removed with its whole history. This cannot be undone.', repo),
          trans.__('Delete'),
          trans
        ));
      if (isSure) {
        await attempt(trans, () => repos.delete(repo));
        if (selection.repo === repo && !repos.get(repo)) {
          selection.select(null);
        }
      }
    }
  });
  commands.addCommand(CommandIDs.createMount, {
    label: trans.__('Mount'),
    icon: mountIcon,
    describedBy: ARGUMENTS[CommandIDs.createMount],
    isEnabled: args => meant(args) !== null,
    execute: async args => {
      const repo = meant(args);
      const writable = typeof args.writable === 'boolean' ? args.writable : undefined;
      return repo === null ? null : mount(options, repo, textOf(args, 'ref'), writable);
    }
  });
  commands.addCommand(CommandIDs.deleteMount, {
    label: trans.__('Unmount'),
    icon: unmountIcon,
    describedBy: ARGUMENTS[CommandIDs.deleteMount],
    isEnabled: args => mountOf(args) !== undefined,
    execute: async args => {
      const mounted = mountOf(args);
      if (mounted) {
        await unmount(options, mounted);
      }
    }
  });
  commands.addCommand(CommandIDs.switchMount, {
    label: trans.__('Switch to Another Ref…'),
    caption: trans.__('Show another branch, tag or commit in the mounted folder'),
    icon: branchIcon,
    describedBy: ARGUMENTS[CommandIDs.switchMount],
    isEnabled: args => mountOf(args) !== undefined,
    execute: async args => {
      const mounted = mountOf(args);
      const ref = textOf(args, 'ref');
      const writable = typeof args.writable === 'boolean' ? args.writable : undefined;
      if (!mounted) {
        return null;
      }
      return ref === undefined
        ? showSwitchMount(mounted, trans, chosen => mounts.switch(mounted, chosen, writable))
        : attempt(trans, () => mounts.switch(mounted, ref, writable));
    }
  });
  commands.addCommand(CommandIDs.openFiles, {
    label: trans.__('Open in File Browser'),
    icon: folderIcon,
    describedBy: ARGUMENTS[CommandIDs.openFiles],
    isEnabled: args => meant(args) !== null,
    execute: async args => {
      const repo = meant(args);
      if (repo !== null) {
        await openFiles(options, repo, textOf(args, 'ref'));
      }
    }
  });
  for (const kind of ['branch', 'tag'] as const) {
    const [create, remove] =
      kind === 'branch'
        ? [CommandIDs.createBranch, CommandIDs.deleteBranch]
        : [CommandIDs.createTag, CommandIDs.deleteTag];
    commands.addCommand(create, {
      label: kind === 'branch' ? trans.__('New Branch…') : trans.__('New Tag…'),
      icon: kind === 'branch' ? branchIcon : tagIcon,
      describedBy: ARGUMENTS[create],
      isEnabled: args => meant(args) !== null,
      execute: async args => {
        const repo = meant(args);
        if (repo === null) {
          return;
        }
        const at =
          textOf(args, 'at') ??
          refOf(args, app) ??
          (repo === selection.repo ? selection.ref : DEFAULT_BRANCH);
        const name = textOf(args, 'name');
        if (name === undefined) {
          await showCreateRef({ kind, repo, at }, trans, (chosen, where) =>
            refs.create(kind, repo, chosen, where)
          );
        } else {
          await attempt(trans, () => refs.create(kind, repo, name, at));
        }
      }
    });
    commands.addCommand(remove, {
      label: kind === 'branch' ? trans.__('Delete Branch') : trans.__('Delete Tag'),
      icon: deleteIcon,
      describedBy: ARGUMENTS[remove],
      execute: async args => {
        const repo = meant(args);
        const name = textOf(args, 'name');
        if (repo !== null && name !== undefined) {
          await attempt(trans, () => refs.delete(kind, repo, name));
        }
      }
    });
  }
}

async function mount(
  { mounts, trans }: IRepoCommandOptions,
  repo: string,
  ref?: string,
  writable?: boolean
): Promise<api.Mount | null> {
  return attempt(trans, async () => {
    if (!mounts.isReady) {
      await mounts.refresh();
    }
    return mounts.create(repo, ref, writable);
  });
}

async function openFiles(options: IRepoCommandOptions, repo: string, ref?: string): Promise<void> {
  const { app, trans } = options;
  const mounted = await mount(options, repo, ref);
  if (!mounted) {
    return;
  }
  if (mounted.contents_path === null) {
    tellBriefly(
      trans.__('%1 is mounted at %2, outside what the file browser shows.', repo, mounted.path)
    );
  } else if (app.commands.hasCommand('filebrowser:go-to-path')) {
    await app.commands.execute('filebrowser:go-to-path', { path: mounted.contents_path });
  }
}

async function unmount(options: IRepoCommandOptions, mounted: api.Mount): Promise<void> {
  const { mounts, sessions, trans } = options;
  const staged = sessions.changed.find(({ session }) => session.id === mounted.session_id);
  if (staged && staged.changes.length > 0) {
    const { count, hasMore } = await sessions.total(staged);
    const isSure = await confirm(
      trans.__('Unmount %1', mounted.name),
      hasMore
        ? trans.__(
            'More than %1 changes are not committed. They stay in Changes, and come back with the next mount.',
            count.toLocaleString()
          )
        : trans._n(
            '%1 change is not committed. It stays in Changes, and comes back with the next mount.',
            '%1 changes are not committed. They stay in Changes, and come back with the next mount.',
            count
          ),
      trans.__('Unmount'),
      trans
    );
    if (!isSure) {
      return;
    }
  }
  await attempt(trans, () => mounts.delete(mounted));
}
