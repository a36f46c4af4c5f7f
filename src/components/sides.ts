/**
 * What two versions are called that are compared.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/** The older version, or the one that stays; and the other. */
export type Sides = readonly [string, string];

/** What the versions are called below it, where one did not follow from the other. */
export const SidesContext = React.createContext<Sides | null>(null);

/** Return what the versions are called. */
export function useSides(trans: TranslationBundle): Sides {
  return React.useContext(SidesContext) ?? [trans.__('Before'), trans.__('Now')];
}
