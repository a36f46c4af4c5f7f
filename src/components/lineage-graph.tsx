/**
 * The lineage graph: panned, zoomed, walked by keys; only what is near the screen is drawn.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { neighboursOf, traceOf } from '../lineage/graph';
import type { ILayout, IPlacedNode } from '../lineage/layout';
import { useDrag, useSize, useView, useWalk } from './lineage-moves';
import type { IEnds } from './lineage-picture';
import { boxOf, LineagePicture } from './lineage-picture';
import { centred, revealing, zoomed } from './viewport';

const STEP = 1.25;
/** Scale below which names are hard to read. */
const LEGIBLE = 0.7;

/** What a {@link LineageGraph} shows and does. */
export interface ILineageGraphProps {
  layout: ILayout;
  /** Id of the chosen node. */
  chosen: string | null;
  /** The node to bring to the middle and to focus, each time it is another object. */
  sought: { id: string } | null;
  trans: TranslationBundle;
  /** Choose a node; null for the empty ground. */
  onChoose: (id: string | null) => void;
  /** Open a group. */
  onOpen: (id: string) => void;
  /** Lay it out anew; it cannot be when left out. */
  onTidy?: () => void;
  /** What it is, and which keys do something; those of the lineage when left out. */
  label?: string;
  /** Ids of the nodes that stand out; those along the flow when left out. */
  only?: ReadonlySet<string> | null;
  /** Choose an edge; they cannot be chosen when left out. */
  onEdge?: (edge: IEnds) => void;
  /** The chosen edge. */
  chosenEdge?: IEnds | null;
}

/** A graph of repos, pipelines and groups of them. */
export function LineageGraph(props: ILineageGraphProps): React.JSX.Element {
  const { layout, chosen, trans } = props;
  const box = React.useRef<HTMLDivElement>(null);
  const stage = React.useRef<SVGGElement>(null);
  const screen = useSize(box);
  const view = useView(layout, screen, stage);
  const [hovered, setHovered] = React.useState<string | null>(null);
  const neighbours = React.useMemo(() => neighboursOf(layout.edges), [layout]);
  const lit = hovered ?? chosen;
  const { only } = props;
  const traced = React.useMemo(
    () => (only !== undefined ? only : lit === null ? null : traceOf(lit, neighbours)),
    [only, lit, neighbours]
  );
  const reveal = (placed: IPlacedNode) => {
    const revealed = revealing(view.now(), boxOf(placed), screen);
    if (revealed.x !== view.now().x || revealed.y !== view.now().y) {
      view.move(revealed);
    }
  };
  const walk = useWalk({ layout, neighbours, chosen, box, reveal });
  const drag = useDrag(box, view);

  // Keep the chosen node where it is seen, also when the sheet takes room. A picture that fits
  // itself shows it anyway, unless it would shrink too far.
  React.useLayoutEffect(() => {
    const placed = layout.nodes.find(({ node }) => node.id === chosen);
    if (placed && (view.isMoved() || view.now().scale < LEGIBLE)) {
      reveal(placed);
    }
  }, [chosen, screen.width, screen.height]);
  React.useLayoutEffect(() => {
    const placed = layout.nodes.find(({ node }) => node.id === props.sought?.id);
    if (placed) {
      view.move(centred(view.now(), boxOf(placed), screen, LEGIBLE));
      walk.focus(placed.node.id);
    }
  }, [props.sought]);

  const zoom = (factor: number) =>
    view.move(zoomed(view.now(), factor, { x: screen.width / 2, y: screen.height / 2 }));
  const keys: Record<string, () => void> = {
    '+': () => zoom(STEP),
    '=': () => zoom(STEP),
    '-': () => zoom(1 / STEP),
    '0': () => view.move(null),
    Escape: () => props.onChoose(null)
  };
  return (
    <div
      ref={box}
      className="jp-DatalakeLineageGraph"
      role="group"
      aria-label={
        props.label ??
        trans.__('Lineage graph; arrow keys walk it, Enter chooses, plus, minus and 0 zoom it')
      }
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
        // The ground is the picture, or what is beside it while it is moved.
        const { target, currentTarget } = event;
        const isGround = target === currentTarget || target === currentTarget.firstElementChild;
        if (!drag.wasDragged() && isGround) {
          props.onChoose(null);
        }
      }}
    >
      <svg className="jp-DatalakeLineageGraph-svg" width="100%" height="100%">
        <g ref={stage} className="jp-DatalakeLineageGraph-stage">
          <LineagePicture
            layout={layout}
            drawn={view.drawn}
            chosen={chosen}
            traced={traced}
            reachable={walk.reachable}
            trans={trans}
            onChoose={props.onChoose}
            onOpen={props.onOpen}
            onFocus={walk.go}
            onHover={setHovered}
            onEdge={props.onEdge}
            chosenEdge={props.chosenEdge}
          />
        </g>
      </svg>
      <div className="jp-DatalakeLineageGraph-zoom" role="group" aria-label={trans.__('Zoom')}>
        <button
          type="button"
          title={trans.__('Zoom in (+)')}
          aria-label={trans.__('Zoom in')}
          onClick={() => zoom(STEP)}
        >
          +
        </button>
        <button
          type="button"
          title={trans.__('Zoom out (-)')}
          aria-label={trans.__('Zoom out')}
          onClick={() => zoom(1 / STEP)}
        >
          −
        </button>
        <button type="button" title={trans.__('Fit (0)')} onClick={() => view.move(null)}>
          {trans.__('Fit')}
        </button>
        {props.onTidy && (
          <button
            type="button"
            title={trans.__('Lay the graph out anew, with few crossings')}
            onClick={() => {
              view.move(null);
              props.onTidy?.();
            }}
          >
            {trans.__('Tidy')}
          </button>
        )}
      </div>
    </div>
  );
}
