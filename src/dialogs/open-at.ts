/**
 * Choosing the commit at which a file is opened.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFile } from '../models/lineage-sheet';
import { showFieldsDialog } from './fields-dialog';

/** Ask for a ref and open the file there; return null if it was not done. */
export function showOpenAt(
  file: IFile,
  choices: readonly { value: string; label: string }[],
  trans: TranslationBundle,
  open: (ref: string) => Promise<true>
): Promise<true | null> {
  return showFieldsDialog({
    title: trans.__('Open %1 at a commit', file.path.split('/').pop() ?? ''),
    accept: trans.__('Open'),
    fields: {
      ref: {
        label: trans.__('Branch, tag or commit'),
        help: trans.__('Also main~3 or main@2026-01-31. Below: refs, and commits of this file.'),
        value: choices[0]?.value ?? file.ref,
        pattern: /\S/,
        choices
      }
    },
    trans,
    act: ({ ref }) => open(ref.trim())
  });
}
