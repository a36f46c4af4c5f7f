/**
 * What is known of the places that a notebook reads and writes, and whence.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';

/** The places, those that are read first. */
export function PlaceList(props: {
  places: readonly api.ProposedPlace[];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { places, trans } = props;
  if (places.length === 0) {
    return null;
  }
  return (
    <details className="jp-DatalakeForm-more jp-DatalakePlaces">
      <summary>
        {trans._n('What is known: %1 place', 'What is known: %1 places', places.length)}
      </summary>
      <ul aria-label={trans.__('Places')}>
        {places.map((place, index) => (
          <li key={index} data-role={place.role}>
            <span className="jp-DatalakePlaces-role">
              {place.role === 'input' ? trans.__('reads') : trans.__('writes')}
            </span>
            <code>{`${place.repo}@${place.branch}/${place.path}`}</code>
            <span className="jp-DatalakePlaces-why">{placeText(place, trans)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Return in words how a place is known, and where the code finds it. */
export function placeText(place: api.ProposedPlace, trans: TranslationBundle): string {
  const cells = place.cells.join(', ');
  const isMentioned = place.sources.includes('mentioned');
  const isObserved = place.sources.includes('observed');
  const known = isMentioned
    ? cells === ''
      ? trans.__('mentioned in the code')
      : trans._n('mentioned in cell %2', 'mentioned in cells %2', place.cells.length, cells)
    : cells === ''
      ? trans.__('observed when it ran')
      : trans._n(
          'observed when cell %2 ran',
          'observed when cells %2 ran',
          place.cells.length,
          cells
        );
  const files = trans._n('%1 file', '%1 files', place.files);
  return [
    known,
    ...(isObserved && place.files > 0
      ? [isMentioned ? trans.__('observed: %1', files) : files]
      : []),
    ...(place.variable !== null ? [trans.__('in the parameter %1', place.variable)] : []),
    ...(place.variable === null && place.shown_at !== null
      ? [trans.__('the job shows it at %1', place.shown_at)]
      : [])
  ].join(' · ');
}
