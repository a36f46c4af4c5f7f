/**
 * The datums that the inputs of a pipeline make.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import type { IFailure } from './errors';
import { describeError } from './errors';
import { formatBytes } from './formats';

/** What a {@link DatumPreview} shows. */
export interface IDatumPreviewProps {
  preview: api.Preview | null;
  error: IFailure | null;
  isLoading: boolean;
  trans: TranslationBundle;
}

/** How many datums there are, and which. */
export function DatumPreview(props: IDatumPreviewProps): React.JSX.Element | null {
  const { preview, error, trans } = props;
  if (!preview && !error && !props.isLoading) {
    return null;
  }
  return (
    <section
      className="jp-DatalakeDatumPreview"
      aria-label={trans.__('Datums')}
      aria-busy={props.isLoading}
    >
      <p className="jp-DatalakeDatumPreview-title" role="status">
        {titleOf(props)}
      </p>
      {preview && !error && preview.datums.length > 0 && (
        <ol className="jp-DatalakeDatumPreview-list">
          {preview.datums.map((datum, index) => (
            <li key={index}>
              <span>{datum.map(input => input.label).join(' × ')}</span>
              <span className="jp-DatalakeDatumPreview-size">
                {formatBytes(datum.reduce((sum, input) => sum + input.size_bytes, 0))}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function titleOf(props: IDatumPreviewProps): string {
  const { preview, error, trans } = props;
  if (error) {
    return describeError(error, trans);
  }
  if (!preview) {
    return trans.__('Looking for datums…');
  }
  const count = preview.datums.length;
  if (count === 0) {
    return preview.message || trans.__('No datums');
  }
  return preview.has_more
    ? trans.__('More than %1 datums; each is one run', count)
    : trans._n('%1 datum: one run', '%1 datums: one run each', count);
}
