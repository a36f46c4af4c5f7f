/**
 * Asking before something is lost.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type * as api from '../api/types';

/** Ask before something is lost; the safe answer is the one that Enter gives. */
export async function confirm(
  title: string,
  text: string,
  accept: string,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title,
    body: text,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: accept })
    ],
    defaultButton: 0
  });
  return button.accept;
}

/** Ask before the change of a path, or a number of changes, is discarded. */
export function confirmDiscard(
  session: api.Session,
  what: string | number,
  trans: TranslationBundle
): Promise<boolean> {
  const address = `${session.repo}@${session.branch}`;
  return confirm(
    trans.__('Discard Changes'),
    typeof what === 'string'
      ? trans.__('The change of %1 in %2 will be lost.', what, address)
      : trans._n('%1 change in %2 will be lost.', '%1 changes in %2 will be lost.', what, address),
    trans.__('Discard'),
    trans
  );
}
