/**
 * Choosing what a mounted folder shows.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type * as api from '../api/types';
import { showFieldsDialog } from './fields-dialog';

/** Ask for a ref and switch; return null if it was not done. */
export function showSwitchMount(
  mount: api.Mount,
  trans: TranslationBundle,
  act: (ref: string) => Promise<api.Mount>
): Promise<api.Mount | null> {
  return showFieldsDialog({
    title: trans.__('Switch %1', mount.name),
    accept: trans.__('Switch'),
    fields: {
      ref: {
        label: trans.__('Show'),
        help: trans.__(
          'A branch, tag or commit; also main~3 or main@2026-01-31. What is not committed stays with %1.',
          mount.ref
        ),
        value: mount.ref,
        pattern: /\S/
      }
    },
    trans,
    act: ({ ref }) => act(ref.trim())
  });
}
