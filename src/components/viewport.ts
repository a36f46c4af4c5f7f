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
