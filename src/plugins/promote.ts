/**
 * Promoting a notebook to a pipeline: from its toolbar, the file browser or the command palette.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { ARGUMENTS, CommandIDs } from '../commands';
import { chooseFile } from '../dialogs/choose-file';
import { showPromote } from '../dialogs/promote';
import { promoteIcon } from '../icons';
import { PromotionModel } from '../models/promotion';
import { ILake } from '../tokens';
import { textOf } from './arguments';
import { attempt, tellPublished } from './reporting';

/** Makes pipelines of notebooks. */
export const promotePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:promote',
  description: 'Promotes notebooks to pipelines.',
  autoStart: true,
  requires: [ILake],
  optional: [
    INotebookTracker,
    IFileBrowserFactory,
    IDefaultFileBrowser,
    ILauncher,
    ICommandPalette,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    notebooks: INotebookTracker | null,
    browsers: IFileBrowserFactory | null,
    browser: IDefaultFileBrowser | null,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands } = app;
    const pathOf = (args: ReadonlyPartialJSONObject): string | undefined =>
      textOf(args, 'path') ??
      (args.isContextMenu === true
        ? selectedNotebook(browsers)
        : notebooks?.currentWidget?.context.path);
    const choose = async () =>
      browser === null
        ? undefined
        : chooseFile({
            browser,
            title: trans.__('Promote which notebook?'),
            fits: file => file.type === 'notebook',
            translator: translator ?? undefined
          });
    commands.addCommand(CommandIDs.promotePipeline, {
      label: args =>
        args.isLauncher === true ? trans.__('Promote Notebook') : trans.__('Promote to Pipeline…'),
      caption: trans.__('Promote to pipeline: run this notebook whenever its inputs change'),
      icon: promoteIcon,
      describedBy: ARGUMENTS[CommandIDs.promotePipeline],
      isEnabled: args => args.isLauncher === true || pathOf(args) !== undefined,
      execute: async args => {
        const path = args.isLauncher === true ? await choose() : pathOf(args);
        if (path === undefined) {
          return;
        }
        // The server reads the notebook from its file.
        const open = notebooks?.find(one => one.context.path === path)?.context;
        if (open && (await attempt(trans, () => open.save().then(() => true))) === null) {
          return;
        }
        const notebook = app.serviceManager.contents.localPath(path);
        const promoted = await showPromote(new PromotionModel({ lake, notebook }), trans);
        if (promoted) {
          tellPublished(promoted, { lake, commands, trans });
        }
      }
    });
    notebooks?.currentChanged.connect(() =>
      commands.notifyCommandChanged(CommandIDs.promotePipeline)
    );
    palette?.addItem({ command: CommandIDs.promotePipeline, category: trans.__('Data Lake') });
    if (browser) {
      launcher?.add({
        command: CommandIDs.promotePipeline,
        args: { isLauncher: true },
        category: trans.__('Data Lake'),
        rank: 1
      });
    }
  }
};

/** Return the path of the notebook that is selected in the file browser. */
function selectedNotebook(browsers: IFileBrowserFactory | null): string | undefined {
  for (const item of browsers?.tracker.currentWidget?.selectedItems() ?? []) {
    if (item.type === 'notebook') {
      return item.path;
    }
  }
  return undefined;
}
