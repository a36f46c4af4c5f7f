/**
 * States of jobs and datums: a colour and a word, never the colour alone.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/** How good or bad a state is; gives the colour. */
export type Tone = 'idle' | 'busy' | 'good' | 'quiet' | 'warn' | 'bad';

const TONES: Readonly<Record<string, Tone>> = {
  waiting: 'idle',
  queued: 'idle',
  running: 'busy',
  egressing: 'busy',
  success: 'good',
  committed: 'good',
  recovered: 'warn',
  skipped: 'quiet',
  unchanged: 'quiet',
  'cut-off': 'quiet',
  paused: 'warn',
  cancelled: 'warn',
  lost: 'warn',
  failed: 'bad'
};

/** Return how good or bad a state is. */
export function toneOf(state: string): Tone {
  return TONES[state] ?? 'idle';
}

/** Return a state as a word. */
export function stateText(state: string, trans: TranslationBundle): string {
  switch (state) {
    case 'waiting':
      return trans.__('waiting');
    case 'queued':
      return trans.__('queued');
    case 'running':
      return trans.__('running');
    case 'egressing':
      return trans.__('writing rows');
    case 'success':
      return trans.__('success');
    case 'committed':
      return trans.__('committed');
    case 'recovered':
      return trans.__('recovered');
    case 'skipped':
      return trans.__('skipped');
    case 'unchanged':
      return trans.__('unchanged');
    case 'cut-off':
      return trans.__('cut off');
    case 'paused':
      return trans.__('paused');
    case 'cancelled':
      return trans.__('cancelled');
    case 'lost':
      return trans.__('lost');
    case 'failed':
      return trans.__('failed');
    default:
      return state;
  }
}

/** Return what a state means, where the word alone does not say it. */
export function stateHelp(state: string, trans: TranslationBundle): string {
  switch (state) {
    case 'waiting':
      return trans.__('For jobs upstream, for earlier jobs of the pipeline, or for a controller');
    case 'unchanged':
      return trans.__('It ran, and its output is what it was: no commit, nothing downstream runs');
    case 'cut-off':
      return trans.__('It did not run: nothing upstream changed');
    case 'skipped':
      return trans.__('Already done with the same data and code: the earlier result is used');
    case 'lost':
      return trans.__('Its controller vanished; it is taken up again');
    case 'egressing':
      return trans.__('The output is committed; its rows are being written to a warehouse');
    default:
      return '';
  }
}

/** What a {@link StateBadge} shows. */
export interface IStateBadgeProps {
  state: string;
  /** What a success left behind; of one that left nothing this is shown instead. */
  outcome?: string | null;
  trans: TranslationBundle;
}

/** A state as a coloured word. */
export function StateBadge({ state, outcome, trans }: IStateBadgeProps): React.JSX.Element {
  const isQuiet = state === 'success' && outcome && toneOf(outcome) === 'quiet';
  const shown = isQuiet ? outcome : state;
  return (
    <span
      className={`jp-DatalakeStateBadge jp-mod-${toneOf(shown)}`}
      title={stateHelp(shown, trans) || undefined}
      data-state={state}
    >
      {stateText(shown, trans)}
    </span>
  );
}
