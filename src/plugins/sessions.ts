/**
 * Commands on sessions.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { undoIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { ARGUMENTS, CommandIDs } from '../commands';
import { showCommit } from '../dialogs/commit';
import { confirmDiscard } from '../dialogs/confirm';
import { commitIcon } from '../icons';
import type { ISessionChanges, SessionsModel } from '../models/sessions';
import type { ILakeSelection } from '../tokens';
import { textOf } from './arguments';
import { attempt, tellBriefly } from './reporting';

/** What the commands work on. */
export interface ISessionCommandOptions {
  commands: CommandRegistry;
  sessions: SessionsModel;
  selection: ILakeSelection;
  trans: TranslationBundle;
}

/** Add the commands on sessions. */
export function addSessionCommands(options: ISessionCommandOptions): void {
  const { commands, sessions, selection, trans } = options;
  /** The session that is meant: of the repo named or selected, or the only one with changes. */
  const staged = async (args: ReadonlyPartialJSONObject): Promise<ISessionChanges | undefined> => {
    await sessions.refresh();
    const repo = textOf(args, 'repo') ?? selection.repo;
    const { changed } = sessions;
    return (
      changed.find(({ session }) => session.repo === repo) ??
      (textOf(args, 'repo') === undefined ? changed[0] : undefined)
    );
  };

  commands.addCommand(CommandIDs.commitSession, {
    label: trans.__('Commit Changes…'),
    caption: trans.__('Commit what is written to a mounted branch'),
    icon: commitIcon,
    describedBy: ARGUMENTS[CommandIDs.commitSession],
    execute: async args => {
      const one = await staged(args);
      if (!one) {
        tellBriefly(trans.__('There is nothing to commit.'));
        return null;
      }
      const message = textOf(args, 'message');
      const commit =
        message === undefined
          ? await showCommit(one.session, await sessions.total(one), trans, text =>
              sessions.commit(one.session, text)
            )
          : await attempt(trans, () => sessions.commit(one.session, message));
      return commit?.id ?? null;
    }
  });
  commands.addCommand(CommandIDs.discardSession, {
    label: trans.__('Discard Changes…'),
    icon: undoIcon,
    describedBy: ARGUMENTS[CommandIDs.discardSession],
    execute: async args => {
      const one = await staged(args);
      if (one && (await confirmDiscard(one.session, await sessions.total(one), trans))) {
        await attempt(trans, () => sessions.discard(one.session));
      }
    }
  });
}
