/**
 * Reading a command's arguments.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { IFile } from '../models/lineage-sheet';
import { DEFAULT_BRANCH } from '../models/selection';

/** Return a text argument; undefined if it is missing or empty. */
export function textOf(args: ReadonlyPartialJSONObject, name: string): string | undefined {
  const value = args[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * Return the repo that is named, or that a context menu was opened on.
 *
 * The entries of context menus say `isContextMenu`: for others the place of the last context
 * menu means nothing.
 */
export function repoOf(args: ReadonlyPartialJSONObject, app: JupyterFrontEnd): string | undefined {
  const named = textOf(args, 'repo');
  if (named !== undefined || args.isContextMenu !== true) {
    return named;
  }
  return hit(app, 'repo');
}

/** Return the ref that is named, or that a context menu was opened on. */
export function refOf(args: ReadonlyPartialJSONObject, app: JupyterFrontEnd): string | undefined {
  return textOf(args, 'ref') ?? (args.isContextMenu === true ? hit(app, 'ref') : undefined);
}

/** Return the file that is named, or that a context menu was opened on. */
export function fileOf(args: ReadonlyPartialJSONObject, app: JupyterFrontEnd): IFile | undefined {
  const isHit = args.isContextMenu === true;
  const repo = repoOf(args, app);
  const ref = refOf(args, app);
  const path = textOf(args, 'path') ?? (isHit ? hit(app, 'path') : undefined);
  return repo === undefined || path === undefined
    ? undefined
    : { repo, ref: ref ?? DEFAULT_BRANCH, path };
}

/** Return what the part of the page that a context menu was opened on belongs to. */
function hit(app: JupyterFrontEnd, name: 'repo' | 'ref' | 'path'): string | undefined {
  return app.contextMenuHitTest(node => node.dataset[name] !== undefined)?.dataset[name];
}
