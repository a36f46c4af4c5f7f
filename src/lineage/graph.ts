/**
 * The graph as it is drawn: nodes of the lake, and groups of them. Pure.
 */
import type * as api from '../api/types';

/** Kinds of nodes: those of the lake, and groups that are shown as one. */
export type NodeKind = api.LineageNode['kind'] | 'group';

/** A node of the lake, or a group of them. */
export interface INode extends Omit<api.LineageNode, 'kind'> {
  kind: NodeKind;
  /** What stands below its name, in place of what its details say. */
  note?: string;
  /** How many things are wrong with it. */
  problems?: number;
  /** Whether others can be connected to it. */
  hasPort?: boolean;
}

/** Nodes and the edges between them. */
export interface IGraph {
  nodes: readonly INode[];
  edges: readonly api.LineageEdge[];
}

/** Who is next to whom, by id. */
export interface INeighbours {
  before: ReadonlyMap<string, readonly string[]>;
  after: ReadonlyMap<string, readonly string[]>;
}

/** Return who is next to whom. */
export function neighboursOf(edges: readonly { source: string; target: string }[]): INeighbours {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  for (const { source, target } of edges) {
    push(after, source, target);
    push(before, target, source);
  }
  return { before, after };
}

/** Return the ids of a node, of all that it is made from, and of all that is made from it. */
export function traceOf(id: string, { before, after }: INeighbours): Set<string> {
  const traced = new Set([id]);
  for (const next of [before, after]) {
    const seen = new Set([id]);
    for (const at of seen) {
      for (const one of next.get(at) ?? []) {
        seen.add(one); // grows while it is walked through
        traced.add(one);
      }
    }
  }
  return traced;
}

/** Return the nodes whose name or kind holds all words of a text, best first. */
export function search(nodes: readonly INode[], text: string, limit: number): INode[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    return [];
  }
  const rank = (label: string) =>
    label === words[0] ? 0 : label.startsWith(words[0] ?? '') ? 1 : 2;
  return nodes
    .map(node => ({ node, label: node.label.toLowerCase() }))
    .filter(({ node, label }) => words.every(one => `${node.kind} ${label}`.includes(one)))
    .sort((a, b) => rank(a.label) - rank(b.label) || a.label.localeCompare(b.label))
    .slice(0, limit)
    .map(({ node }) => node);
}

/** Add to the list that stands under a key. */
export function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) {
    list.push(value);
  } else {
    lists.set(key, [value]);
  }
}
