/**
 * Commands on pipelines and jobs.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, InputDialog } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { deleteIcon, pauseIcon, refreshIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { cancelJob, listJobs, rerunJob, resumeJob } from '../api/jobs';
import {
  deletePipeline,
  listPipelines,
  pausePipeline,
  resumePipeline,
  runPipeline
} from '../api/pipelines';
import type * as api from '../api/types';
import { ARGUMENTS, CommandIDs } from '../commands';
import { confirm } from '../dialogs/confirm';
import { clockIcon } from '../icons';
import { ILake } from '../tokens';
import { textOf } from './arguments';
import { loadScreen } from './loading';
import type { IReporting } from './reporting';
import { attempt, followJob, tellBriefly } from './reporting';

type Args = ReadonlyPartialJSONObject;

/** Running, pausing and deleting pipelines; cancelling and repeating jobs. */
export const pipelinesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:pipelines',
  description: 'Commands on the pipelines and jobs of the lake.',
  autoStart: true,
  requires: [ILake],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands } = app;
    addPipelineCommands({ lake, commands, trans });
    addJobCommands({ lake, commands, trans });
    for (const command of [
      CommandIDs.runPipeline,
      CommandIDs.pausePipeline,
      CommandIDs.resumePipeline,
      CommandIDs.openSchedule,
      CommandIDs.deletePipeline
    ]) {
      palette?.addItem({ command, category: trans.__('Data Lake') });
    }
  }
};

function addPipelineCommands(reporting: IReporting): void {
  const { lake, commands, trans } = reporting;
  /** The pipeline that is named, or that the user chooses from a list. */
  const pipelineOf = async (args: Args, title: string): Promise<string | null> => {
    const named = textOf(args, 'pipeline');
    if (named !== undefined) {
      return named;
    }
    const page = await attempt(trans, () => listPipelines(lake.client, { limit: 1000 }));
    const items = (page?.results ?? []).map(pipeline => pipeline.name);
    if (items.length === 0) {
      tellBriefly(trans.__('There are no pipelines yet.'));
      return null;
    }
    return (await InputDialog.getItem({ title, items })).value;
  };
  const add = (
    id: string,
    label: string,
    icon: CommandRegistry.ICommandOptions['icon'],
    execute: (pipeline: string, args: Args) => Promise<unknown>
  ) =>
    commands.addCommand(id, {
      label: args => (args.isPalette ? label : label.replace('…', '')),
      icon,
      describedBy: ARGUMENTS[id],
      execute: async args => {
        const pipeline = await pipelineOf(args, label.replace('…', ''));
        return pipeline === null ? null : attempt(trans, () => execute(pipeline, args));
      }
    });

  add(CommandIDs.runPipeline, trans.__('Run Pipeline…'), runIcon, async (pipeline, args) => {
    const reprocess = args.reprocess === true;
    const { global_id } = await runPipeline(lake.client, pipeline, { reprocess });
    await followStarted(global_id, pipeline, reporting);
  });
  add(CommandIDs.pausePipeline, trans.__('Pause Pipeline…'), pauseIcon, pipeline =>
    pausePipeline(lake.client, pipeline)
  );
  add(CommandIDs.resumePipeline, trans.__('Resume Pipeline…'), runIcon, pipeline =>
    resumePipeline(lake.client, pipeline)
  );
  add(
    CommandIDs.openSchedule,
    trans.__('Change Schedule of Pipeline…'),
    clockIcon,
    async pipeline => {
      const screen = await loadScreen(trans, () => import('../screens/schedule'));
      return screen?.showSchedule(new screen.PipelineScheduleModel({ lake, pipeline }), trans);
    }
  );
  add(CommandIDs.deletePipeline, trans.__('Delete Pipeline…'), deleteIcon, async pipeline => {
    const isSure = await confirm(
      trans.__('Delete %1', pipeline),
      trans.__(
        'The pipeline %1 is removed with its jobs and their logs. What it wrote stays in the repo %1.',
        pipeline
      ),
      trans.__('Delete'),
      trans
    );
    if (isSure) {
      await deletePipeline(lake.client, pipeline);
    }
  });
}

function addJobCommands(reporting: IReporting): void {
  const { lake, commands, trans } = reporting;
  commands.addCommand(CommandIDs.cancelJob, {
    label: trans.__('Cancel Job'),
    icon: stopIcon,
    describedBy: ARGUMENTS[CommandIDs.cancelJob],
    execute: async args => {
      const job = textOf(args, 'job');
      if (job !== undefined) {
        await attempt(trans, () => cancelJob(lake.client, job));
      }
    }
  });
  commands.addCommand(CommandIDs.resumeJob, {
    label: trans.__('Resume Job'),
    caption: trans.__('Run what of this job did not succeed, over the same inputs'),
    icon: runIcon,
    describedBy: ARGUMENTS[CommandIDs.resumeJob],
    execute: async args => {
      const job = textOf(args, 'job');
      if (job !== undefined) {
        await attempt(trans, async () => {
          const { global_id } = await resumeJob(lake.client, job);
          tellBriefly(
            trans.__('Resumed with the published code. What you mended runs once it is published.')
          );
          await showStarted(global_id, reporting);
        });
      }
    }
  });
  commands.addCommand(CommandIDs.rerunJob, {
    label: trans.__('Run Job Again'),
    icon: refreshIcon,
    describedBy: ARGUMENTS[CommandIDs.rerunJob],
    execute: async args => {
      const job = textOf(args, 'job');
      if (job !== undefined) {
        await attempt(trans, async () => {
          const reprocess = args.reprocess === true;
          const { global_id } = await rerunJob(lake.client, job, { reprocess });
          await showStarted(global_id, reporting);
        });
      }
    }
  });
}

/** Tell how the first job under a global id goes; return its id. */
async function followStarted(
  globalId: string,
  pipeline: string | undefined,
  reporting: IReporting
): Promise<string | undefined> {
  const page = await listJobs(reporting.lake.client, { global_id: globalId, pipeline });
  const first = page.results.reduce<api.Job | null>(
    (least, job) => (least === null || job.number < least.number ? job : least),
    null
  );
  if (first) {
    followJob(first, reporting);
  }
  return first?.id;
}

/** Go from a job to the first under a global id, which does its work again. */
async function showStarted(globalId: string, reporting: IReporting): Promise<void> {
  const job = await followStarted(globalId, undefined, reporting);
  if (job !== undefined) {
    await reporting.commands.execute(CommandIDs.openJob, { job });
  }
}
