/**
 * What dialogs share that end in a pipeline being published.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IPromoted } from '../models/publishing';
import type { ActingDialog, IFollowed } from './acting-dialog';
import { runFollowing } from './acting-dialog';

/** A form of a pipeline. */
export interface IPublished extends IFollowed {
  readonly isComplete: boolean;
  readonly isPublishing: boolean;
  /** Whether there is a pipeline of this name. */
  readonly exists: boolean;
}

/** Run a dialog whose button says what publishing would do; return what it led to. */
export function runPublishing(
  dialog: ActingDialog<IPromoted>,
  model: IPublished,
  trans: TranslationBundle,
  begin: () => Promise<void> | void
): Promise<IPromoted | null> {
  dialog.addClass('jp-DatalakePromoteDialog');
  const follow = () => {
    dialog.setReady(model.isComplete);
    dialog.setAccept(
      model.isPublishing
        ? trans.__('Publishing…')
        : model.exists
          ? trans.__('Update and run')
          : trans.__('Create and run')
    );
  };
  return runFollowing(dialog, model, follow, begin);
}
