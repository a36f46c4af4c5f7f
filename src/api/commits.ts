/**
 * Operations on commits.
 */
import type { IClient, Query } from './client';
import type * as api from './types';

/** Return a page of the commits that a ref leads back to, newest first. */
export function listCommits(
  client: IClient,
  repo: string,
  ref: string,
  query: Query<'listCommits'> = {}
): Promise<api.CommitPage> {
  return client.request({ path: ['repos', repo, 'refs', ref, 'commits'], query });
}

/** Return the commit that a ref expression means now. */
export function getCommit(client: IClient, repo: string, ref: string): Promise<api.Commit> {
  return client.request({ path: ['repos', repo, 'commits', ref] });
}

/** Return the paths on which two commits differ. */
export function diffCommits(
  client: IClient,
  repo: string,
  query: Query<'diffCommits'>
): Promise<api.ChangePage> {
  return client.request({ path: ['repos', repo, 'diff'], query });
}
