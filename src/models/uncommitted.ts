/**
 * Files that no commit has, compared with what a branch holds: staged ones, and those of trials.
 */
import type { IByteClient } from '../api/client';
import { readFile } from '../api/files';
import {
  diffSession,
  diffSessionTable,
  diffSessionText,
  getSession,
  readSession
} from '../api/sessions';
import { diffTrialTable, diffTrialText, listTrialDifferences, readTrial } from '../api/trials';
import type * as api from '../api/types';

/** Where files are that no commit has. */
export interface IUncommitted {
  /** Return how a file differs as a text. */
  text(query: { path: string; limit: number }, signal: AbortSignal): Promise<api.TextDiff>;
  /** Return how a table differs. */
  table(
    query: { path: string; key?: string; limit: number },
    signal: AbortSignal
  ): Promise<api.TableDiff>;
  /** Return the change of a path; undefined where it is as the branch holds it. */
  change(path: string): Promise<api.Change | undefined>;
  /** Return the bytes of a file, as it is now or as the branch holds it. */
  read(path: string, side: 'old' | 'new', signal: AbortSignal): Promise<ArrayBuffer>;
}

/**
 * Files that are staged in a session.
 *
 * @param base - returns the ref that they are compared with; undefined for what is below them.
 */
export function stagedIn(
  client: IByteClient,
  { repo, session }: { repo: string; session: string },
  base: () => string | undefined
): IUncommitted {
  return {
    text: (query, signal) => diffSessionText(client, session, { ...query, old: base() }, signal),
    table: (query, signal) => diffSessionTable(client, session, { ...query, old: base() }, signal),
    change: async path => {
      const { results } = await diffSession(client, session, { old: base(), path, limit: 1 });
      return results.find(one => one.path === path);
    },
    read: async (path, side, signal) => {
      if (side === 'new') {
        return readSession(client, session, { path }, signal);
      }
      const old = base() ?? (await getSession(client, session)).base_commit_id;
      return readFile(client, repo, old, { path }, signal);
    }
  };
}

/** Return whether a session holds a change of a path. */
export async function isStaged(
  client: IByteClient,
  session: string,
  path: string
): Promise<boolean> {
  const { results } = await diffSession(client, session, { path, limit: 1 });
  return results.some(one => one.path === path);
}

/** Files that a trial wrote: all of its datums together, or one of them. */
export function triedIn(client: IByteClient, trial: string, datum?: number): IUncommitted {
  return {
    text: (query, signal) => diffTrialText(client, trial, { ...query, datum }, signal),
    table: (query, signal) => diffTrialTable(client, trial, { ...query, datum }, signal),
    change: async path => {
      const after = before(path);
      const { results } = await listTrialDifferences(client, trial, { datum, after, limit: 1000 });
      return results.find(one => one.path === path);
    },
    read: (path, side, signal) =>
      readTrial(client, trial, { path, datum, base: side === 'old' }, signal)
  };
}

/** Return a place that a list by path can begin behind, not far before a path. */
function before(path: string): string | undefined {
  const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
  return folder || undefined;
}
