/**
 * Operations on files at a ref.
 */
import type { IClient, Query } from './client';
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
