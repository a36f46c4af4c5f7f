/**
 * The lineage graph: panned, zoomed, walked by keys; only what is on the screen is drawn.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICard, ILayout, IPlacedEdge, IPlacedNode } from '../lineage/layout';
import { NODE } from '../lineage/layout';
import { LineageNode } from './lineage-node';
import type { IBox, ISize, IViewport } from './viewport';
import { fitted, meets, revealing, visible, zoomed } from './viewport';

const STEP = 1.25;
const DRAG_PX = 4;
/** Scale below which names are hard to read. */
const LEGIBLE = 0.7;

/** What a {@link LineageGraph} shows and does. */
export interface ILineageGraphProps {
  layout: ILayout;
  /** Id of the chosen node. */
  chosen: string | null;
  trans: TranslationBundle;
  /** Choose a node; null for the empty ground. */
  onChoose: (id: string | null) => void;
}

/** A graph of repos and pipelines. */
export function LineageGraph(props: ILineageGraphProps): React.JSX.Element {
  const { layout, trans } = props;
  const box = React.useRef<HTMLDivElement>(null);
  const screen = useSize(box);
  const [moved, setMoved] = React.useState<IViewport | null>(null);
  // Until somebody moves it, the picture fits itself to the screen.
  const view = moved ?? fitted(layout, screen);
  useRevealed(props, view, screen, moved !== null || view.scale < LEGIBLE, setMoved);
  const walk = useWalk(props, box, node => {
    const revealed = revealing(view, boxOf(node), screen);
    if (revealed.x !== view.x || revealed.y !== view.y) {
      setMoved(revealed);
    }
  });
  const drag = useDrag(box, view, setMoved);
  const zoom = (factor: number) =>
    setMoved(zoomed(view, factor, { x: screen.width / 2, y: screen.height / 2 }));
  const keys: Record<string, () => void> = {
    '+': () => zoom(STEP),
    '=': () => zoom(STEP),
    '-': () => zoom(1 / STEP),
    '0': () => setMoved(null)
  };
  return (
    <div
      ref={box}
      className="jp-DatalakeLineageGraph"
      role="group"
      aria-label={trans.__('Lineage graph; arrow keys walk it, plus, minus and 0 zoom it')}
      onKeyDown={event => {
        const key = keys[event.key];
        if (key) {
          event.preventDefault();
          key();
        } else {
          walk.onKeyDown(event);
        }
      }}
      {...drag.handlers}
      onClick={event => {
        if (!drag.wasDragged() && event.target === event.currentTarget.firstElementChild) {
          props.onChoose(null);
        }
      }}
    >
      <Picture
        {...props}
        view={view}
        screen={screen}
        reachable={walk.reachable}
        onFocus={walk.go}
      />
      <div className="jp-DatalakeLineageGraph-zoom" role="group" aria-label={trans.__('Zoom')}>
        <button type="button" title={trans.__('Zoom in (+)')} onClick={() => zoom(STEP)}>
          +
        </button>
        <button type="button" title={trans.__('Zoom out (-)')} onClick={() => zoom(1 / STEP)}>
          −
        </button>
        <button type="button" title={trans.__('Fit (0)')} onClick={() => setMoved(null)}>
          {trans.__('Fit')}
        </button>
      </div>
    </div>
  );
}

function Picture(
  props: ILineageGraphProps & {
    view: IViewport;
    screen: ISize;
    reachable: string | undefined;
    onFocus: (id: string) => void;
  }
): React.JSX.Element {
  const { layout, view, screen, chosen, trans } = props;
  const seen = visible(view, screen);
  return (
    <svg className="jp-DatalakeLineageGraph-svg" width="100%" height="100%">
      <defs>
        <marker
          id="jp-datalake-arrow"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="9"
          markerHeight="9"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path className="jp-DatalakeLineageGraph-arrow" d="M0 0 8 4 0 8z" />
        </marker>
      </defs>
      <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
        {layout.cards
          .filter(card => meets(boxOfCard(card), seen))
          .map(({ id, x, y, width, height }) => (
            <rect
              key={id}
              className="jp-DatalakeLineageGraph-card"
              x={x}
              y={y}
              width={width}
              height={height}
              rx={9}
            />
          ))}
        {layout.edges
          .filter(edge => meets(boxOfEdge(edge), seen))
          .map(edge => (
            <path
              key={`${edge.source} ${edge.target}`}
              className={`jp-DatalakeLineageGraph-edge ${
                edge.source === chosen || edge.target === chosen ? 'jp-mod-selected' : ''
              }`}
              d={curve(edge)}
              markerEnd="url(#jp-datalake-arrow)"
            />
          ))}
        {layout.nodes
          .filter(placed => meets(boxOf(placed), seen))
          .map(placed => (
            <LineageNode
              key={placed.node.id}
              placed={placed}
              isChosen={placed.node.id === chosen}
              isReachable={placed.node.id === props.reachable}
              trans={trans}
              onChoose={props.onChoose}
              onFocus={props.onFocus}
            />
          ))}
      </g>
    </svg>
  );
}

/**
 * Keep the chosen node where it is seen, also when the sheet takes room. A picture that fits
 * itself shows it anyway, unless it would shrink too far.
 */
function useRevealed(
  { layout, chosen }: ILineageGraphProps,
  view: IViewport,
  screen: ISize,
  isNeeded: boolean,
  setView: (view: IViewport) => void
): void {
  const { width, height } = screen;
  React.useLayoutEffect(() => {
    const placed = layout.nodes.find(({ node }) => node.id === chosen);
    if (placed && isNeeded) {
      setView(revealing(view, boxOf(placed), screen));
    }
  }, [chosen, width, height]);
}

/** Follow the size of an element. */
function useSize(box: React.RefObject<HTMLElement>): ISize {
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

/** Let arrow keys lead from node to node; one node at a time is reached by the tabulator. */
function useWalk(
  props: ILineageGraphProps,
  box: React.RefObject<HTMLElement>,
  reveal: (node: IPlacedNode) => void
): {
  reachable: string | undefined;
  go: (id: string) => void;
  onKeyDown: (event: React.KeyboardEvent) => void;
} {
  const { nodes, edges } = props.layout;
  const [at, setAt] = React.useState<string | null>(null);
  const wanted = React.useRef<string | null>(null);
  const current =
    nodes.find(({ node }) => node.id === at) ??
    nodes.find(({ node }) => node.id === props.chosen) ??
    nodes[0];
  React.useEffect(() => {
    if (wanted.current !== null) {
      const id = CSS.escape(wanted.current);
      wanted.current = null;
      box.current?.querySelector<SVGElement>(`[data-node="${id}"]`)?.focus();
    }
  });
  const neighbours = (key: string): IPlacedNode[] => {
    if (!current) {
      return [];
    }
    const { id } = current.node;
    const find = (ids: string[]) => nodes.filter(({ node }) => ids.includes(node.id));
    switch (key) {
      case 'ArrowLeft':
        return find(edges.filter(edge => edge.target === id).map(edge => edge.source));
      case 'ArrowRight':
        return find(edges.filter(edge => edge.source === id).map(edge => edge.target));
      case 'ArrowUp':
        return nodes.filter(one => one.column === current.column && one.y < current.y);
      case 'ArrowDown':
        return nodes.filter(one => one.column === current.column && one.y > current.y);
      default:
        return [];
    }
  };
  return {
    reachable: current?.node.id,
    go: setAt,
    onKeyDown: event => {
      const [first, ...others] = neighbours(event.key);
      if (current && first) {
        event.preventDefault();
        const distance = (one: IPlacedNode) => Math.abs(one.y - current.y);
        const next = others.reduce(
          (best, one) => (distance(one) < distance(best) ? one : best),
          first
        );
        wanted.current = next.node.id;
        setAt(next.node.id);
        reveal(next);
      }
    }
  };
}

/** Let the pointer pan the picture and the wheel zoom it. */
function useDrag(
  box: React.RefObject<HTMLElement>,
  view: IViewport,
  setView: (view: IViewport) => void
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
      setView(zoomed(latest.current, Math.exp(-event.deltaY / 500), around));
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
          start.current = { x: event.clientX, y: event.clientY, view };
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
          setView({ ...from.view, x: from.view.x + x, y: from.view.y + y });
        }
      },
      onPointerUp: end,
      onPointerCancel: end
    }
  };
}

function boxOf(placed: IPlacedNode): IBox {
  const { x, y } = placed;
  return { left: x, top: y, right: x + NODE.width, bottom: y + NODE.height };
}

function boxOfCard({ x, y, width, height }: ICard): IBox {
  return { left: x, top: y, right: x + width, bottom: y + height };
}

function boxOfEdge({ points }: IPlacedEdge): IBox {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  return {
    left: Math.min(...xs),
    right: Math.max(...xs),
    top: Math.min(...ys),
    bottom: Math.max(...ys)
  };
}

/** Return the path of an edge: waves between the columns, straight lines through them. */
function curve({ points }: IPlacedEdge): string {
  return points
    .map((point, index) => {
      const before = points[index - 1];
      if (!before) {
        return `M${point.x} ${point.y}`;
      }
      if (index % 2 === 0 || before.x === point.x) {
        return `L${point.x} ${point.y}`;
      }
      const middle = (before.x + point.x) / 2;
      return `C${middle} ${before.y} ${middle} ${point.y} ${point.x} ${point.y}`;
    })
    .join('');
}
