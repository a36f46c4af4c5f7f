/**
 * Where the rows and columns of a large grid are. Pure.
 *
 * Browsers cannot make elements as high as a million rows; above a limit, scrolling is scaled.
 */

/** Height of a row. */
export const ROW_PX = 24;
const MAX_PX = 8_000_000;
const MIN_WIDTH_PX = 64;
const MAX_WIDTH_PX = 340;
const CHAR_PX = 7.6;
const PADDING_PX = 18;

/** What is in view. */
export interface IWindow {
  first: number;
  /** The last one, inclusive; below `first` when there is none. */
  last: number;
  /** Where the first row begins, from the top of all that scrolls. */
  top: number;
}

/** Return how high all that scrolls is. */
export function scrollHeight(count: number): number {
  return Math.min(count * ROW_PX, MAX_PX);
}

/** Return the rows in view. */
export function rowsInView(scrollTop: number, viewport: number, count: number): IWindow {
  const whole = count * ROW_PX;
  const height = scrollHeight(count);
  const room = Math.max(1, height - viewport);
  const scale = whole > height ? (whole - viewport) / room : 1;
  const virtual = Math.max(0, Math.min(scrollTop, room)) * scale;
  const first = Math.max(0, Math.min(count - 1, Math.floor(virtual / ROW_PX)));
  const last = Math.min(count - 1, Math.ceil((virtual + viewport) / ROW_PX));
  return { first, last, top: scrollTop + first * ROW_PX - virtual };
}

/** Return where to scroll so that a row is in view; the same place if it is. */
export function scrollTo(row: number, scrollTop: number, viewport: number, count: number): number {
  const whole = count * ROW_PX;
  const height = scrollHeight(count);
  const room = Math.max(1, height - viewport);
  const scale = whole > height ? (whole - viewport) / room : 1;
  const virtual = scrollTop * scale;
  const top = row * ROW_PX;
  if (top < virtual) {
    return top / scale;
  }
  const bottom = top + ROW_PX - viewport;
  return bottom > virtual ? bottom / scale : scrollTop;
}

/** Return the widths of columns that hold such texts. */
export function widthsOf(longest: readonly number[]): number[] {
  return longest.map(chars =>
    Math.round(Math.max(MIN_WIDTH_PX, Math.min(MAX_WIDTH_PX, chars * CHAR_PX + PADDING_PX)))
  );
}

/** Return where each column begins, and where the last one ends. */
export function edgesOf(widths: readonly number[]): number[] {
  const edges = [0];
  for (const width of widths) {
    edges.push((edges[edges.length - 1] ?? 0) + width);
  }
  return edges;
}

/** Return the columns in view, with one on each side. */
export function columnsInView(
  edges: readonly number[],
  left: number,
  viewport: number
): { first: number; last: number } {
  const count = edges.length - 1;
  let first = 0;
  while (first < count - 1 && (edges[first + 1] ?? 0) <= left) {
    first++;
  }
  let last = first;
  while (last < count - 1 && (edges[last + 1] ?? 0) < left + viewport) {
    last++;
  }
  return { first: Math.max(0, first - 1), last: Math.min(count - 1, last + 1) };
}
