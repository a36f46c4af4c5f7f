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

/** Return which rows of a list can be seen, and some more on both sides. Pure. */
export function windowOf(
  count: number,
  row_px: number,
  /** How far the list's top is above the top of what it is scrolled in. */
  hidden_px: number,
  height_px: number
): IWindow {
  if (count < WINDOWED_FROM) {
    return { first: 0, end: count, above_px: 0, below_px: 0 };
  }
  const top = Math.floor(hidden_px / row_px) - BEYOND;
  const bottom = Math.ceil((hidden_px + height_px) / row_px) + BEYOND;
  const end = Math.min(count, Math.max(bottom, 0));
  const first = Math.max(0, Math.min(top, end));
  return { first, end, above_px: first * row_px, below_px: (count - end) * row_px };
}

/**
 * Follow where a list is scrolled to; all of its rows are equally high.
 *
 * @param onEnd - called when its end comes into sight.
 */
export function useWindow(
  list: React.RefObject<HTMLElement | null>,
  count: number,
  onEnd?: () => void
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
      const row = node.firstElementChild?.getBoundingClientRect().height;
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
  }, [list, count]);
  const shown = windowOf(count, seen.row_px, seen.hidden_px, seen.height_px);
  const isAtEnd = seen.height_px > 0 && shown.end === count;
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
