/**
 * Asking before something is lost.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type * as React from 'react';

import type * as api from '../api/types';
import type { IStagedCount } from '../models/sessions';

/** Ask before something is lost; the safe answer is the one that Enter gives. */
export async function confirm(
  title: string,
  text: string | React.ReactElement,
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

/** What is about to be discarded: of one path, all below a folder, or a number of changes. */
export type Discarded = { path: string } | { folder: string } | IStagedCount;

/** Ask before changes are discarded. */
export function confirmDiscard(
  session: api.Session,
  what: Discarded,
  trans: TranslationBundle
): Promise<boolean> {
  return confirm(
    trans.__('Discard Changes'),
    lossOf(what, `${session.repo}@${session.branch}`, trans),
    trans.__('Discard'),
    trans
  );
}

function lossOf(what: Discarded, address: string, trans: TranslationBundle): string {
  if ('path' in what) {
    return trans.__('The change of %1 in %2 will be lost.', what.path, address);
  }
  if ('folder' in what) {
    return trans.__('All changes below %1 in %2 will be lost.', what.folder, address);
  }
  if (what.hasMore) {
    return trans.__(
      'More than %1 changes in %2 will be lost.',
      what.count.toLocaleString(),
      address
    );
  }
  return trans._n(
    '%1 change in %2 will be lost.',
    '%1 changes in %2 will be lost.',
    what.count,
    address
  );
}
