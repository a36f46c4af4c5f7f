/**
 * Promoting a notebook to a pipeline: from its toolbar, the file browser or the command palette.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { ARGUMENTS, CommandIDs } from '../commands';
import { showPromote } from '../dialogs/promote';
import { promoteIcon } from '../icons';
import type { IPromoted } from '../models/promotion';
import { PromotionModel } from '../models/promotion';
import { repoInputs } from '../specs';
import { ILake } from '../tokens';
import { textOf } from './arguments';
import type { IReporting } from './reporting';
import { attempt, followJob } from './reporting';

/** Makes pipelines of notebooks. */
export const promotePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:promote',
  description: 'Promotes notebooks to pipelines.',
  autoStart: true,
  requires: [ILake],
  optional: [INotebookTracker, IFileBrowserFactory, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    notebooks: INotebookTracker | null,
    browsers: IFileBrowserFactory | null,
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
    commands.addCommand(CommandIDs.promotePipeline, {
      label: trans.__('Promote to Pipeline…'),
      caption: trans.__('Promote to pipeline: run this notebook whenever its inputs change'),
      icon: promoteIcon,
      describedBy: ARGUMENTS[CommandIDs.promotePipeline],
      isEnabled: args => pathOf(args) !== undefined,
      execute: async args => {
        const path = pathOf(args);
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
          tell(promoted, { lake, commands, trans });
        }
      }
    });
    notebooks?.currentChanged.connect(() =>
      commands.notifyCommandChanged(CommandIDs.promotePipeline)
    );
    palette?.addItem({ command: CommandIDs.promotePipeline, category: trans.__('Data Lake') });
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

/** Tell what the promotion led to: follow its job, or say what it waits for. */
function tell({ pipeline, job }: IPromoted, reporting: IReporting): void {
  const { commands, trans } = reporting;
  if (job) {
    followJob(job, reporting);
    void commands.execute(CommandIDs.openJob, { job: job.id });
    return;
  }
  const inputs = repoInputs(pipeline.spec).map(input => `${input.repo}@${input.branch}`);
  Notification.info(
    inputs.length > 0
      ? trans.__('%1 is published. It runs as soon as there is data in %2.', pipeline.name, inputs)
      : trans.__('%1 is published.', pipeline.name)
  );
}
