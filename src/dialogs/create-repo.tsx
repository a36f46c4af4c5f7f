/**
 * Creating a repo, and saying what it is.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type * as api from '../api/types';
import { showFieldsDialog } from './fields-dialog';

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}(\/[a-z0-9][a-z0-9._-]{0,62})?$/;

/** Ask for a name and create the repo; return null if it was not done. */
export function showCreateRepo(
  trans: TranslationBundle,
  create: (name: string, description: string) => Promise<api.Repo>
): Promise<api.Repo | null> {
  return showFieldsDialog({
    title: trans.__('Create a Repo'),
    accept: trans.__('Create'),
    fields: {
      name: {
        label: trans.__('Name'),
        help: trans.__('As in “sales” or “team/sales”'),
        pattern: NAME,
        problem: trans.__('Lower-case letters, digits, dots, dashes and underscores')
      },
      description: { label: trans.__('Description'), help: trans.__('Optional') }
    },
    trans,
    act: ({ name, description }) => create(name, description.trim())
  });
}

/** Ask what a repo is and keep it; return null if it was not done. */
export function showDescribeRepo(
  repo: string,
  description: string,
  trans: TranslationBundle,
  describe: (description: string) => Promise<api.Repo>
): Promise<api.Repo | null> {
  return showFieldsDialog({
    title: trans.__('Describe %1', repo),
    accept: trans.__('Save'),
    fields: {
      description: {
        label: trans.__('Description'),
        help: trans.__('Shown with the repo, and found by the search'),
        value: description,
        isLong: true
      }
    },
    trans,
    act: values => describe(values.description.trim())
  });
}
