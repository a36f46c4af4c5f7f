/**
 * Going back in time over the changes of the lake.
 */
import { Time } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { causeText } from './formats';

/** What a {@link TimeSlider} shows and does. */
export interface ITimeSliderProps {
  /** Newest first. */
  changes: readonly api.GlobalRecord[];
  hasOlder: boolean;
  /** The change that is shown; null for now. */
  value: api.GlobalRecord | null;
  trans: TranslationBundle;
  onChange: (change: api.GlobalRecord | null) => void;
  onOlder: () => void;
}

/** A slider with a step for each change; its right end is now. */
export function TimeSlider(props: ITimeSliderProps): React.JSX.Element {
  const { changes, value, trans } = props;
  const last = changes.length;
  const found = value === null ? -1 : changes.findIndex(({ id }) => id === value.id);
  const text =
    value === null
      ? trans.__('Now')
      : trans.__(
          '%1, %2',
          Time.format(value.created_at),
          causeText(value.origin, value.subject, trans)
        );
  return (
    <div className="jp-DatalakeTimeSlider" role="group" aria-label={trans.__('Time')}>
      {props.hasOlder && (
        <button type="button" className="jp-DatalakeLink" onClick={props.onOlder}>
          {trans.__('Older')}
        </button>
      )}
      <input
        type="range"
        aria-label={trans.__('The graph as it was after a change')}
        aria-valuetext={text}
        min={0}
        max={last}
        value={found === -1 ? last : last - 1 - found}
        disabled={last === 0}
        onChange={event => {
          const at = Number(event.target.value);
          props.onChange(at === last ? null : (changes[last - 1 - at] ?? null));
        }}
      />
      <output className="jp-DatalakeTimeSlider-text" title={text}>
        {text}
      </output>
      {value !== null && (
        <button type="button" className="jp-DatalakeLink" onClick={() => props.onChange(null)}>
          {trans.__('Back to now')}
        </button>
      )}
    </div>
  );
}
