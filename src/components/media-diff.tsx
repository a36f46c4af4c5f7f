/**
 * Two versions of an image or sound: beside each other, or one over the other.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { formatBytes } from './formats';
import { useSides } from './sides';

/** An image or sound at an address of this browser. */
export interface IMedia {
  readonly url: string;
  /** Null where it is not worth saying. */
  readonly size_bytes: number | null;
}

/** What a {@link MediaDiff} compares; null for a version that is not there. */
export interface IMediaDiffProps {
  old: IMedia | null;
  new: IMedia | null;
  isAudio: boolean;
  trans: TranslationBundle;
}

const MODES = ['side', 'swipe', 'onion'] as const;
type Mode = (typeof MODES)[number];

const MIDDLE = 50;

/** Two images, to be swiped or seen through, or two sounds. */
export function MediaDiff(props: IMediaDiffProps): React.JSX.Element {
  const { old, isAudio, trans } = props;
  const [before, now] = useSides(trans);
  const [chosen, setMode] = React.useState<Mode>('side');
  const canOverlay = !isAudio && old !== null && props.new !== null;
  const mode = canOverlay ? chosen : 'side';
  return (
    <div className="jp-DatalakeMediaDiff">
      {canOverlay && (
        <div
          className="jp-DatalakeChips"
          role="group"
          aria-label={trans.__('How the images are compared')}
        >
          {MODES.map(one => (
            <button
              key={one}
              type="button"
              className="jp-DatalakeChip"
              aria-pressed={mode === one}
              onClick={() => setMode(one)}
            >
              {modeText(one, trans)}
            </button>
          ))}
        </div>
      )}
      {mode !== 'side' && old && props.new ? (
        <Overlay mode={mode} old={old} new={props.new} trans={trans} />
      ) : (
        <div className="jp-DatalakeMediaDiff-sides">
          <Side {...props} title={before} media={old} />
          <Side {...props} title={now} media={props.new} />
        </div>
      )}
    </div>
  );
}

function modeText(mode: Mode, trans: TranslationBundle): string {
  switch (mode) {
    case 'side':
      return trans.__('Side by side');
    case 'swipe':
      return trans.__('Swipe');
    case 'onion':
      return trans.__('Onion skin');
  }
}

/** One image over the other; a slider says how much of which is seen. */
function Overlay(props: {
  mode: 'swipe' | 'onion';
  old: IMedia;
  new: IMedia;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { mode, trans } = props;
  const [share, setShare] = React.useState(MIDDLE);
  const [before, now] = useSides(trans);
  const shown =
    mode === 'swipe' ? { clipPath: `inset(0 0 0 ${share}%)` } : { opacity: share / 100 };
  return (
    <div className={`jp-DatalakeMediaDiff-overlay jp-mod-${mode}`}>
      <div className="jp-DatalakeMediaDiff-stack">
        <img src={props.old.url} alt={before} draggable={false} />
        <img src={props.new.url} alt={now} draggable={false} style={shown} />
        {mode === 'swipe' && (
          <span className="jp-DatalakeMediaDiff-edge" style={{ left: `${share}%` }} />
        )}
      </div>
      <label className="jp-DatalakeMediaDiff-slider">
        <span>{before}</span>
        <input
          type="range"
          min={0}
          max={100}
          value={share}
          aria-label={
            mode === 'swipe'
              ? trans.__('Where the new image begins, in percent')
              : trans.__('How much of the new image is seen, in percent')
          }
          onChange={event => setShare(Number(event.target.value))}
        />
        <span>{now}</span>
      </label>
    </div>
  );
}

function Side(props: IMediaDiffProps & { title: string; media: IMedia | null }): React.JSX.Element {
  const { media, title, trans } = props;
  const [size, setSize] = React.useState('');
  return (
    <figure className="jp-DatalakeMediaDiff-side" aria-label={title}>
      <figcaption>
        {title}
        {typeof media?.size_bytes === 'number' && ` · ${formatBytes(media.size_bytes)}`}
        {size && ` · ${size}`}
      </figcaption>
      {media === null ? (
        <p className="jp-DatalakeNote">{trans.__('It was not there.')}</p>
      ) : props.isAudio ? (
        <audio controls src={media.url} aria-label={title} />
      ) : (
        <img
          src={media.url}
          alt={title}
          onLoad={event => {
            const { naturalWidth, naturalHeight } = event.currentTarget;
            setSize(`${naturalWidth} × ${naturalHeight}`);
          }}
        />
      )}
    </figure>
  );
}
