/**
 * Mending by hand what failed: a datum's folder is made once more, its notebook goes on where it
 * failed, and what was mended is published.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { editIcon, runIcon } from '@jupyterlab/ui-components';

import { publishFix, reopenJob } from '../api/jobs';
import type * as api from '../api/types';
import { ARGUMENTS, CommandIDs } from '../commands';
import { clockText } from '../components/formats';
import { ILake } from '../tokens';
import { textOf } from './arguments';
import { attempt, followJob, tellBriefly } from './reporting';

/** Reopens datums, and publishes what was mended in them. */
export const fixesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:fixes',
  description: 'Reopens datums of jobs to mend what failed, and publishes that.',
  autoStart: true,
  requires: [ILake],
  optional: [INotebookTracker, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands } = app;
    const currentFolder = (): string | undefined => {
      const path = notebooks?.currentWidget?.context.path;
      return path === undefined
        ? undefined
        : PathExt.dirname(app.serviceManager.contents.localPath(path));
    };

    const tell = (made: api.Reopened): void => {
      Notification.info(messageOf(made, trans), {
        autoClose: false,
        actions: [
          {
            label: trans.__('Publish the fix'),
            callback: event => {
              event.preventDefault(); // it stays, for a fix that is none yet
              void commands.execute(CommandIDs.publishFix, { folder: made.folder });
            }
          }
        ]
      });
    };

    commands.addCommand(CommandIDs.reopenJob, {
      label: trans.__('Reopen Datum'),
      caption: trans.__('Make the folder of a datum once more, to work in it by hand'),
      icon: editIcon,
      describedBy: ARGUMENTS[CommandIDs.reopenJob],
      execute: async args => {
        const job = textOf(args, 'job');
        if (job === undefined) {
          tellBriefly(trans.__('Choose a job first.'));
          return;
        }
        const datum = typeof args.datum === 'number' ? args.datum : 0;
        const made = await attempt(trans, () => reopenJob(lake.client, job, datum));
        if (made === null) {
          return;
        }
        tell(made);
        if (made.notebook === null) {
          await commands.execute('filebrowser:open-path', { path: made.folder });
          return;
        }
        // Its kernel may have been made this moment.
        await app.serviceManager.kernelspecs.refreshSpecs();
        const opened: unknown = await commands.execute('docmanager:open', { path: made.notebook });
        if (opened instanceof NotebookPanel && made.failed_cell !== null) {
          await goOnAt(opened, made.failed_cell, made.kernel !== null);
        }
      }
    });

    commands.addCommand(CommandIDs.publishFix, {
      label: trans.__('Publish the Fix'),
      caption: trans.__('Publish what was mended in a reopened datum, and run it'),
      icon: runIcon,
      describedBy: ARGUMENTS[CommandIDs.publishFix],
      isEnabled: args => textOf(args, 'folder') !== undefined || currentFolder() !== undefined,
      execute: async args => {
        const folder = textOf(args, 'folder') ?? currentFolder();
        if (folder === undefined) {
          return;
        }
        await attempt(trans, async () => {
          // The server reads files: what is open there has to be in them.
          const inside = `${folder}/`;
          const open = notebooks?.filter(one => one.context.path.startsWith(inside)) ?? [];
          await Promise.all(open.map(one => one.context.save()));
          const pipeline = await publishFix(lake.client, { folder });
          if (pipeline.latest_job) {
            followJob(pipeline.latest_job, { lake, commands, trans });
            await commands.execute(CommandIDs.openJob, { job: pipeline.latest_job.id });
          }
        });
      }
    });
    notebooks?.currentChanged.connect(() => commands.notifyCommandChanged(CommandIDs.publishFix));
    palette?.addItem({ command: CommandIDs.publishFix, category: trans.__('Data Lake') });
  }
};

/** Return what to say of a datum's folder that was made once more. */
function messageOf(made: api.Reopened, trans: TranslationBundle): string {
  if (made.failed_cell === null) {
    return trans.__('This is a copy: nothing you do in %1 reaches the lake.', made.folder);
  }
  const cell = made.failed_cell + 1;
  if (made.kernel === null) {
    return trans.__(
      'Cell %1 failed; those above it are run again. Mend it here, in %2: nothing reaches' +
        ' the lake until you publish it.',
      cell,
      made.folder
    );
  }
  return trans.__(
    'Cell %1 failed in this very kernel, kept until %2 and while it is open. Nothing reaches the' +
      ' lake until you publish it.',
    cell,
    clockText(new Date(made.kernel.until))
  );
}

/**
 * Go to the cell that failed.
 *
 * @param isKept Whether the kernel is the one in which it failed; else the cells above are run.
 */
async function goOnAt(panel: NotebookPanel, failed: number, isKept: boolean): Promise<void> {
  await panel.revealed;
  await panel.context.ready;
  await panel.sessionContext.ready;
  const { content } = panel;
  content.activeCellIndex = failed;
  if (!isKept) {
    await NotebookActions.runAllAbove(content, panel.sessionContext);
    content.activeCellIndex = failed;
  }
  await content.scrollToItem(failed, 'center');
}
