/**
 * What is left of a session that is gone.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { Ago } from './ago';
import { ErrorBanner } from './error-banner';

/** What a {@link DraftNote} shows and does. */
export interface IDraftNoteProps {
  draft: api.SessionDraft;
  /** Why it could not be recovered. */
  error: api.Error | null;
  isBusy: boolean;
  trans: TranslationBundle;
  onRecover: () => void;
}

/** A draft, with a way to make a session of it again. */
export function DraftNote(props: IDraftNoteProps): React.JSX.Element {
  const { draft, trans } = props;
  return (
    <div className="jp-DatalakeNote jp-mod-warn" data-draft={draft.session_id}>
      {trans._n(
        '%2 had %1 change that was not committed, and its session is gone. Saved',
        '%2 had %1 changes that were not committed, and their session is gone. Saved',
        draft.changes,
        `${draft.repo}@${draft.branch}`
      )}{' '}
      <Ago time={draft.saved_at} />.{' '}
      <button
        type="button"
        className="jp-DatalakeLink"
        disabled={props.isBusy}
        onClick={props.onRecover}
      >
        {trans.__('Recover')}
      </button>
      <ErrorBanner error={props.error} trans={trans} />
    </div>
  );
}
