/**
 * Creating a branch or a tag.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type * as api from '../api/types';
import { shortId } from '../components/formats';
import { showFieldsDialog } from './fields-dialog';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;
const COMMIT_ID = /^[0-9a-f]{64}$/;

/** What is created where. */
export interface INewRef {
  kind: api.RefKind;
  repo: string;
  /** Ref expression of the commit. */
  at: string;
}

/** Ask for a name and create the ref; return null if it was not done. */
export function showCreateRef(
  ref: INewRef,
  trans: TranslationBundle,
  create: (name: string, at: string) => Promise<api.Ref>
): Promise<api.Ref | null> {
  return showFieldsDialog({
    title:
      ref.kind === 'branch'
        ? trans.__('New Branch of %1', ref.repo)
        : trans.__('New Tag in %1', ref.repo),
    accept: trans.__('Create'),
    fields: {
      name: {
        label: trans.__('Name'),
        pattern: NAME,
        problem: trans.__('Letters, digits, dots, dashes and underscores')
      },
      at: {
        label: trans.__('At'),
        help: trans.__('A branch, tag or commit; also main~3 or main@2026-01-31'),
        value: COMMIT_ID.test(ref.at) ? shortId(ref.at) : ref.at,
        pattern: /\S/
      }
    },
    trans,
    act: ({ name, at }) => create(name, at.trim())
  });
}
