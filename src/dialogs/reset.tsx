/**
 * Asking before a branch is reset: what leaves it, in numbers, and how that comes back.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { countCommits, diffCommits } from '../api/commits';
import type { IClient } from '../api/client';
import type * as api from '../api/types';
import { shortId } from '../components/formats';
import { confirm } from './confirm';

const MOST = 1000;

/** What a reset does to a branch. */
export interface IResetEffect {
  /** Commits that the branch leads to no more. */
  leaving: api.CommitCount;
  /** Commits that it did not lead to before. */
  coming: api.CommitCount;
  /** Paths on which its head becomes another, and whether there are more. */
  paths: number;
  hasMorePaths: boolean;
}

/** Return what a reset would do. */
export async function effectOf(
  client: IClient,
  repo: string,
  branch: string,
  to: string
): Promise<IResetEffect> {
  const [leaving, coming, changes] = await Promise.all([
    countCommits(client, repo, branch, { beyond: to, limit: MOST }),
    countCommits(client, repo, to, { beyond: branch, limit: MOST }),
    diffCommits(client, repo, { old: branch, new: to, limit: MOST })
  ]);
  return { leaving, coming, paths: changes.results.length, hasMorePaths: changes.has_more };
}

/** Ask whether a branch is to point elsewhere. */
export function confirmReset(
  target: { repo: string; branch: string; to: string },
  effect: IResetEffect,
  trans: TranslationBundle
): Promise<boolean> {
  const { repo, branch, to } = target;
  return confirm(
    trans.__('Reset %1 to %2', `${repo}@${branch}`, shortId(to)),
    <div className="jp-DatalakeReset">
      <ul>
        <li>{leavingText(effect.leaving, branch, trans)}</li>
        {effect.coming.count > 0 && (
          <li>
            {trans._n('%1 commit comes in.', '%1 commits come in.', effect.coming.count) +
              (effect.coming.has_more ? ' …' : '')}
          </li>
        )}
        <li>
          {effect.hasMorePaths
            ? trans.__('More than %1 paths change.', effect.paths)
            : trans._n('%1 path changes.', '%1 paths change.', effect.paths)}
        </li>
      </ul>
      <p>
        {trans.__(
          'The commits are kept, and the reflog says where the branch was: until gc removes what nothing leads to, this brings it back:'
        )}
      </p>
      <code>{`datalake refs undo ${repo} ${branch}`}</code>
    </div>,
    trans.__('Reset'),
    trans
  );
}

function leavingText(leaving: api.CommitCount, branch: string, trans: TranslationBundle): string {
  return leaving.has_more
    ? trans.__('More than %1 commits leave %2.', leaving.count, branch)
    : trans._n('%1 commit leaves %2.', '%1 commits leave %2.', leaving.count, branch);
}
