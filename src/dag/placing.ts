/**
 * Where the files of a step are, seen from the file that holds its spec. Pure.
 */
import type * as api from '../api/types';

/** The notebook cannot be named from where the specs are. */
export class OutOfReachError extends Error {
  constructor(
    /** Folder of the notebook. */
    readonly folder: string,
    /** Whether it is below that of the specs, but needs files beside it. */
    readonly hasHelpers: boolean
  ) {
    super(`The notebook is in ${folder || 'the root folder'}`);
  }
}

/**
 * Return the spec of a draft with its notebook as seen from a folder.
 *
 * A notebook runs in the folder of the spec, where its helper modules are found: with these it must
 * be right there, without them it may be below.
 */
export function withinFolder(draft: api.Draft, folder: string): api.Spec {
  if (draft.folder === folder) {
    return draft.spec;
  }
  const inside = folder === '' ? draft.folder : draft.folder.slice(folder.length + 1);
  const isBelow = folder === '' || draft.folder.startsWith(`${folder}/`);
  const { notebook, files } = draft.spec;
  const hasHelpers = Array.isArray(files) && files.length > 0;
  if (!isBelow || hasHelpers || typeof notebook !== 'string') {
    throw new OutOfReachError(draft.folder, isBelow);
  }
  return { ...draft.spec, notebook: `${inside}/${notebook}` };
}
