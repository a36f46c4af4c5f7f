/**
 * Long lists: only the rows that can be seen are drawn.
 */
import * as React from 'react';

/** Shorter lists are drawn whole. */
export const WINDOWED_FROM = 200;

const BEYOND = 20;
const ROW_PX = 22;

/** The rows of a list that are drawn, and the room of those that are not. */
export interface IWindow {
  first: number;
  /** Behind the last one. */
  end: number;
  /** Heights above and below, for the list's padding. */
  above_px: number;
  below_px: number;
}

/** A row that is higher than the others. */
export interface ITallRow {
  index: number;
  /** By how much. */
  extra_px: number;
}

/**
 * Return which rows of a list can be seen, and some more on both sides. Pure.
 *
 * @param hidden_px - how far the list's top is above the top of what it is scrolled in.
 * @param tall - the rows that are higher than the others, by index.
 */
export function windowOf(
  count: number,
  row_px: number,
  hidden_px: number,
  height_px: number,
  tall: readonly ITallRow[] = []
): IWindow {
  if (count < WINDOWED_FROM) {
    return { first: 0, end: count, above_px: 0, below_px: 0 };
  }
  const top = rowAt(hidden_px, row_px, tall) - BEYOND;
  const bottom = rowAt(hidden_px + height_px - 1, row_px, tall) + 1 + BEYOND;
  const end = Math.min(count, Math.max(bottom, 0));
  const first = Math.max(0, Math.min(top, end));
  return {
    first,
    end,
    above_px: first * row_px + extraOf(tall.filter(row => row.index < first)),
    below_px: (count - end) * row_px + extraOf(tall.filter(row => row.index >= end))
  };
}

/** Return the row that is at a height. */
function rowAt(at_px: number, row_px: number, tall: readonly ITallRow[]): number {
  let extra_px = 0;
  for (const row of tall) {
    const top = row.index * row_px + extra_px;
    if (at_px < top + row_px + row.extra_px) {
      return Math.min(row.index, Math.floor((at_px - extra_px) / row_px));
    }
    extra_px += row.extra_px;
  }
  return Math.floor((at_px - extra_px) / row_px);
}

function extraOf(tall: readonly ITallRow[]): number {
  return tall.reduce((sum, row) => sum + row.extra_px, 0);
}

/**
 * Follow where a list is scrolled to; all of its rows are equally high, but for those of `tall`.
 *
 * @param onEnd - called when its end comes into sight.
 * @param tall - the rows that are higher than the first one, by index.
 * @param rowSelector - selector of what has the height of a row, where that is not the first child.
 */
export function useWindow(
  list: React.RefObject<HTMLElement | null>,
  count: number,
  onEnd?: () => void,
  tall: readonly ITallRow[] = [],
  rowSelector?: string
): IWindow {
  const [seen, setSeen] = React.useState({ row_px: ROW_PX, hidden_px: 0, height_px: 0 });
  const end = React.useRef(onEnd);
  end.current = onEnd;
  React.useLayoutEffect(() => {
    const node = list.current;
    if (!node) {
      return;
    }
    const scroller = scrollerOf(node);
    const look = () => {
      const place = scroller.getBoundingClientRect();
      const first = rowSelector ? node.querySelector(rowSelector) : node.firstElementChild;
      const row = first?.getBoundingClientRect().height;
      const now = {
        row_px: row || ROW_PX,
        hidden_px: place.top - node.getBoundingClientRect().top,
        height_px: place.height
      };
      setSeen(before =>
        before.row_px === now.row_px &&
        before.hidden_px === now.hidden_px &&
        before.height_px === now.height_px
          ? before
          : now
      );
    };
    look();
    scroller.addEventListener('scroll', look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(scroller);
    return () => {
      scroller.removeEventListener('scroll', look);
      observer.disconnect();
    };
  }, [list, count, rowSelector]);
  const shown = windowOf(count, seen.row_px, seen.hidden_px, seen.height_px, tall);
  const end_px = (count - BEYOND) * seen.row_px + extraOf(tall);
  const isAtEnd = seen.height_px > 0 && seen.hidden_px + seen.height_px >= end_px;
  React.useEffect(() => {
    if (isAtEnd) {
      end.current?.();
    }
  }, [isAtEnd, count]);
  return shown;
}

/** Return what an element is scrolled in. */
function scrollerOf(node: HTMLElement): HTMLElement {
  for (let above = node.parentElement; above; above = above.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(above).overflowY)) {
      return above;
    }
  }
  return document.documentElement;
}
