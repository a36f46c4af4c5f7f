/**
 * How far a mount is behind its branch.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';

/** What the server counts to. */
const MAX_BEHIND = 1000;

/** Return how far a mount is behind in a few words, and in full; null if it is not. */
export function behindText(
  mount: api.Mount,
  trans: TranslationBundle
): { short: string; long: string } | null {
  const standing = mount.standing;
  if (standing === null) {
    return { short: trans.__('gone'), long: trans.__('What it shows is not in the lake any more') };
  }
  const { behind, branch } = standing;
  if (behind === null) {
    return {
      short: trans.__('no branch'),
      long: trans.__('The branch %1, on which this was committed, is gone', branch)
    };
  }
  if (behind === 0) {
    return null;
  }
  const count = behind >= MAX_BEHIND ? `${MAX_BEHIND}+` : `${behind}`;
  return {
    short: trans.__('%1 behind', count),
    long: trans._n(
      '%2 has %1 commit that is not shown here',
      '%2 has %1 commits that are not shown here',
      behind,
      branch
    )
  };
}

/** A tag that says how far behind a mount is; nothing if it is not. */
export function BehindTag(props: {
  mount: api.Mount;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const text = behindText(props.mount, props.trans);
  return (
    text && (
      <span className="jp-DatalakeTag jp-mod-warn" title={text.long}>
        {text.short}
      </span>
    )
  );
}
