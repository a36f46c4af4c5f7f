/**
 * What is drawn of the lineage graph: frames, edges and nodes near the screen.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICard, ILayout, IPlacedEdge, IPlacedNode } from '../lineage/layout';
import { NODE } from '../lineage/layout';
import { LineageNode } from './lineage-node';
import type { IBox, IDrawn } from './viewport';
import { meets } from './viewport';

/** What a {@link LineagePicture} shows and does. */
export interface ILineagePictureProps {
  layout: ILayout;
  drawn: IDrawn;
  /** Id of the chosen node. */
  chosen: string | null;
  /** Ids of the nodes whose flow is shown; null when all are alike. */
  traced: ReadonlySet<string> | null;
  /** Id of the node that the tabulator key leads to. */
  reachable: string | undefined;
  trans: TranslationBundle;
  onChoose: (id: string) => void;
  onOpen: (id: string) => void;
  onFocus: (id: string) => void;
  onHover: (id: string | null) => void;
  /** Choose an edge; they cannot be chosen when left out. */
  onEdge?: (edge: IEnds) => void;
  /** The chosen edge. */
  chosenEdge?: IEnds | null;
}

/** What an edge connects. */
export interface IEnds {
  source: string;
  target: string;
}

/** The contents of the picture, without its place on the screen: panning draws nothing anew. */
export const LineagePicture = React.memo(function LineagePicture(
  props: ILineagePictureProps
): React.JSX.Element {
  const { layout, drawn, chosen, traced, trans } = props;
  const { box, isPlain } = drawn;
  return (
    <g className={traced ? 'jp-mod-tracing' : undefined}>
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
      {layout.cards
        .filter(card => meets(boxOfCard(card), box))
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
      <Edges layout={layout} box={box} isPlain={isPlain} />
      {props.onEdge && !isPlain && (
        <EdgeButtons
          layout={layout}
          box={box}
          chosen={props.chosenEdge ?? null}
          onEdge={props.onEdge}
        />
      )}
      {traced && <TracedEdges layout={layout} box={box} chosen={chosen} traced={traced} />}
      {layout.nodes
        .filter(placed => meets(boxOf(placed), box))
        .map(placed => (
          <LineageNode
            key={placed.node.id}
            placed={placed}
            isPlain={isPlain}
            isChosen={placed.node.id === chosen}
            isTraced={traced?.has(placed.node.id) ?? false}
            isReachable={placed.node.id === props.reachable}
            trans={trans}
            onChoose={props.onChoose}
            onOpen={props.onOpen}
            onFocus={props.onFocus}
            onHover={props.onHover}
          />
        ))}
    </g>
  );
});

/** All edges; from far away those of a kind are one path, which is drawn in no time. */
const Edges = React.memo(function Edges(props: {
  layout: ILayout;
  box: IBox;
  isPlain: boolean;
}): React.JSX.Element {
  const edges = props.layout.edges.filter(edge => meets(boxOfEdge(edge), props.box));
  if (props.isPlain) {
    return (
      <>
        {(['declared', 'observed'] as const).map(basis => (
          <path
            key={basis}
            className={`jp-DatalakeLineageGraph-edge jp-mod-${basis}`}
            d={edges
              .filter(edge => edge.basis === basis)
              .map(curve)
              .join('')}
          />
        ))}
      </>
    );
  }
  return (
    <>
      {edges.map(edge => (
        <path
          key={`${edge.source}\n${edge.target}`}
          className={`jp-DatalakeLineageGraph-edge jp-mod-${edge.basis}`}
          d={curve(edge)}
          markerEnd="url(#jp-datalake-arrow)"
        />
      ))}
    </>
  );
});

/** Where an edge can be clicked: wider than it is drawn. Keys reach it by the step that reads. */
function EdgeButtons(props: {
  layout: ILayout;
  box: IBox;
  chosen: IEnds | null;
  onEdge: (edge: IEnds) => void;
}): React.JSX.Element {
  const { layout, box, chosen, onEdge } = props;
  return (
    <>
      {layout.edges
        .filter(edge => meets(boxOfEdge(edge), box))
        .map(edge => (
          <path
            key={`${edge.source}\n${edge.target}`}
            className={`jp-DatalakeLineageGraph-edgeButton ${
              edge.source === chosen?.source && edge.target === chosen.target
                ? 'jp-mod-selected'
                : ''
            }`}
            data-edge={`${edge.source} ${edge.target}`}
            d={curve(edge)}
            onClick={() => onEdge({ source: edge.source, target: edge.target })}
          />
        ))}
    </>
  );
}

function TracedEdges(props: {
  layout: ILayout;
  box: IBox;
  chosen: string | null;
  traced: ReadonlySet<string>;
}): React.JSX.Element {
  const { layout, box, chosen, traced } = props;
  return (
    <>
      {layout.edges
        .filter(({ source, target }) => traced.has(source) && traced.has(target))
        .filter(edge => meets(boxOfEdge(edge), box))
        .map(edge => (
          <path
            key={`${edge.source}\n${edge.target}`}
            className={`jp-DatalakeLineageGraph-edge jp-mod-${edge.basis} jp-mod-traced ${
              edge.source === chosen || edge.target === chosen ? 'jp-mod-selected' : ''
            }`}
            d={curve(edge)}
            markerEnd="url(#jp-datalake-arrow)"
          />
        ))}
    </>
  );
}

/** Return the place of a node. */
export function boxOf(placed: IPlacedNode): IBox {
  const { x, y } = placed;
  return { left: x, top: y, right: x + NODE.width, bottom: y + NODE.height };
}

function boxOfCard({ x, y, width, height }: ICard): IBox {
  return { left: x, top: y, right: x + width, bottom: y + height };
}

function boxOfEdge({ points }: IPlacedEdge): IBox {
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (const { x, y } of points) {
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  }
  return box;
}

/** How far an edge from right to left swings out. */
const SWING = 60;

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
      if (before.x > point.x) {
        const [out, back] = [before.x + SWING, point.x - SWING];
        return `C${out} ${before.y} ${back} ${point.y} ${point.x} ${point.y}`;
      }
      const middle = (before.x + point.x) / 2;
      return `C${middle} ${before.y} ${middle} ${point.y} ${point.x} ${point.y}`;
    })
    .join('');
}
