/**
 * How far a job's datums are.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { stateText, toneOf } from './state-badge';

/** What a {@link DatumProgress} shows. */
export interface IDatumProgressProps {
  total: number;
  /** Number of datums by state. */
  counts: Readonly<Record<string, number>>;
  trans: TranslationBundle;
}

const ORDER = ['success', 'recovered', 'skipped', 'failed', 'running'];

/** Return the counts as words: `12 success, 3 running`. */
export function countsText(
  counts: Readonly<Record<string, number>>,
  trans: TranslationBundle
): string {
  return [...ORDER, 'queued']
    .filter(state => (counts[state] ?? 0) > 0)
    .map(state => `${counts[state]} ${stateText(state, trans)}`)
    .join(', ');
}

/** A bar with one part per state. */
export function DatumProgress(props: IDatumProgressProps): React.JSX.Element | null {
  const { total, counts, trans } = props;
  if (total === 0) {
    return null;
  }
  const done = total - (counts.queued ?? 0) - (counts.running ?? 0);
  return (
    <div
      className="jp-DatalakeDatumProgress"
      role="progressbar"
      aria-label={trans.__('Datums')}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done}
      aria-valuetext={trans.__('%1 of %2 done', done, total)}
      title={countsText(counts, trans)}
    >
      {ORDER.filter(state => (counts[state] ?? 0) > 0).map(state => (
        <span
          key={state}
          className={`jp-DatalakeDatumProgress-part jp-mod-${toneOf(state)}`}
          style={{ width: `${((counts[state] ?? 0) / total) * 100}%` }}
        />
      ))}
    </div>
  );
}
