/**
 * Committing what is staged, from the command palette.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type * as api from '../api/types';
import type { IStagedCount } from '../models/sessions';
import { showFieldsDialog } from './fields-dialog';

/** Ask for a message and commit; return null if it was not done. */
export function showCommit(
  session: api.Session,
  { count, hasMore }: IStagedCount,
  trans: TranslationBundle,
  commit: (message: string) => Promise<api.Commit>
): Promise<api.Commit | null> {
  return showFieldsDialog({
    title: trans.__('Commit to %1@%2', session.repo, session.branch),
    accept: trans.__('Commit'),
    fields: {
      message: {
        label: trans.__('Message'),
        help: hasMore
          ? trans.__('More than %1 paths have changed', count.toLocaleString())
          : trans._n('%1 path has changed', '%1 paths have changed', count),
        pattern: /\S/,
        isLong: true
      }
    },
    trans,
    act: ({ message }) => commit(message)
  });
}
