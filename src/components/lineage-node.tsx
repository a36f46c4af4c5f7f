/**
 * One node of the lineage graph: a shape by kind, a colour and a word by state.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { tableRowsIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { clockIcon, pipelineIcon, repoIcon } from '../icons';
import type { IPlacedNode } from '../lineage/layout';
import { NODE } from '../lineage/layout';
import { shortId } from './formats';
import { stateText, toneOf } from './state-badge';

const MAX_LABEL = 20;
const MAX_FACT = 25;
const CORNER = 12;

/** What a {@link LineageNode} shows and does. */
export interface ILineageNodeProps {
  placed: IPlacedNode;
  isChosen: boolean;
  /** Whether the tabulator key leads here. */
  isReachable: boolean;
  trans: TranslationBundle;
  onChoose: (id: string) => void;
  onFocus: (id: string) => void;
}

/** Return the kind of a node as a word. */
export function kindText(kind: api.LineageNode['kind'], trans: TranslationBundle): string {
  switch (kind) {
    case 'repo':
      return trans.__('repo');
    case 'pipeline':
      return trans.__('pipeline');
    case 'table':
      return trans.__('warehouse table');
    case 'cron':
      return trans.__('schedule');
  }
}

const GLYPHS: Record<api.LineageNode['kind'], string> = {
  repo: pathOf(repoIcon.svgstr),
  pipeline: pathOf(pipelineIcon.svgstr),
  table: pathOf(tableRowsIcon.svgstr),
  cron: pathOf(clockIcon.svgstr)
};

/** Return the outline of an icon. */
function pathOf(svg: string): string {
  return / d="([^"]+)"/.exec(svg)?.[1] ?? '';
}

/** A node, focusable, at its place. */
export const LineageNode = React.memo(function LineageNode(
  props: ILineageNodeProps
): React.JSX.Element {
  const { placed, trans } = props;
  const { node, x, y } = placed;
  const kind = kindText(node.kind, trans);
  const state = node.state ? stateText(node.state, trans) : '';
  return (
    <g
      className={`jp-DatalakeLineageNode jp-mod-${node.kind} ${
        node.state ? `jp-mod-${toneOf(node.state)}` : ''
      } ${props.isChosen ? 'jp-mod-selected' : ''}`}
      transform={`translate(${x} ${y})`}
      role="button"
      tabIndex={props.isReachable ? 0 : -1}
      aria-label={state ? `${kind} ${node.label}, ${state}` : `${kind} ${node.label}`}
      aria-pressed={props.isChosen}
      data-node={node.id}
      data-state={node.state}
      onClick={() => props.onChoose(node.id)}
      onFocus={() => props.onFocus(node.id)}
      onKeyDown={event => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          props.onChoose(node.id);
        }
      }}
    >
      <title>{state ? `${kind} ${node.label}: ${state}` : `${kind} ${node.label}`}</title>
      <Shape kind={node.kind} />
      <path
        className="jp-DatalakeLineageNode-glyph"
        transform="translate(9 13) scale(0.75)"
        d={GLYPHS[node.kind]}
      />
      <text className="jp-DatalakeLineageNode-label" x={33} y={19}>
        {cut(nameOf(node), MAX_LABEL)}
      </text>
      <text className="jp-DatalakeLineageNode-fact" x={33} y={34}>
        {cut(factOf(node, state, trans), MAX_FACT)}
      </text>
    </g>
  );
});

function Shape({ kind }: { kind: api.LineageNode['kind'] }): React.JSX.Element {
  const { width, height } = NODE;
  const className = 'jp-DatalakeLineageNode-shape';
  switch (kind) {
    case 'pipeline': {
      // An arrow's shaft: data goes through it from left to right.
      const points = [
        [0, 0],
        [width - CORNER, 0],
        [width, height / 2],
        [width - CORNER, height],
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
          <line className={className} x1={0} y1={5} x2={width} y2={5} />
        </>
      );
    case 'repo':
      return <rect className={className} width={width} height={height} rx={7} />;
  }
}

/** Return the first line of a node: of a table what stands behind the name of its warehouse. */
function nameOf({ kind, label }: api.LineageNode): string {
  return kind === 'table' ? label.slice(label.indexOf('.') + 1) : label;
}

/** Return the second line of a node. */
function factOf(node: api.LineageNode, state: string, trans: TranslationBundle): string {
  const { details } = node;
  switch (node.kind) {
    case 'pipeline':
      return state || trans.__('has not run yet');
    case 'repo': {
      const commit = typeof details.commit_id === 'string' ? shortId(details.commit_id) : '';
      const files = typeof details.files === 'number' ? details.files : 0;
      return commit ? `${commit} · ${trans._n('%1 file', '%1 files', files)}` : trans.__('empty');
    }
    case 'table': {
      const [warehouse, table] = node.label.split('.');
      return table === undefined ? trans.__('warehouse') : trans.__('table of %1', warehouse);
    }
    case 'cron':
      return trans.__('schedule');
  }
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
