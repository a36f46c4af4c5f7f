/**
 * A failure in the place where it matters.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { errorIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFailure } from './errors';
import { describeError } from './errors';

/** What an {@link ErrorBanner} says and offers. */
export interface IErrorBannerProps {
  /** Nothing is shown for null. */
  error: IFailure | null;
  trans: TranslationBundle;
  onRetry?: () => void;
}

/** A failure in words, with a way to try again. */
export function ErrorBanner(props: IErrorBannerProps): React.JSX.Element | null {
  const { error, trans } = props;
  if (error === null) {
    return null;
  }
  return (
    <div className="jp-DatalakeErrorBanner" role="alert">
      <errorIcon.react tag="span" className="jp-DatalakeErrorBanner-icon" />
      <span className="jp-DatalakeErrorBanner-text">{describeError(error, trans)}</span>
      {props.onRetry && (
        <button type="button" className="jp-DatalakeLink" onClick={props.onRetry}>
          {trans.__('Try again')}
        </button>
      )}
    </div>
  );
}
