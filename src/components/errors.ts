/**
 * What went wrong, in words that say what to do. Pure.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

/** A failure, as far as words need it. */
export interface IFailure {
  readonly kind: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Return a failure as a sentence for people. */
export function describeError(error: IFailure, trans: TranslationBundle): string {
  switch (error.kind) {
    case 'unreachable':
      return trans.__('The Jupyter server does not answer. Trying again…');
    case 'forbidden':
      return trans.__(
        'The Jupyter server refuses this: you are not logged in, or may not use the data lake.'
      );
    case 'extension-missing':
      return trans.__(
        'The server side of the data lake is not running. Enable it with “jupyter server extension enable jupyter_datalake” and restart the server.'
      );
    case 'branch-moved':
      return trans.__('Somebody else committed to this branch in the meantime. %1', error.message);
    case 'paths-conflict': {
      const paths = error.details?.paths;
      const named = Array.isArray(paths) ? paths.slice(0, 5).join(', ') : '';
      return named
        ? trans.__('Others have changed the same files: %1. %2', named, error.message)
        : error.message;
    }
    case 'datum-gone':
      return trans.__('The inputs make no datum %1 any more', String(error.details?.datum));
    default:
      return error.message;
  }
}
