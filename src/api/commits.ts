/**
 * Operations on commits.
 */
import type { Body, IClient, Query } from './client';
import type * as api from './types';

/** Return a page of the commits that a ref leads back to, newest first. */
export function listCommits(
  client: IClient,
  repo: string,
  ref: string,
  query: Query<'listCommits'> = {},
  signal?: AbortSignal
): Promise<api.CommitLogPage> {
  return client.request({ path: ['repos', repo, 'refs', ref, 'commits'], query, signal });
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

/** Return how many commits lead to a ref and not to another one. */
export function countCommits(
  client: IClient,
  repo: string,
  ref: string,
  query: Query<'countCommits'>
): Promise<api.CommitCount> {
  return client.request({ path: ['repos', repo, 'refs', ref, 'count'], query });
}

/** Take over into a branch what another line of history changed since they parted. */
export function mergeCommit(
  client: IClient,
  repo: string,
  branch: string,
  body: Body<'mergeCommit'>
): Promise<api.MergeReport> {
  return client.request({
    method: 'POST',
    path: ['repos', repo, 'branches', branch, 'merges'],
    body
  });
}

/** Commit to a branch the opposite of what a commit changed. */
export function revertCommit(
  client: IClient,
  repo: string,
  branch: string,
  body: Body<'revertCommit'>
): Promise<api.MergeReport> {
  return client.request({
    method: 'POST',
    path: ['repos', repo, 'branches', branch, 'reverts'],
    body
  });
}

/** Commit to a branch what a commit changed elsewhere. */
export function cherryPick(
  client: IClient,
  repo: string,
  branch: string,
  body: Body<'cherryPick'>
): Promise<api.MergeReport> {
  return client.request({
    method: 'POST',
    path: ['repos', repo, 'branches', branch, 'picks'],
    body
  });
}
