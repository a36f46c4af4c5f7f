/**
 * Jobs and executed notebooks in the main area.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import type * as nbformat from '@jupyterlab/nbformat';
import { NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { notebookIcon } from '@jupyterlab/ui-components';

import { getJob, getNotebook, listDatums } from '../api/jobs';
import { getTrial, getTrialNotebook } from '../api/trials';
import { ARGUMENTS, CommandIDs } from '../commands';
import { pipelineIcon } from '../icons';
import type { JobPanel } from '../panels/job';
import { ExecutedNotebook } from '../panels/notebook';
import { ILake } from '../tokens';
import { textOf } from './arguments';
import { loadScreen } from './loading';
import { attempt, showNotification, tellBriefly } from './reporting';
import { showInMain } from './showing';

/** Shows single jobs. */
export const jobsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:jobs',
  description: 'Jobs in the main area, and what notifications tell of them.',
  autoStart: true,
  requires: [ILake],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands, shell } = app;
    const tracker = new WidgetTracker<MainAreaWidget<JobPanel>>({ namespace: 'datalake-job' });
    commands.addCommand(CommandIDs.openJob, {
      label: trans.__('Show Job'),
      icon: pipelineIcon,
      describedBy: ARGUMENTS[CommandIDs.openJob],
      execute: async args => {
        const id = textOf(args, 'job');
        if (id === undefined) {
          return;
        }
        const screen = await loadScreen(trans, () => import('../screens/job'));
        if (!screen) {
          return;
        }
        let widget = tracker.find(one => one.content.model.id === id);
        if (!widget) {
          const { JobModel, JobPanel } = screen;
          const model = new JobModel({ lake, id });
          widget = new MainAreaWidget({ content: new JobPanel({ model, commands, trans }) });
          widget.id = `datalake-job-${id}`;
          widget.title.icon = pipelineIcon;
          widget.title.label = trans.__('Job');
          await tracker.add(widget);
        }
        showInMain(shell, widget);
      }
    });
    void restorer?.restore(tracker, {
      command: CommandIDs.openJob,
      args: widget => ({ job: widget.content.model.id }),
      name: widget => widget.content.model.id
    });
    lake.happened.connect((_, event) => showNotification(event, { commands, trans }));
  }
};

/** Shows executed notebooks, where there are notebooks at all. */
export const notebookPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:notebook',
  description: 'Executed notebooks of jobs, to be read.',
  autoStart: true,
  requires: [ILake, NotebookPanel.IContentFactory, IEditorServices, IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    contentFactory: NotebookPanel.IContentFactory,
    editorServices: IEditorServices,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands, shell } = app;
    /** The datum that is worth reading: one that failed, or the first. */
    const datumOf = async (job: string): Promise<number> => {
      const failed = await listDatums(lake.client, job, { state: 'failed', limit: 1 });
      return failed.results[0]?.position ?? 0;
    };
    const open = async (id: string, position: number | undefined): Promise<void> => {
      const datum = position ?? (await datumOf(id));
      const [job, notebook] = await Promise.all([
        getJob(lake.client, id),
        getNotebook(lake.client, id, datum)
      ]);
      show(`datalake-notebook-${id}-${datum}`, notebook, {
        label: trans.__('%1 #%2, executed', job.pipeline, job.number),
        caption: trans.__(
          'Executed notebook of job %1, datum %2; to be read only',
          job.number,
          datum
        )
      });
    };
    const openTried = async (id: string, datum: number): Promise<void> => {
      const [trial, notebook] = await Promise.all([
        getTrial(lake.client, id),
        getTrialNotebook(lake.client, id, datum)
      ]);
      show(`datalake-notebook-${id}-${datum}`, notebook, {
        label: trans.__('%1, tried', trial.pipeline),
        caption: trans.__('Executed notebook of a trial, datum %1; to be read only', datum)
      });
    };
    const show = (
      widgetId: string,
      notebook: unknown,
      title: { label: string; caption: string }
    ): void => {
      const content = new ExecutedNotebook({
        content: notebook as nbformat.INotebookContent,
        contentFactory,
        mimeTypeService: editorServices.mimeTypeService,
        rendermime,
        translator: translator ?? nullTranslator
      });
      // A job that runs writes the notebook anew: an older view is replaced.
      [...shell.widgets('main')].find(one => one.id === widgetId)?.dispose();
      const widget = new MainAreaWidget({ content });
      widget.id = widgetId;
      widget.title.icon = notebookIcon;
      Object.assign(widget.title, title);
      showInMain(shell, widget);
    };
    commands.addCommand(CommandIDs.openNotebook, {
      label: trans.__('Open Executed Notebook'),
      icon: notebookIcon,
      describedBy: ARGUMENTS[CommandIDs.openNotebook],
      execute: async args => {
        const job = textOf(args, 'job');
        const trial = textOf(args, 'trial');
        const datum = typeof args.datum === 'number' ? args.datum : undefined;
        if (trial !== undefined) {
          await attempt(trans, () => openTried(trial, datum ?? 0));
        } else if (job === undefined) {
          tellBriefly(trans.__('Choose a job first.'));
        } else {
          await attempt(trans, () => open(job, datum));
        }
      }
    });
  }
};
