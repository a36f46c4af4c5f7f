/**
 * Operations on lineage: the graph, and changes with all they set off.
 */
import type { IClient, Query } from './client';
import type * as api from './types';

/** Return global ids, newest first; each is one change and all it set off. */
export function listLineage(
  client: IClient,
  query: Query<'listLineage'> = {}
): Promise<api.GlobalPage> {
  return client.request({ path: ['globals'], query });
}

/** Return which programs opened which files, newest first. */
export function listObserved(
  client: IClient,
  query: Query<'listObserved'>
): Promise<api.ObservationPage> {
  return client.request({ path: ['observed'], query });
}

/** Return the jobs and commits under a global id. */
export function getGlobal(client: IClient, globalId: string): Promise<api.GlobalLineage> {
  return client.request({ path: ['globals', globalId] });
}

/** Return what a commit, or a file of it, was made from, and what was made from it. */
export function getLineage(
  client: IClient,
  repo: string,
  ref: string,
  path: string
): Promise<api.Lineage> {
  return client.request({ path: ['repos', repo, 'refs', ref, 'lineage'], query: { path } });
}

/** Return the graph of repos, pipelines, clocks and warehouse tables. */
export function getGraph(
  client: IClient,
  query: Query<'getGraph'> = {}
): Promise<api.LineageGraph> {
  return client.request({ path: ['graph'], query });
}
