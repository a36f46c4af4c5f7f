/**
 * Operations on branches and tags.
 */
import type { Body, IClient, Query } from './client';
import type * as api from './types';

/** Return a page of branches and tags by name. */
export function listRefs(
  client: IClient,
  repo: string,
  query: Query<'listRefs'> = {}
): Promise<api.RefPage> {
  return client.request({ path: ['repos', repo, 'refs'], query });
}

/** Create a branch at a commit; no bytes move. */
export function createBranch(
  client: IClient,
  repo: string,
  body: Body<'createBranch'>
): Promise<api.Ref> {
  return client.request({ method: 'POST', path: ['repos', repo, 'branches'], body });
}

/** Remove a branch that no session writes to. */
export function deleteBranch(client: IClient, repo: string, branch: string): Promise<void> {
  return client.request({ method: 'DELETE', path: ['repos', repo, 'branches', branch] });
}

/** Create a tag at a commit. */
export function createTag(
  client: IClient,
  repo: string,
  body: Body<'createTag'>
): Promise<api.Ref> {
  return client.request({ method: 'POST', path: ['repos', repo, 'tags'], body });
}

/** Remove a tag. */
export function deleteTag(client: IClient, repo: string, tag: string): Promise<void> {
  return client.request({ method: 'DELETE', path: ['repos', repo, 'tags', tag] });
}

/** Point a branch to any commit of its repo. */
export function resetRef(
  client: IClient,
  repo: string,
  branch: string,
  body: Body<'resetRef'>
): Promise<api.Ref> {
  return client.request({
    method: 'POST',
    path: ['repos', repo, 'branches', branch, 'reset'],
    body
  });
}

/** Put a branch or tag back to what it was before its last move. */
export function undoRef(
  client: IClient,
  repo: string,
  ref: string,
  body: Body<'undoRef'> = {}
): Promise<api.RefMove> {
  return client.request({ method: 'POST', path: ['repos', repo, 'refs', ref, 'undo'], body });
}
