/**
 * Operations on files at a ref.
 */
import type { IByteClient, IClient, Query } from './client';
import type * as api from './types';

/** Return a page of a folder's children, by name. */
export function listFiles(
  client: IClient,
  repo: string,
  ref: string,
  query: Query<'listFiles'> = {}
): Promise<api.FilePage> {
  return client.request({ path: ['repos', repo, 'refs', ref, 'files'], query });
}

/** Return what is at a path. */
export function getFile(
  client: IClient,
  repo: string,
  ref: string,
  query: Query<'getFile'>,
  signal?: AbortSignal
): Promise<api.File> {
  return client.request({ path: ['repos', repo, 'refs', ref, 'file'], query, signal });
}

/** Return the bytes of a file. */
export function readFile(
  client: IByteClient,
  repo: string,
  ref: string,
  query: Query<'readFile'>,
  signal?: AbortSignal
): Promise<ArrayBuffer> {
  return client.read({ path: ['repos', repo, 'refs', ref, 'content'], query, signal });
}

/** Return one page of a file. */
export function previewFile(
  client: IClient,
  repo: string,
  ref: string,
  query: Query<'previewFile'>,
  signal?: AbortSignal
): Promise<api.FilePreview> {
  return client.request({ path: ['repos', repo, 'refs', ref, 'preview'], query, signal });
}

/** Return what the columns of a table hold. */
export function describeFile(
  client: IClient,
  repo: string,
  ref: string,
  query: Query<'describeFile'>,
  signal?: AbortSignal
): Promise<api.TableStatistics> {
  return client.request({ path: ['repos', repo, 'refs', ref, 'statistics'], query, signal });
}

/** Return how two files differ as texts. */
export function diffText(
  client: IClient,
  query: Query<'diffText'>,
  signal?: AbortSignal
): Promise<api.TextDiff> {
  return client.request({ path: ['diff', 'text'], query, signal });
}

/** Return how two tables differ. */
export function diffTable(
  client: IClient,
  query: Query<'diffTable'>,
  signal?: AbortSignal
): Promise<api.TableDiff> {
  return client.request({ path: ['diff', 'table'], query, signal });
}
