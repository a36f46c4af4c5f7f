/**
 * Times as people think of them, kept true while they are shown.
 */
import { Time } from '@jupyterlab/coreutils';
import * as React from 'react';

import { formatDuration, secondsBetween } from './formats';

const AGO_MS = 20_000;
const SECOND_MS = 1000;

/** Render again every so often; never for null. */
function useTicking(interval_ms: number | null): void {
  const [, tick] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    if (interval_ms === null) {
      return undefined;
    }
    const timer = window.setInterval(tick, interval_ms);
    return () => window.clearInterval(timer);
  }, [interval_ms]);
}

/** A time as the span since then; the time itself on hover. */
export function Ago({ time }: { time: string }): React.JSX.Element {
  useTicking(AGO_MS);
  return (
    <time className="jp-DatalakeAgo" dateTime={time} title={Time.format(time)}>
      {Time.formatHuman(time, 'narrow')}
    </time>
  );
}

/** How long something took, or has taken so far. */
export function Duration(props: { start: string; end: string | null }): React.JSX.Element {
  useTicking(props.end === null ? SECOND_MS : null);
  return <span>{formatDuration(secondsBetween(props.start, props.end))}</span>;
}
