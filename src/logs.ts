/**
 * What views and models of logs have in common.
 */
import type * as api from './api/types';

/** What was searched for in logs, and what is found of it so far. */
export interface ILogSearch {
  text: string;
  lines: readonly api.LogLine[];
  hasMore: boolean;
  isBusy: boolean;
  /** Why it could not go on; empty if it could. */
  problem: string;
}
