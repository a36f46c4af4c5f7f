/**
 * One node of the lineage graph: a shape by kind, a colour and a word by state.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { listIcon, notebookIcon, tableRowsIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { clockIcon, pipelineIcon, repoIcon } from '../icons';
import type { INode, NodeKind } from '../lineage/graph';
import type { IPlacedNode } from '../lineage/layout';
import { NODE } from '../lineage/layout';
import { shortId } from './formats';
import { stateText, toneOf } from './state-badge';

const MAX_LABEL = 20;
const MAX_FACT = 25;
const CORNER = 12;
const PORT = 6;

/** What a {@link LineageNode} shows and does. */
export interface ILineageNodeProps {
  placed: IPlacedNode;
  /** Whether it is so far away that its words could not be read. */
  isPlain: boolean;
  isChosen: boolean;
  /** Whether it is on the way of the data that is followed. */
  isTraced: boolean;
  /** Whether the tabulator key leads here. */
  isReachable: boolean;
  trans: TranslationBundle;
  onChoose: (id: string) => void;
  /** Open a group. */
  onOpen: (id: string) => void;
  onFocus: (id: string) => void;
  onHover: (id: string | null) => void;
}

/** Return the kind of a node as a word. */
export function kindText(kind: NodeKind, trans: TranslationBundle): string {
  switch (kind) {
    case 'repo':
      return trans.__('repo');
    case 'pipeline':
      return trans.__('pipeline');
    case 'table':
      return trans.__('warehouse table');
    case 'cron':
      return trans.__('schedule');
    case 'notebook':
      return trans.__('notebook');
    case 'group':
      return trans.__('group');
  }
}

const GLYPHS: Record<NodeKind, string> = {
  repo: pathOf(repoIcon.svgstr),
  pipeline: pathOf(pipelineIcon.svgstr),
  table: pathOf(tableRowsIcon.svgstr),
  cron: pathOf(clockIcon.svgstr),
  notebook: pathOf(notebookIcon.svgstr),
  group: pathOf(listIcon.svgstr)
};

/** Return the outline of an icon. */
function pathOf(svg: string): string {
  return [...svg.matchAll(/ d="([^"]+)"/g)].map(match => match[1]).join('');
}

/** A node, focusable, at its place. */
export const LineageNode = React.memo(function LineageNode(
  props: ILineageNodeProps
): React.JSX.Element {
  const { placed, trans } = props;
  const { node, x, y } = placed;
  const kind = kindText(node.kind, trans);
  const state = node.state ? stateText(node.state, trans) : '';
  const wrong = node.problems ? trans._n('%1 problem', '%1 problems', node.problems) : '';
  const told = [state, wrong].filter(Boolean).join(', ');
  return (
    <g
      className={`jp-DatalakeLineageNode jp-mod-${node.kind} ${
        node.state ? `jp-mod-${toneOf(node.state)}` : ''
      } ${props.isChosen ? 'jp-mod-selected' : ''} ${props.isTraced ? 'jp-mod-traced' : ''} ${wrong ? 'jp-mod-bad' : ''}`}
      transform={`translate(${x} ${y})`}
      role="button"
      tabIndex={props.isReachable ? 0 : -1}
      aria-label={told ? `${kind} ${node.label}, ${told}` : `${kind} ${node.label}`}
      aria-pressed={props.isChosen}
      data-node={node.id}
      data-state={node.state}
      onClick={() => props.onChoose(node.id)}
      onDoubleClick={() => props.onOpen(node.id)}
      onFocus={() => props.onFocus(node.id)}
      onPointerEnter={() => props.onHover(node.id)}
      onPointerLeave={() => props.onHover(null)}
      onKeyDown={event => {
        if (event.key === 'e' && node.kind === 'group') {
          event.preventDefault();
          props.onOpen(node.id);
        } else if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          props.onChoose(node.id);
        }
      }}
    >
      <title>{told ? `${kind} ${node.label}: ${told}` : `${kind} ${node.label}`}</title>
      <Shape kind={node.kind} />
      {!props.isPlain && (
        <>
          <path
            className="jp-DatalakeLineageNode-glyph"
            transform="translate(9 13) scale(0.75)"
            d={GLYPHS[node.kind]}
          />
          <text className="jp-DatalakeLineageNode-label" x={33} y={19}>
            {cut(nameOf(node), MAX_LABEL)}
          </text>
          <text className="jp-DatalakeLineageNode-fact" x={33} y={34}>
            {cut(wrong || (node.note ?? factOf(node, state, trans)), MAX_FACT)}
          </text>
        </>
      )}
      {node.hasPort && (
        <circle
          className="jp-DatalakeLineageNode-port"
          data-port={node.id}
          cx={NODE.width}
          cy={NODE.height / 2}
          r={PORT}
        />
      )}
    </g>
  );
});

/** The outline of a kind of nodes, as large as in the graph or as told. */
export function Shape(props: {
  kind: NodeKind;
  width?: number;
  height?: number;
}): React.JSX.Element {
  const { kind, width = NODE.width, height = NODE.height } = props;
  const part = height / NODE.height;
  const corner = CORNER * Math.sqrt(part);
  const round = 7 * Math.sqrt(part);
  const back = 4 * Math.sqrt(part);
  const className = 'jp-DatalakeLineageNode-shape';
  switch (kind) {
    case 'pipeline': {
      // An arrow's shaft: data goes through it from left to right.
      const points = [
        [0, 0],
        [width - corner, 0],
        [width, height / 2],
        [width - corner, height],
        [0, height]
      ];
      return <polygon className={className} points={points.map(one => one.join(',')).join(' ')} />;
    }
    case 'cron':
      return <rect className={className} width={width} height={height} rx={height / 2} />;
    case 'table':
      return (
        <>
          <rect className={className} width={width} height={height} />
          <line className={className} x1={0} y1={5 * part} x2={width} y2={5 * part} />
        </>
      );
    case 'group':
      return (
        <>
          <rect className={className} x={back} y={-back} width={width} height={height} rx={round} />
          <rect className={className} width={width} height={height} rx={round} />
        </>
      );
    case 'notebook':
    case 'repo':
      return <rect className={className} width={width} height={height} rx={round} />;
  }
}

/** Return the first line of a node: of a table what stands behind the name of its warehouse. */
function nameOf({ kind, label }: INode): string {
  switch (kind) {
    case 'table':
      return label.slice(label.indexOf('.') + 1);
    case 'notebook':
      return label.slice(label.lastIndexOf('/') + 1);
    case 'pipeline':
    case 'repo':
    case 'cron':
    case 'group':
      return label;
  }
}

/** Return the second line of a node. */
function factOf(node: INode, state: string, trans: TranslationBundle): string {
  const { details } = node;
  switch (node.kind) {
    case 'pipeline':
      return state || trans.__('has not run yet');
    case 'repo': {
      const commit = typeof details.commit_id === 'string' ? shortId(details.commit_id) : '';
      if (typeof details.files !== 'number') {
        return commit || trans.__('empty');
      }
      const files = trans._n('%1 file', '%1 files', details.files);
      return commit ? `${commit} · ${files}` : trans.__('empty');
    }
    case 'table': {
      const [warehouse, table] = node.label.split('.');
      return table === undefined ? trans.__('warehouse') : trans.__('table of %1', warehouse);
    }
    case 'cron':
      return trans.__('schedule');
    case 'notebook':
      return trans.__('notebook, observed');
    case 'group': {
      const count = typeof details.count === 'number' ? details.count : 0;
      const nodes = trans._n('%1 node', '%1 nodes', count);
      return state ? `${nodes} · ${state}` : nodes;
    }
  }
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
