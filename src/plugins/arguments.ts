/**
 * Reading a command's arguments.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

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
  return app.contextMenuHitTest(node => node.dataset.repo !== undefined)?.dataset.repo;
}
