/**
 * How the lineage graph is moved: its size, its viewport, the pointer, and keys that walk it.
 */
import * as React from 'react';

import type { INeighbours } from '../lineage/graph';
import type { ILayout, IPlacedNode } from '../lineage/layout';
import type { IDrawn, ISize, IViewport } from './viewport';
import { drawnFor, fitted, zoomed } from './viewport';

const DRAG_PX = 4;

/** The part of the picture that is looked at. */
export interface IView {
  /** Where the picture is now. */
  now: () => IViewport;
  /** Whether somebody moved it: until then it fits itself to the screen. */
  isMoved: () => boolean;
  /** Move the picture; null fits it to the screen again. */
  move: (view: IViewport | null) => void;
  /** What is to be drawn. */
  drawn: IDrawn;
}

/**
 * Keep the part of the picture that is looked at, and draw only when it comes to what is not drawn yet.
 *
 * #### Notes
 * Another place of the stage would have the browser paint each node anew. So panning moves the whole
 * picture, which is a layer of its own and is painted already; zooming and drawing put the stage in
 * place.
 */
export function useView(picture: ISize, screen: ISize, stage: React.RefObject<SVGGElement>): IView {
  const moved = React.useRef<IViewport | null>(null);
  const drawn = React.useRef<IDrawn | null>(null);
  const [, redraw] = React.useReducer((count: number) => count + 1, 0);
  const now = () => moved.current ?? fitted(picture, screen);
  const wanted = () => drawnFor(now(), screen, picture, drawn.current);
  const shown = (drawn.current = wanted());
  const painted = React.useRef<IViewport | null>(null);
  const put = () => {
    const { x, y, scale } = (painted.current = now());
    stage.current?.setAttribute('transform', `translate(${x} ${y}) scale(${scale})`);
    stage.current?.ownerSVGElement?.style.removeProperty('transform');
  };
  const show = () => {
    const { x, y, scale } = now();
    const from = painted.current;
    if (from?.scale === scale) {
      const shift = `translate(${x - from.x}px, ${y - from.y}px)`;
      stage.current?.ownerSVGElement?.style.setProperty('transform', shift);
    } else {
      put();
    }
  };
  React.useLayoutEffect(put);
  return {
    now,
    isMoved: () => moved.current !== null,
    drawn: shown,
    move: view => {
      moved.current = view;
      if (wanted() === drawn.current) {
        show();
      } else {
        redraw();
      }
    }
  };
}

/** Follow the size of an element. */
export function useSize(box: React.RefObject<HTMLElement>): ISize {
  const [size, setSize] = React.useState<ISize>({ width: 800, height: 500 });
  React.useLayoutEffect(() => {
    const element = box.current;
    if (!element) {
      return undefined;
    }
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = element;
      if (width > 0 && height > 0) {
        setSize({ width, height });
      }
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return size;
}

/** What {@link useWalk} needs to know. */
export interface IWalk {
  layout: ILayout;
  neighbours: INeighbours;
  chosen: string | null;
  box: React.RefObject<HTMLElement>;
  reveal: (node: IPlacedNode) => void;
}

/** Let arrow keys lead from node to node; one node at a time is reached by the tabulator. */
export function useWalk({ layout, neighbours, chosen, box, reveal }: IWalk): {
  reachable: string | undefined;
  go: (id: string) => void;
  focus: (id: string) => void;
  onKeyDown: (event: React.KeyboardEvent) => void;
} {
  const { nodes } = layout;
  const byId = React.useMemo(() => new Map(nodes.map(one => [one.node.id, one])), [nodes]);
  const [at, setAt] = React.useState<string | null>(null);
  const wanted = React.useRef<string | null>(null);
  const current = byId.get(at ?? '') ?? byId.get(chosen ?? '') ?? nodes[0];
  React.useEffect(() => {
    if (wanted.current !== null) {
      const id = CSS.escape(wanted.current);
      wanted.current = null;
      box.current?.querySelector<SVGElement>(`[data-node="${id}"]`)?.focus();
    }
  });
  const candidates = (key: string): IPlacedNode[] => {
    if (!current) {
      return [];
    }
    const { id } = current.node;
    const find = (ids: readonly string[] = []) =>
      ids.map(one => byId.get(one)).filter(one => one !== undefined);
    switch (key) {
      case 'ArrowLeft':
        return find(neighbours.before.get(id));
      case 'ArrowRight':
        return find(neighbours.after.get(id));
      case 'ArrowUp':
        return nodes.filter(one => one.column === current.column && one.y < current.y);
      case 'ArrowDown':
        return nodes.filter(one => one.column === current.column && one.y > current.y);
      case 'Home':
        return nodes.slice(0, 1);
      default:
        return [];
    }
  };
  const focus = (id: string) => {
    wanted.current = id;
    setAt(id);
  };
  return {
    reachable: current?.node.id,
    go: setAt,
    focus,
    onKeyDown: event => {
      const [first, ...others] = candidates(event.key);
      if (current && first) {
        event.preventDefault();
        const distance = (one: IPlacedNode) => Math.abs(one.y - current.y);
        const next = others.reduce(
          (best, one) => (distance(one) < distance(best) ? one : best),
          first
        );
        focus(next.node.id);
        reveal(next);
      }
    }
  };
}

/** Let the pointer pan the picture and the wheel zoom it. */
export function useDrag(
  box: React.RefObject<HTMLElement>,
  view: IView
): {
  handlers: Pick<
    React.HTMLAttributes<HTMLElement>,
    'onPointerDown' | 'onPointerMove' | 'onPointerUp' | 'onPointerCancel'
  >;
  wasDragged: () => boolean;
} {
  const latest = React.useRef(view);
  latest.current = view;
  const start = React.useRef<{ x: number; y: number; view: IViewport } | null>(null);
  const dragged = React.useRef(false);
  React.useEffect(() => {
    const element = box.current;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault(); // which a listener set by React could not
      const frame = (event.currentTarget as HTMLElement).getBoundingClientRect();
      const around = { x: event.clientX - frame.left, y: event.clientY - frame.top };
      latest.current.move(zoomed(latest.current.now(), Math.exp(-event.deltaY / 500), around));
    };
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, [box]);
  const end = () => {
    start.current = null;
  };
  return {
    wasDragged: () => dragged.current,
    handlers: {
      onPointerDown: event => {
        dragged.current = false;
        if (event.button === 0) {
          start.current = { x: event.clientX, y: event.clientY, view: view.now() };
        }
      },
      onPointerMove: event => {
        const from = start.current;
        if (!from) {
          return;
        }
        const [x, y] = [event.clientX - from.x, event.clientY - from.y];
        if (!dragged.current && Math.hypot(x, y) >= DRAG_PX) {
          dragged.current = true;
          event.currentTarget.setPointerCapture(event.pointerId);
        }
        if (dragged.current) {
          view.move({ ...from.view, x: from.view.x + x, y: from.view.y + y });
        }
      },
      onPointerUp: end,
      onPointerCancel: end
    }
  };
}
