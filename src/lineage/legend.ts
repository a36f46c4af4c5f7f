/**
 * What the legend of a graph tells: only of what is in the picture. Pure.
 */
import type * as api from '../api/types';
import type { NodeKind } from './graph';
import type { ILayout } from './layout';

/** What one entry of the legend explains. */
export type ILegendEntry =
  | { what: 'kind'; kind: NodeKind }
  | { what: 'state'; state: string }
  | { what: 'edge'; basis: api.LineageEdge['basis'] }
  | { what: 'card' };

const KINDS: readonly NodeKind[] = ['repo', 'pipeline', 'cron', 'table', 'notebook', 'group'];
const BASES: readonly api.LineageEdge['basis'][] = ['declared', 'observed'];

/** Return what is to be explained: kinds, the frame, edges, and states in the order of names. */
export function legendOf({ nodes, edges, cards }: ILayout): ILegendEntry[] {
  const kinds = new Set(nodes.map(({ node }) => node.kind));
  const states = new Set(nodes.map(({ node }) => node.state));
  const bases = new Set(edges.map(({ basis }) => basis));
  return [
    ...KINDS.filter(kind => kinds.has(kind)).map(kind => ({ what: 'kind' as const, kind })),
    ...(cards.length > 0 ? [{ what: 'card' as const }] : []),
    ...BASES.filter(basis => bases.has(basis)).map(basis => ({ what: 'edge' as const, basis })),
    ...[...states]
      .filter(Boolean)
      .sort()
      .map(state => ({ what: 'state' as const, state }))
  ];
}

/** Return what tells an entry from the others. */
export function keyOf(entry: ILegendEntry): string {
  switch (entry.what) {
    case 'kind':
      return `kind ${entry.kind}`;
    case 'state':
      return `state ${entry.state}`;
    case 'edge':
      return `edge ${entry.basis}`;
    case 'card':
      return 'card';
  }
}
