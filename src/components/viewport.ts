/**
 * The part of a picture that is looked at: panning, zooming, fitting. Pure.
 */

/** A point or a size, in the picture's or the screen's units. */
export interface IPoint {
  x: number;
  y: number;
}

/** A width and a height. */
export interface ISize {
  width: number;
  height: number;
}

/** Where the picture's origin is on the screen, and how much larger it is there. */
export interface IViewport extends IPoint {
  scale: number;
}

/** A rectangle in the picture. */
export interface IBox {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const LEAST = 0.05;
const MOST = 2.5;
const MARGIN = 24;

/** Return the viewport after zooming by a factor around a point of the screen. */
export function zoomed(view: IViewport, factor: number, around: IPoint): IViewport {
  const scale = Math.min(MOST, Math.max(LEAST, view.scale * factor));
  const grown = scale / view.scale;
  return {
    scale,
    x: around.x - (around.x - view.x) * grown,
    y: around.y - (around.y - view.y) * grown
  };
}

/** Return the viewport that shows a picture whole, not larger than it is, in the middle. */
export function fitted(picture: ISize, screen: ISize): IViewport {
  const room = { width: screen.width - 2 * MARGIN, height: screen.height - 2 * MARGIN };
  const scale = Math.max(
    LEAST,
    Math.min(1, room.width / (picture.width || 1), room.height / (picture.height || 1))
  );
  return {
    scale,
    x: Math.max(MARGIN, (screen.width - picture.width * scale) / 2),
    y: Math.max(MARGIN, (screen.height - picture.height * scale) / 2)
  };
}

/** Return the part of the picture that is on the screen. */
export function visible(view: IViewport, screen: ISize): IBox {
  return {
    left: -view.x / view.scale,
    top: -view.y / view.scale,
    right: (screen.width - view.x) / view.scale,
    bottom: (screen.height - view.y) / view.scale
  };
}

/** Return whether two rectangles meet. */
export function meets(one: IBox, other: IBox): boolean {
  return (
    one.left <= other.right &&
    one.right >= other.left &&
    one.top <= other.bottom &&
    one.bottom >= other.top
  );
}

/** Return the viewport moved as little as it takes to show a rectangle. */
export function revealing(view: IViewport, box: IBox, screen: ISize): IViewport {
  const shift = (start: number, end: number, from: number, room: number): number => {
    const [first, last] = [start * view.scale + from, end * view.scale + from];
    if (first < MARGIN) {
      return MARGIN - first;
    }
    return last > room - MARGIN ? room - MARGIN - last : 0;
  };
  return {
    ...view,
    x: view.x + shift(box.left, box.right, view.x, screen.width),
    y: view.y + shift(box.top, box.bottom, view.y, screen.height)
  };
}

/** Return the viewport that has the middle of a rectangle in the middle, at least so large. */
export function centred(view: IViewport, box: IBox, screen: ISize, leastScale: number): IViewport {
  const scale = Math.max(view.scale, leastScale);
  return {
    scale,
    x: screen.width / 2 - ((box.left + box.right) / 2) * scale,
    y: screen.height / 2 - ((box.top + box.bottom) / 2) * scale
  };
}

/** What of a picture is drawn: more than is seen, so that panning draws nothing anew. */
export interface IDrawn {
  box: IBox;
  /** Whether names and icons are left out: they could not be read. */
  isPlain: boolean;
}

/** Scale below which names cannot be read. */
const READABLE = 0.35;
/** So much of the screen is drawn beyond each of its edges. */
const AROUND = 0.6;
/** Times the part that is seen, beyond which too much is drawn. */
const WASTE = 12;

/** Return what to draw for a viewport: what is drawn already, as long as it does. */
export function drawnFor(
  view: IViewport,
  screen: ISize,
  picture: ISize,
  before: IDrawn | null
): IDrawn {
  const seen = visible(view, screen);
  const isPlain = view.scale < READABLE;
  const [width, height] = [seen.right - seen.left, seen.bottom - seen.top];
  if (before && before.isPlain === isPlain) {
    const { box } = before;
    const isCovered =
      box.left <= Math.max(seen.left, 0) &&
      box.top <= Math.max(seen.top, 0) &&
      box.right >= Math.min(seen.right, picture.width) &&
      box.bottom >= Math.min(seen.bottom, picture.height);
    const area = (box.right - box.left) * (box.bottom - box.top);
    if (isCovered && area <= WASTE * width * height) {
      return before;
    }
  }
  return {
    isPlain,
    box: {
      left: seen.left - width * AROUND,
      right: seen.right + width * AROUND,
      top: seen.top - height * AROUND,
      bottom: seen.bottom + height * AROUND
    }
  };
}
