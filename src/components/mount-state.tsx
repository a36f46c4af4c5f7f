/**
 * How a mount is doing.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';

/** How a mount is doing, in a colour and in words. */
export interface IMountState {
  modifier: 'ready' | 'busy' | 'bad';
  text: string;
}

/** Return how a mount is doing. */
export function mountState(
  mount: api.Mount,
  point: api.Mountpoint | undefined,
  trans: TranslationBundle
): IMountState {
  switch (point?.state ?? 'ready') {
    case 'starting':
      return { modifier: 'busy', text: trans.__('Mounting…') };
    case 'stale':
      return { modifier: 'busy', text: trans.__('The mount was lost and is being restored') };
    case 'stopped':
      return { modifier: 'bad', text: trans.__('The mount point is stopped') };
    case 'failed':
      return { modifier: 'bad', text: point?.message || trans.__('The mount failed') };
    case 'ready':
      break;
  }
  const place = mount.contents_path ?? mount.path;
  return {
    modifier: 'ready',
    text: mount.is_writable
      ? trans.__('Mounted at %1, writable', place)
      : trans.__('Mounted at %1, read-only', place)
  };
}

/** That, as a dot; hollow for what is not mounted. */
export function MountDot(props: {
  state: IMountState | undefined;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { state, trans } = props;
  const text = state?.text ?? trans.__('Not mounted');
  return (
    <span
      className={`jp-DatalakeMountDot jp-mod-${state?.modifier ?? 'none'}`}
      role="img"
      aria-label={text}
      title={text}
    />
  );
}
