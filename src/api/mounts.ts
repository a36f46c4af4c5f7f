/**
 * Operations on mounts below the server's mount point.
 */
import type { Body, IClient, Query } from './client';
import type * as api from './types';

/** Return what is mounted, by path. */
export function listMounts(client: IClient): Promise<api.MountPage> {
  return client.request({ path: ['mounts'] });
}

/** Mount a repo. */
export function createMount(client: IClient, body: Body<'createMount'>): Promise<api.Mount> {
  return client.request({ method: 'POST', path: ['mounts'], body });
}

/** Unmount; a session with staged changes stays unless they are to be discarded. */
export function deleteMount(
  client: IClient,
  mount: string,
  query: Query<'deleteMount'> = {}
): Promise<void> {
  return client.request({ method: 'DELETE', path: ['mounts', mount], query });
}

/** Show another ref in the same folder; what is staged stays with its branch. */
export function switchMount(
  client: IClient,
  mount: string,
  body: Body<'switchMount'>
): Promise<api.Mount> {
  return client.request({ method: 'POST', path: ['mounts', mount, 'switches'], body });
}

/** Return the folders that show repos, and how the processes behind them are doing. */
export function listMountpoints(client: IClient): Promise<api.MountpointPage> {
  return client.request({ path: ['mountpoints'] });
}
