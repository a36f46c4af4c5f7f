/**
 * How long runs took, by when they began; one of them can be reached by the arrow keys.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Time } from '@jupyterlab/coreutils';
import * as React from 'react';

import type * as api from '../api/types';
import { formatDuration, secondsBetween } from './formats';
import { stateText, toneOf } from './state-badge';

const HEIGHT = 90;
const LEAST = 3;
const BAR = 12;
const GAP = 4;
const MOST = 60;

/** What a {@link RunChart} shows and does. */
export interface IRunChartProps {
  /** Newest first. */
  jobs: readonly api.Job[];
  trans: TranslationBundle;
  onOpen: (job: api.Job) => void;
}

/** A bar for each run that has begun, oldest on the left. */
export function RunChart({ jobs, trans, onOpen }: IRunChartProps): React.JSX.Element | null {
  const runs = jobs.filter(job => job.started_at !== null).slice(0, MOST);
  runs.reverse();
  const [chosen, choose] = React.useState<string | null>(null);
  const bars = React.useRef(new Map<string, SVGGElement>());
  if (runs.length === 0) {
    return null;
  }
  const seconds = runs.map(job => secondsBetween(job.started_at ?? '', job.finished_at));
  const longest = Math.max(...seconds, 0.001);
  const at = Math.max(
    runs.findIndex(job => job.id === chosen),
    chosen === null ? runs.length - 1 : 0
  );
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: runs.length - 1 }[
      event.key
    ];
    const job = next === undefined ? undefined : runs[next];
    if (job) {
      event.preventDefault();
      choose(job.id);
      bars.current.get(job.id)?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      const opened = runs[at];
      if (opened) {
        onOpen(opened);
      }
    }
  };
  const width = runs.length * (BAR + GAP);
  return (
    <figure className="jp-DatalakeRunChart">
      <svg
        width={width}
        height={HEIGHT}
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="group"
        aria-label={trans.__('Durations of runs by start, the longest %1', formatDuration(longest))}
        onKeyDown={onKeyDown}
      >
        {runs.map((job, index) => {
          const took = seconds[index] ?? 0;
          const height = Math.max(LEAST, (took / longest) * HEIGHT);
          const label = labelOf(job, took, trans);
          return (
            <g
              key={job.id}
              ref={node => {
                if (node) {
                  bars.current.set(job.id, node);
                } else {
                  bars.current.delete(job.id);
                }
              }}
              role="button"
              tabIndex={index === at ? 0 : -1}
              aria-label={label}
              className={`jp-DatalakeRunChart-bar jp-mod-${toneOf(job.state)}`}
              data-state={job.state}
              onFocus={() => choose(job.id)}
              onClick={() => onOpen(job)}
            >
              <title>{label}</title>
              <rect
                className="jp-DatalakeRunChart-space"
                x={index * (BAR + GAP)}
                y={0}
                width={BAR + GAP}
                height={HEIGHT}
              />
              <rect
                x={index * (BAR + GAP) + GAP / 2}
                y={HEIGHT - height}
                width={BAR}
                height={height}
                rx={2}
              />
            </g>
          );
        })}
      </svg>
      <figcaption className="jp-DatalakeNote">
        {trans._n(
          '%1 run by start; the longest took %2',
          '%1 runs by start; the longest took %2',
          runs.length,
          formatDuration(longest)
        )}
      </figcaption>
    </figure>
  );
}

function labelOf(job: api.Job, seconds: number, trans: TranslationBundle): string {
  return trans.__(
    '%1 #%2, %3, %4, began %5',
    job.pipeline,
    job.number,
    stateText(job.state, trans),
    formatDuration(seconds),
    Time.format(job.started_at ?? '')
  );
}
