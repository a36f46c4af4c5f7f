/**
 * Operations on jobs and their datums.
 */
import type { Body, IClient, Query } from './client';
import type * as api from './types';

/** Return a page of jobs, newest first. */
export function listJobs(client: IClient, query: Query<'listJobs'> = {}): Promise<api.JobPage> {
  return client.request({ path: ['jobs'], query });
}

/** Return one job. */
export function getJob(client: IClient, job: string): Promise<api.Job> {
  return client.request({ path: ['jobs', job] });
}

/** Stop a job; nothing is committed, datums that succeeded are kept. */
export function cancelJob(client: IClient, job: string): Promise<api.Job> {
  return client.request({ method: 'POST', path: ['jobs', job, 'cancellations'] });
}

/** Run a job's pipeline again over its inputs as they are now. */
export function rerunJob(
  client: IClient,
  job: string,
  body: Body<'rerunJob'> = {}
): Promise<api.Started> {
  return client.request({ method: 'POST', path: ['jobs', job, 'reruns'], body });
}

/** Go on with a job that failed or was cancelled: what did not succeed runs again. */
export function resumeJob(client: IClient, job: string): Promise<api.Started> {
  return client.request({ method: 'POST', path: ['jobs', job, 'resumptions'] });
}

/** Make a datum's folder once more, to work in it by hand. */
export function reopenJob(
  client: IClient,
  job: string,
  datum: number,
  body: Body<'reopenJob'> = {}
): Promise<api.Reopened> {
  return client.request({
    method: 'POST',
    path: ['jobs', job, 'datums', datum, 'reopenings'],
    body
  });
}

/** Return the kernels in which datums failed that are kept on the server's machine. */
export function listKernels(
  client: IClient,
  query: Query<'listKernels'> = {}
): Promise<api.KeptKernelList> {
  return client.request({ path: ['kernels'], query });
}

/** Publish what was mended in a reopened datum's folder, and run it. */
export function publishFix(client: IClient, body: Body<'publishFix'>): Promise<api.Pipeline> {
  return client.request({ method: 'POST', path: ['fixes'], body });
}

/** Return a page of a job's datums by position. */
export function listDatums(
  client: IClient,
  job: string,
  query: Query<'listDatums'> = {}
): Promise<api.DatumPage> {
  return client.request({ path: ['jobs', job, 'datums'], query });
}

/** Return two jobs beside each other. */
export function compareJob(
  client: IClient,
  job: string,
  other: string
): Promise<api.JobComparison> {
  return client.request({ path: ['jobs', job, 'comparisons', other] });
}

/** Return the cells of a datum's notebook with their states, also while it runs. */
export function listCells(
  client: IClient,
  job: string,
  datum: number
): Promise<api.ExecutedCellPage> {
  return client.request({ path: ['jobs', job, 'datums', datum, 'cells'] });
}

/** Return what a job's datums printed; running ones as far as they are. */
export function getLogs(
  client: IClient,
  job: string,
  query: Query<'getLogs'> = {}
): Promise<api.LogPage> {
  return client.request({ path: ['jobs', job, 'logs'], query });
}

/** Return a page of the lines of logs that hold a text, of the newest jobs first. */
export function searchLogs(client: IClient, query: Query<'searchLogs'>): Promise<api.LogLinePage> {
  return client.request({ path: ['logs'], query });
}

/** Return a datum's executed notebook; of a failed one as far as it came. */
export function getNotebook(
  client: IClient,
  job: string,
  datum: number
): Promise<Record<string, unknown>> {
  return client.request({ path: ['jobs', job, 'datums', datum, 'notebook'] });
}
