/**
 * What begins a trial: how many datums, and why one could not be begun.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IFailure } from './errors';
import { ErrorBanner } from './error-banner';
import { InSight } from './in-sight';

/** What a {@link TrialForm} shows and does. */
export interface ITrialFormProps {
  /** As typed. */
  count: string;
  isCount: boolean;
  isRunning: boolean;
  /** Whether there is a spec that can be tried. */
  isReady: boolean;
  /** The step that is yet to write what this one reads; empty if all is there. */
  awaited: string;
  /** How many datums are chosen, and whether so many can be tried. */
  chosen: number;
  isChosen: boolean;
  /** The list to choose from, while it is looked at. */
  choice: React.ReactNode;
  isChoosing: boolean;
  refusal: IFailure | null;
  trans: TranslationBundle;
  onCount: (count: string) => void;
  onChoosing: (isChoosing: boolean) => void;
  /** Try the datums that are chosen, or the first ones. */
  onTry: (isChosen: boolean) => void;
}

/** A button, and the number of datums it runs. */
export function TrialForm(props: ITrialFormProps): React.JSX.Element {
  const { count, isCount, isRunning, awaited, trans } = props;
  if (awaited !== '') {
    return (
      <p className="jp-DatalakeNote" role="status">
        {trans.__('It can be tried once %1, whose output it reads, has run.', awaited)}
      </p>
    );
  }
  return (
    <>
      <div className="jp-DatalakeTrialForm" role="group" aria-label={trans.__('Try it')}>
        <button
          type="button"
          className="jp-DatalakeButton jp-mod-styled"
          disabled={isRunning || !isCount || !props.isReady}
          title={trans.__('Run it as it stands here; nothing is published or committed')}
          onClick={() => props.onTry(false)}
        >
          {isRunning ? trans.__('Trying…') : trans.__('Try on the first')}
        </button>
        <input
          className="jp-DatalakeField jp-DatalakeTrialForm-count"
          type="number"
          min={1}
          max={100}
          aria-label={trans.__('Datums to try')}
          aria-invalid={!isCount || undefined}
          value={count}
          onChange={event => props.onCount(event.target.value)}
        />
        <span>{count === '1' ? trans.__('datum') : trans.__('datums')}</span>
      </div>
      <details
        className="jp-DatalakeForm-more"
        open={props.isChoosing}
        onToggle={event => props.onChoosing(event.currentTarget.open)}
      >
        <summary>{trans.__('Choose datums')}</summary>
        {props.isChoosing && (
          <>
            {props.choice}
            <button
              type="button"
              className="jp-DatalakeButton jp-mod-styled jp-DatalakeTrialForm-chosen"
              disabled={isRunning || !props.isChosen || !props.isReady}
              title={props.chosen > 100 ? trans.__('At most 100 can be tried at once') : undefined}
              onClick={() => props.onTry(true)}
            >
              {props.chosen === 0
                ? trans.__('Try these')
                : trans._n('Try this one', 'Try these %1', props.chosen)}
            </button>
          </>
        )}
      </details>
      <InSight mark={props.refusal?.message ?? ''}>
        <ErrorBanner error={props.refusal} trans={trans} />
      </InSight>
    </>
  );
}
