/**
 * Changes as the lines of a list or of a tree. Pure.
 */
import type * as api from '../api/types';

/** One line: a change, or a folder with changes below it. */
export type ChangeRow = IFolderRow | IChangeRow;

/** A folder that has changes below it. */
export interface IFolderRow {
  kind: 'folder';
  path: string;
  /** Its name, behind those of folders that hold nothing else. */
  name: string;
  depth: number;
  /** How many changes are below it. */
  count: number;
  isOpen: boolean;
}

/** A path that changed. */
export interface IChangeRow {
  kind: 'change';
  change: api.Change;
  depth: number;
}

interface IFolder {
  path: string;
  name: string;
  folders: Map<string, IFolder>;
  changes: api.Change[];
  count: number;
}

/** Return one line for each change. */
export function listRows(changes: readonly api.Change[]): ChangeRow[] {
  return changes.map(change => ({ kind: 'change', change, depth: 0 }));
}

/** Return changes below their folders, but for what is in folders that are closed. */
export function treeRows(changes: readonly api.Change[], closed: ReadonlySet<string>): ChangeRow[] {
  const rows: ChangeRow[] = [];
  // A stack of our own: paths can be deeper than the browser's.
  const open: { items: Iterator<IFolder | api.Change>; depth: number }[] = [
    { items: inside(treeOf(changes)), depth: 0 }
  ];
  for (let place = open.at(-1); place; place = open.at(-1)) {
    const { depth } = place;
    const next = place.items.next();
    if (next.done) {
      open.pop();
    } else if ('folders' in next.value) {
      const folder = compact(next.value);
      const isOpen = !closed.has(folder.path);
      const { path, name, count } = folder;
      rows.push({ kind: 'folder', path, name, depth, count, isOpen });
      if (isOpen) {
        open.push({ items: inside(folder), depth: depth + 1 });
      }
    } else {
      rows.push({ kind: 'change', change: next.value, depth });
    }
  }
  return rows;
}

function treeOf(changes: readonly api.Change[]): IFolder {
  const root = folderAt('', '');
  for (const change of changes) {
    const names = change.path.split('/');
    let folder = root;
    folder.count++;
    for (const name of names.slice(0, -1)) {
      const path = folder.path ? `${folder.path}/${name}` : name;
      const below = folder.folders.get(name) ?? folderAt(path, name);
      folder.folders.set(name, below);
      below.count++;
      folder = below;
    }
    folder.changes.push(change);
  }
  return root;
}

function folderAt(path: string, name: string): IFolder {
  return { path, name, folders: new Map(), changes: [], count: 0 };
}

/** Return a folder as one with those below it that are alone in theirs. */
function compact(folder: IFolder): IFolder {
  let { name } = folder;
  let last = folder;
  for (;;) {
    const [below, another] = last.folders.values();
    if (!below || another || last.changes.length > 0) {
      return { ...last, name };
    }
    last = below;
    name += `/${last.name}`;
  }
}

function* inside(folder: IFolder): Iterator<IFolder | api.Change> {
  yield* folder.folders.values();
  yield* folder.changes;
}
