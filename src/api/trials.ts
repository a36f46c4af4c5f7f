/**
 * Operations on trials: specs that are run on some of their datums before they are published.
 */
import type { Body, IByteClient, IClient, Query } from './client';
import type * as api from './types';

/** Begin to run a spec on some of its datums. */
export function runTrial(client: IClient, body: Body<'runTrial'>): Promise<api.Trial> {
  return client.request({ method: 'POST', path: ['trials'], body });
}

/** Return one trial, as far as it is. */
export function getTrial(client: IClient, trial: string): Promise<api.Trial> {
  return client.request({ path: ['trials', trial] });
}

/** Have a trial stop. */
export function cancelTrial(client: IClient, trial: string): Promise<api.Trial> {
  return client.request({ method: 'POST', path: ['trials', trial, 'cancellations'] });
}

/** Return what a datum printed, from a byte on. */
export function getTrialLog(
  client: IClient,
  trial: string,
  datum: number,
  query: Query<'getTrialLog'> = {}
): Promise<api.DatumLog> {
  return client.request({ path: ['trials', trial, 'datums', datum, 'log'], query });
}

/** Return the executed notebook of a datum. */
export function getTrialNotebook(
  client: IClient,
  trial: string,
  datum: number
): Promise<Record<string, never>> {
  return client.request({ path: ['trials', trial, 'datums', datum, 'notebook'] });
}

/** Return the code cells of a datum's notebook with their states. */
export function listTrialCells(
  client: IClient,
  trial: string,
  datum: number
): Promise<api.ExecutedCellPage> {
  return client.request({ path: ['trials', trial, 'datums', datum, 'cells'] });
}

/** Return a page of the paths on which what was written differs from the output. */
export function listTrialDifferences(
  client: IClient,
  trial: string,
  query: Query<'listTrialDifferences'> = {}
): Promise<api.ChangePage> {
  return client.request({ path: ['trials', trial, 'differences'], query });
}

/** Return how a file that was written differs, as a text, from that of the output. */
export function diffTrialText(
  client: IClient,
  trial: string,
  query: Query<'diffTrialText'>,
  signal?: AbortSignal
): Promise<api.TextDiff> {
  return client.request({ path: ['trials', trial, 'diff', 'text'], query, signal });
}

/** Return how a table that was written differs from that of the output. */
export function diffTrialTable(
  client: IClient,
  trial: string,
  query: Query<'diffTrialTable'>,
  signal?: AbortSignal
): Promise<api.TableDiff> {
  return client.request({ path: ['trials', trial, 'diff', 'table'], query, signal });
}

/** Return the bytes of a file that was written, or of that of the output. */
export function readTrial(
  client: IByteClient,
  trial: string,
  query: Query<'readTrial'>,
  signal?: AbortSignal
): Promise<ArrayBuffer> {
  return client.read({ path: ['trials', trial, 'content'], query, signal });
}
