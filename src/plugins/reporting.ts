/**
 * Telling what became of an action that no panel shows.
 */
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type * as api from '../api/types';
import { CommandIDs } from '../commands';
import { describeError } from '../components/errors';
import { stateText } from '../components/state-badge';
import { datumsDone, isLive, JobFollower } from '../models/jobs';
import type { Applied } from '../models/promotions';
import type { IPromoted } from '../models/publishing';
import { asLakeError } from '../models/refreshing';
import { scheduleOf } from '../schedules';
import { repoInputs } from '../specs';
import type { ILake } from '../tokens';

/** What is needed to tell something. */
export interface IReporting {
  lake: ILake;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** Do something; tell the user if it fails, and return null then. */
export async function attempt<T>(
  trans: TranslationBundle,
  action: () => Promise<T>
): Promise<T | null> {
  try {
    return await action();
  } catch (reason) {
    Notification.error(describeError(asLakeError(reason), trans), { autoClose: false });
    return null;
  }
}

/** So long what needs no answer is shown. */
const BRIEF_MS = 10_000;

/** Tell something that needs no answer. Without a time JupyterLab lists it unseen. */
export function tellBriefly(message: string): void {
  Notification.info(message, { autoClose: BRIEF_MS });
}

/**
 * Tell the way back to a form that was left to look at what came of a trial.
 *
 * @param back - shows the form again.
 */
export function tellLeft(path: string, back: () => void, trans: TranslationBundle): void {
  Notification.info(trans.__('The form of %1 is kept as it is.', path.replace(/^.*\//, '')), {
    autoClose: false,
    actions: [
      {
        label: trans.__('Back to the form'),
        callback: back
      }
    ]
  });
}

/**
 * Tell how something ended whose progress a notification has told; return the id of what is shown.
 *
 * #### Notes
 * In another one: of a notification that is not drawn yet, JupyterLab loses what is changed, and what
 * ends at once would seem to go on for ever.
 */
export function tellEnd(
  progress: string,
  message: string,
  type: Notification.TypeOptions,
  options: Notification.IOptions<never>
): string {
  Notification.dismiss(progress);
  return Notification.emit(message, type, options);
}

/** What was told last of each pipeline: of which job, and in which notifications. */
const told = new Map<string, { job: string; ids: string[] }>();

/**
 * Let what is told of a job take the place of what was told of earlier ones of its pipeline.
 *
 * #### Notes
 * What failed is shown until somebody reads it; a pipeline that fails each night would pile it up.
 * Its jobs are listed all the same.
 */
function replaceEarlier(pipeline: string, job: string): string[] {
  const before = told.get(pipeline);
  if (before?.job === job) {
    return before.ids;
  }
  before?.ids.forEach(id => Notification.dismiss(id));
  const ids: string[] = [];
  told.set(pipeline, { job, ids });
  return ids;
}

/** Tell how a job goes, from now to its end. */
export function followJob(job: api.Job, reporting: IReporting): void {
  const { lake, commands, trans } = reporting;
  const follower = new JobFollower(lake, job);
  const ids = replaceEarlier(job.pipeline, job.id);
  const actions: Notification.IAction[] = [
    {
      label: trans.__('Show the job'),
      callback: () => void commands.execute(CommandIDs.openJob, { job: job.id })
    }
  ];
  const id = Notification.emit(progressText(job, trans), 'in-progress', {
    autoClose: false,
    actions
  });
  follower.stateChanged.connect(() => {
    const now = follower.job;
    if (isLive(now)) {
      const progress = now.datum_total > 0 ? datumsDone(now) / now.datum_total : undefined;
      Notification.update({ id, message: progressText(now, trans), progress });
      return;
    }
    const isGood = now.state === 'success';
    ids.push(
      tellEnd(
        id,
        endText(now, trans),
        isGood ? 'success' : now.state === 'failed' ? 'error' : 'warning',
        {
          autoClose: isGood ? BRIEF_MS : false,
          actions: isGood ? [...actions, outputAction(now, reporting)] : actions
        }
      )
    );
    follower.dispose();
  });
}

/** Show what a rule of notifications tells; other events are none of it. */
export function showNotification(
  event: api.Event,
  { commands, trans }: Omit<IReporting, 'lake'>
): void {
  if (event.kind !== 'notification.created') {
    return;
  }
  const { title, text, severity, job, pipeline } = event.details;
  const type = SEVERITIES.find(one => one === severity) ?? 'default';
  const ids = isText(pipeline) && isText(job) ? replaceEarlier(pipeline, job) : [];
  const id = Notification.emit([title, ...unsaid(title, text)].filter(isText).join('\n\n'), type, {
    autoClose: type === 'success' || type === 'info' ? BRIEF_MS : false,
    actions: isText(job)
      ? [
          {
            label: trans.__('Show the job'),
            callback: () => void commands.execute(CommandIDs.openJob, { job })
          }
        ]
      : []
  });
  ids.push(id);
}

/** Return the paragraphs of a text that a title does not say already. */
function unsaid(title: unknown, text: unknown): string[] {
  const said = isText(title) ? title : '';
  return isText(text) ? text.split('\n\n').filter(one => !said.includes(one.trim())) : [];
}

const SEVERITIES = ['error', 'warning', 'info', 'success'] as const;

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function progressText(job: api.Job, trans: TranslationBundle): string {
  const state = stateText(job.state, trans);
  return job.datum_total > 0
    ? trans.__('%1: %2, %3 of %4 datums', job.pipeline, state, datumsDone(job), job.datum_total)
    : trans.__('%1: %2', job.pipeline, state);
}

function endText(job: api.Job, trans: TranslationBundle): string {
  if (job.state !== 'success') {
    const state = stateText(job.state, trans);
    return job.message
      ? trans.__('%1 %2: %3', job.pipeline, state, job.message)
      : trans.__('%1: %2', job.pipeline, state);
  }
  if (job.outcome === 'unchanged') {
    return trans.__('%1 ran; its output is what it was.', job.pipeline);
  }
  return job.outcome === 'cut-off'
    ? trans.__('%1 had nothing to do.', job.pipeline)
    : trans.__('%1 ran; its output is committed.', job.pipeline);
}

function outputAction(job: api.Job, { commands, trans }: IReporting): Notification.IAction {
  return {
    label: trans.__('Show the output'),
    callback: () => void commands.execute(CommandIDs.openFiles, { repo: job.pipeline })
  };
}

/** Tell what publishing led to: follow its job, or say what it waits for. */
export function tellPublished({ pipeline, job }: IPromoted, reporting: IReporting): void {
  const { commands, trans } = reporting;
  if (job) {
    followJob(job, reporting);
    void commands.execute(CommandIDs.openJob, { job: job.id });
    return;
  }
  const inputs = repoInputs(pipeline.spec).map(input => `${input.repo}@${input.branch}`);
  tellBriefly(
    inputs.length > 0 && scheduleOf(pipeline.spec) === null
      ? trans.__('%1 is published. It runs as soon as there is data in %2.', pipeline.name, inputs)
      : trans.__('%1 is published.', pipeline.name)
  );
}

/** Tell what was done with several pipelines; show it in the lineage. */
export function tellApplied(applied: Applied, { commands, trans }: Omit<IReporting, 'lake'>): void {
  const done = applied.filter(({ action }) => action !== 'unchanged');
  const names = done.map(({ pipeline }) => pipeline);
  const node = `pipeline:${names[names.length - 1] ?? ''}`;
  Notification.success(trans.__('Applied: %1', names.join(', ')), {
    autoClose: BRIEF_MS,
    actions: [
      {
        label: trans.__('Show the runs'),
        callback: () => void commands.execute(CommandIDs.openRuns)
      },
      {
        label: trans.__('Show the lineage'),
        callback: () => void commands.execute(CommandIDs.openLineage, { node })
      }
    ]
  });
}
