/**
 * How two notebooks differ, cell by cell. Pure.
 *
 * Cells are matched by what they hold, in order; between those, a cell goes with the one of the
 * same id, else of the same kind in the same place.
 */

import type { Output } from './notebook-outputs';
import { outputsOf } from './notebook-outputs';

/** One cell, as far as it is compared. */
export interface ICell {
  readonly id: string | null;
  readonly type: string;
  readonly source: string;
  /** What it printed, as text that is equal when the outputs are. */
  readonly outputs: string;
  /** The same, as it is shown. */
  readonly shown: readonly Output[];
}

/** A cell beside its older version; one of them is null for what was added or removed. */
export interface ICellChange {
  readonly kind: 'same' | 'changed' | 'outputs' | 'added' | 'removed';
  readonly old: ICell | null;
  readonly new: ICell | null;
}

/** One line beside its older version. */
export interface ILineChange {
  readonly old: string | null;
  readonly new: string | null;
}

const MAX_CELLS = 2000;
const MAX_LINES = 1500;

/** Return the cells of a notebook, whatever it is that was found in the file. */
export function cellsOf(notebook: unknown): ICell[] {
  const cells = (notebook as { cells?: unknown } | null)?.cells;
  if (!Array.isArray(cells)) {
    return [];
  }
  return cells.slice(0, MAX_CELLS).map((cell: Record<string, unknown> | null) => ({
    id: typeof cell?.id === 'string' ? cell.id : null,
    type: typeof cell?.cell_type === 'string' ? cell.cell_type : '',
    source: textOf(cell?.source),
    outputs: JSON.stringify(comparable(cell?.outputs)),
    shown: outputsOf(cell)
  }));
}

/** Return how the cells of two notebooks differ, in the order of the newer one. */
export function diffCells(old: readonly ICell[], now: readonly ICell[]): ICellChange[] {
  const pairs = longest(old, now, (a, b) => a.type === b.type && a.source === b.source);
  const found: ICellChange[] = [];
  let [left, right] = [0, 0];
  for (const [i, j] of [...pairs, [old.length, now.length] as const]) {
    found.push(...gap(old.slice(left, i), now.slice(right, j)));
    const [before, after] = [old[i], now[j]];
    if (before && after) {
      const kind = before.outputs === after.outputs ? 'same' : 'outputs';
      found.push({ kind, old: before, new: after });
    }
    [left, right] = [i + 1, j + 1];
  }
  return found;
}

/** Return two texts side by side, line by line. */
export function diffLines(old: string, now: string): ILineChange[] {
  const [before, after] = [old.split('\n'), now.split('\n')];
  const isLarge = before.length > MAX_LINES || after.length > MAX_LINES;
  const pairs = isLarge ? [] : longest(before, after, (a, b) => a === b);
  const found: ILineChange[] = [];
  let [left, right] = [0, 0];
  for (const [i, j] of [...pairs, [before.length, after.length] as const]) {
    const [gone, came] = [before.slice(left, i), after.slice(right, j)];
    for (let line = 0; line < Math.max(gone.length, came.length); line++) {
      found.push({ old: gone[line] ?? null, new: came[line] ?? null });
    }
    const [same, its] = [before[i], after[j]];
    if (same !== undefined && its !== undefined) {
      found.push({ old: same, new: its });
    }
    [left, right] = [i + 1, j + 1];
  }
  return found;
}

/** Return the cells between two that are the same. */
function gap(old: readonly ICell[], now: readonly ICell[]): ICellChange[] {
  const rest = [...old];
  const found: ICellChange[] = [];
  for (const cell of now) {
    const byId = rest.findIndex(one => one.id !== null && one.id === cell.id);
    const isSpoken = (one: ICell) => now.some(other => one.id !== null && other.id === one.id);
    const place =
      byId >= 0 ? byId : rest.findIndex(one => one.type === cell.type && !isSpoken(one));
    if (place < 0) {
      found.push({ kind: 'added', old: null, new: cell });
      continue;
    }
    const skipped = rest.splice(0, place + 1);
    const its = skipped.pop() ?? null;
    found.push(...skipped.map(one => ({ kind: 'removed', old: one, new: null }) as const));
    found.push({ kind: 'changed', old: its, new: cell });
  }
  return [...found, ...rest.map(one => ({ kind: 'removed', old: one, new: null }) as const)];
}

/** Return the pairs of a longest common subsequence; equal ends are not searched. */
function longest<T>(
  old: readonly T[],
  now: readonly T[],
  isSame: (a: T, b: T) => boolean
): (readonly [number, number])[] {
  let start = 0;
  while (start < Math.min(old.length, now.length) && isSame(old[start] as T, now[start] as T)) {
    start++;
  }
  let end = 0;
  while (
    end < Math.min(old.length, now.length) - start &&
    isSame(old[old.length - 1 - end] as T, now[now.length - 1 - end] as T)
  ) {
    end++;
  }
  const [rows, columns] = [old.length - start - end, now.length - start - end];
  const sizes = Array.from({ length: rows + 1 }, () => new Uint16Array(columns + 1));
  const at = (i: number, j: number) => sizes[i]?.[j] ?? 0;
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      const row = sizes[i];
      if (row) {
        row[j] = isSame(old[start + i] as T, now[start + j] as T)
          ? at(i + 1, j + 1) + 1
          : Math.max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let n = 0; n < start; n++) {
    pairs.push([n, n]);
  }
  let [i, j] = [0, 0];
  while (i < rows && j < columns) {
    if (isSame(old[start + i] as T, now[start + j] as T)) {
      pairs.push([start + i++, start + j++]);
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      i++;
    } else {
      j++;
    }
  }
  for (let n = end; n > 0; n--) {
    pairs.push([old.length - n, now.length - n]);
  }
  return pairs;
}

function textOf(source: unknown): string {
  if (Array.isArray(source)) {
    return source.filter(one => typeof one === 'string').join('');
  }
  return typeof source === 'string' ? source : '';
}

/** Return outputs without what is different each time they are made. */
function comparable(outputs: unknown): unknown {
  return Array.isArray(outputs)
    ? outputs.map((one: Record<string, unknown> | null) => ({ ...one, execution_count: null }))
    : [];
}
