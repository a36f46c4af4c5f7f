/**
 * Loading a screen when somebody first looks at it.
 *
 * The page of JupyterLab waits for what this extension loads at its start. What only some people open,
 * and none of them at once, comes later: the modules in `src/screens/`, a file of the bundle each.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { attempt } from './reporting';

/**
 * Return a screen.
 *
 * #### Notes
 * Two things keep it from coming: a server that does not answer, and one that was given another version of
 * the extension since the page was loaded. Its files have other names then.
 *
 * @throws Error that says what to do.
 */
export async function importScreen<T>(
  trans: TranslationBundle,
  screen: () => Promise<T>
): Promise<T> {
  try {
    return await screen();
  } catch (reason) {
    const text = trans.__(
      'A part of the data lake could not be loaded: the server does not answer, or was given another version of the extension. Reload the page to go on.'
    );
    throw new Error(text, { cause: reason });
  }
}

/** Return a screen; tell the user if it does not come, and return null then. */
export function loadScreen<T>(
  trans: TranslationBundle,
  screen: () => Promise<T>
): Promise<T | null> {
  return attempt(trans, () => importScreen(trans, screen));
}
