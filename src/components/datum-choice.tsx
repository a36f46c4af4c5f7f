/**
 * A list of datums, some of which are chosen.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IFailure } from './errors';
import { ErrorBanner } from './error-banner';
import { formatBytes } from './formats';

/** What a {@link DatumChoiceList} shows and does. */
export interface IDatumChoiceListProps {
  /** What can be chosen; null until it is known. */
  datums: readonly { key: string; label: string; size_bytes: number }[] | null;
  chosen: ReadonlySet<string>;
  filter: string;
  hasMore: boolean;
  isLoading: boolean;
  error: IFailure | null;
  /** Why there are none. */
  message: string;
  trans: TranslationBundle;
  onFilter: (filter: string) => void;
  onToggle: (key: string) => void;
  onMore: () => void;
}

/** Datums with check boxes, found by a text. */
export function DatumChoiceList(props: IDatumChoiceListProps): React.JSX.Element {
  const { datums, trans } = props;
  return (
    <div className="jp-DatalakeDatumChoice" aria-busy={props.isLoading}>
      <ErrorBanner error={props.error} trans={trans} />
      {datums && (
        <>
          <input
            type="search"
            className="jp-DatalakeField"
            placeholder={trans.__('Filter by path')}
            aria-label={trans.__('Filter datums by path')}
            value={props.filter}
            onChange={event => props.onFilter(event.target.value)}
          />
          <ul className="jp-DatalakeDatumChoice-list" aria-label={trans.__('Datums to choose')}>
            {datums.map(({ key, label, size_bytes }) => (
              <li key={key}>
                <label className="jp-DatalakeDatumChoice-label" title={label}>
                  <input
                    type="checkbox"
                    checked={props.chosen.has(key)}
                    onChange={() => props.onToggle(key)}
                  />
                  <span className="jp-DatalakeDatumChoice-text">{label}</span>
                </label>
                <span className="jp-DatalakeDatumPreview-size">{formatBytes(size_bytes)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {datums?.length === 0 && !props.isLoading && (
        <p className="jp-DatalakeNote">
          {props.filter.trim() === ''
            ? props.message || trans.__('No datums')
            : trans.__('None of these datums.')}
        </p>
      )}
      {!datums && props.isLoading && (
        <p className="jp-DatalakeNote" role="status">
          {trans.__('Looking for datums…')}
        </p>
      )}
      {props.hasMore && (
        <button
          type="button"
          className="jp-DatalakeLink"
          disabled={props.isLoading}
          onClick={props.onMore}
        >
          {trans.__('List more datums')}
        </button>
      )}
    </div>
  );
}
