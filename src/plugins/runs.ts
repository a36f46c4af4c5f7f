/**
 * Runs in the main area: all of them, and two beside each other.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { getJob, listJobs } from '../api/jobs';
import { ARGUMENTS, CommandIDs } from '../commands';
import { pipelineIcon } from '../icons';
import { JobsModel } from '../models/jobs';
import { PipelinesModel } from '../models/pipelines';
import type { ComparisonPanel } from '../panels/comparison';
import type { RunsPanel } from '../panels/runs';
import { ILake } from '../tokens';
import { textOf } from './arguments';
import { loadScreen } from './loading';
import { attempt, tellBriefly } from './reporting';
import { showInMain } from './showing';

/** Shows runs, and compares two of them. */
export const runsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:runs',
  description: 'Runs of pipelines in the main area, filtered, and two of them beside each other.',
  autoStart: true,
  requires: [ILake],
  optional: [ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands, shell } = app;
    const load = () => loadScreen(trans, () => import('../screens/runs'));
    const runs = new WidgetTracker<MainAreaWidget<RunsPanel>>({ namespace: 'datalake-runs' });
    commands.addCommand(CommandIDs.openRuns, {
      label: trans.__('Runs'),
      caption: trans.__('Show runs of pipelines, and how long they took'),
      icon: pipelineIcon,
      describedBy: ARGUMENTS[CommandIDs.openRuns],
      execute: async args => {
        const screen = await load();
        if (!screen) {
          return;
        }
        let widget = runs.currentWidget;
        if (!widget) {
          const jobs = new JobsModel(lake);
          const pipelines = new PipelinesModel(lake);
          const content = new screen.RunsPanel({ jobs, pipelines, commands, trans });
          widget = new MainAreaWidget({ content });
          widget.id = 'datalake-runs';
          widget.title.icon = pipelineIcon;
          widget.title.label = trans.__('Runs');
          await runs.add(widget);
        }
        const pipeline = textOf(args, 'pipeline');
        if (pipeline !== undefined) {
          widget.content.jobs.pipeline = pipeline;
        }
        showInMain(shell, widget);
      }
    });
    palette?.addItem({ command: CommandIDs.openRuns, category: trans.__('Data Lake') });
    void restorer?.restore(runs, { command: CommandIDs.openRuns, name: () => 'runs' });

    const comparisons = new WidgetTracker<MainAreaWidget<ComparisonPanel>>({
      namespace: 'datalake-comparison'
    });
    const show = async (old: string, fresh: string): Promise<void> => {
      const screen = await load();
      if (!screen) {
        return;
      }
      const { ComparisonModel, ComparisonPanel } = screen;
      const model = new ComparisonModel({ lake, old, new: fresh });
      const content = new ComparisonPanel({ model, commands, trans });
      const widget = new MainAreaWidget({ content });
      widget.title.icon = pipelineIcon;
      widget.title.label = trans.__('Two runs');
      await comparisons.add(widget);
      showInMain(shell, widget);
    };
    commands.addCommand(CommandIDs.compareJob, {
      label: trans.__('Compare Runs'),
      describedBy: ARGUMENTS[CommandIDs.compareJob],
      execute: async args => {
        const job = textOf(args, 'job');
        if (job !== undefined) {
          const other = textOf(args, 'other') ?? (await attempt(trans, () => before(lake, job)));
          if (other) {
            await show(other, job);
          } else if (other === '') {
            tellBriefly(trans.__('There is no earlier run of this pipeline.'));
          }
        }
      }
    });
    void restorer?.restore(comparisons, {
      command: CommandIDs.compareJob,
      args: ({ content }) => ({ other: content.model.ids[0], job: content.model.ids[1] }),
      name: ({ content }) => content.model.ids.join('-')
    });
  }
};

/** Return the id of the run before another one of its pipeline; empty where it is the first. */
async function before(lake: ILake, id: string): Promise<string> {
  const { pipeline, number } = await getJob(lake.client, id);
  const page = await listJobs(lake.client, { pipeline, before: number, limit: 1 });
  return page.results[0]?.id ?? '';
}
