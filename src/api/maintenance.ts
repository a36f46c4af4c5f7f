/**
 * Operations on the lake as a whole.
 */
import type { IClient } from './client';
import type * as api from './types';

/** Return what the lake is, how much it holds, and whether its pipelines run. */
export function getStatus(client: IClient): Promise<api.Status> {
  return client.request({ path: ['status'] });
}
