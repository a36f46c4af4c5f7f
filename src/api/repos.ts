/**
 * Operations on repos.
 */
import type { Body, IClient, Query } from './client';
import type * as api from './types';

/** Return a page of repos by name, each with its newest commit. */
export function listRepos(client: IClient, query: Query<'listRepos'> = {}): Promise<api.RepoPage> {
  return client.request({ path: ['repos'], query });
}

/** Create a repo with an empty first commit on its branch main. */
export function createRepo(client: IClient, body: Body<'createRepo'>): Promise<api.Repo> {
  return client.request({ method: 'POST', path: ['repos'], body });
}

/** Return one repo. */
export function getRepo(client: IClient, repo: string): Promise<api.Repo> {
  return client.request({ path: ['repos', repo] });
}

/** Replace a repo's description. */
export function updateRepo(
  client: IClient,
  repo: string,
  body: Body<'updateRepo'>
): Promise<api.Repo> {
  return client.request({ method: 'PATCH', path: ['repos', repo], body });
}

/** Remove a repo that nothing uses, with its history. */
export function deleteRepo(client: IClient, repo: string): Promise<void> {
  return client.request({ method: 'DELETE', path: ['repos', repo] });
}
