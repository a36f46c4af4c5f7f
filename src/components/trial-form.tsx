/**
 * What begins a trial: how many datums, and why one could not be begun.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IFailure } from './errors';
import { ErrorBanner } from './error-banner';

/** What a {@link TrialForm} shows and does. */
export interface ITrialFormProps {
  /** As typed. */
  count: string;
  isCount: boolean;
  isRunning: boolean;
  /** Whether there is a spec that can be tried. */
  isReady: boolean;
  refusal: IFailure | null;
  trans: TranslationBundle;
  onCount: (count: string) => void;
  onTry: () => void;
}

/** A button, and the number of datums it runs. */
export function TrialForm(props: ITrialFormProps): React.JSX.Element {
  const { count, isCount, isRunning, trans } = props;
  return (
    <>
      <div className="jp-DatalakeTrialForm" role="group" aria-label={trans.__('Try it')}>
        <button
          type="button"
          className="jp-DatalakeButton jp-mod-styled"
          disabled={isRunning || !isCount || !props.isReady}
          title={trans.__('Run it as it stands here; nothing is published or committed')}
          onClick={props.onTry}
        >
          {isRunning ? trans.__('Trying…') : trans.__('Try on')}
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
      <ErrorBanner error={props.refusal} trans={trans} />
    </>
  );
}
