/**
 * Which pipelines stand between a warehouse table and the lake. Pure.
 */
import type * as api from '../api/types';

/** A pipeline that reads a warehouse by a query, or writes its output into a table. */
export interface ITableFlow {
  direction: 'read' | 'written';
  pipeline: api.Pipeline;
  /** The newest job; of the change or the time that is shown. */
  job: api.Job | null;
  /** Rows that it brought or wrote; null where that is not known. */
  rows: number | null;
}

/** Return the pipelines that read a table or write it, by the edges around it. */
export function flowsOf(
  table: string,
  edges: readonly api.LineageEdge[]
): [ITableFlow['direction'], string][] {
  const nameOf = (id: string) => id.slice(id.indexOf(':') + 1);
  return edges.flatMap(({ source, target }): [ITableFlow['direction'], string][] => {
    if (source === table) {
      return [['read', nameOf(target)]];
    }
    // Rows come from the output of a pipeline, which has its name.
    return target === table ? [['written', nameOf(source)]] : [];
  });
}
