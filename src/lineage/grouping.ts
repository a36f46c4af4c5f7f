/**
 * Groups of nodes that are drawn as one: those that pipelines name, and in large graphs what
 * begins alike. Pure.
 */
import type { IGraph, INode } from './graph';
import { push } from './graph';

/** With more nodes than this, groups begin collapsed and names that begin alike are groups. */
export const MANY = 300;

const FEWEST_ALIKE = 3;
/** Members of a group that are shown one by one; more are cut into ranges. */
const MOST_SHOWN = 120;
const RANGE = 60;

/** A group, and what is in it. */
export interface IGroup {
  /** `group:etl/daily`; the id of the node that stands for it. */
  id: string;
  label: string;
  /** Id of the group that it is inside of; null for the outermost. */
  parent: string | null;
  /** Ids of all nodes of the lake in it, also of those in groups inside it. */
  members: string[];
}

/** The groups of a graph. */
export interface IGrouping {
  /** By id, each behind what it is inside of. */
  groups: ReadonlyMap<string, IGroup>;
  /** Group that a node is in, innermost; nodes that are in none are left out. */
  groupOf: ReadonlyMap<string, string>;
  /** Whether the graph has so many nodes that groups begin collapsed. */
  isLarge: boolean;
}

/** Return the groups of a graph. */
export function groupsOf(graph: IGraph): IGrouping {
  const isLarge = graph.nodes.length > MANY;
  const places = placesOf(graph, isLarge);
  const groups = new Map<string, IGroup>();
  const groupOf = new Map<string, string>();
  for (const [node, path] of places) {
    let parent: string | null = null;
    for (const label of path) {
      const id: string = parent === null ? `group:${label}` : `${parent}/${label}`;
      const group = groups.get(id) ?? { id, label: id.slice('group:'.length), parent, members: [] };
      group.members.push(node);
      groups.set(id, group);
      parent = id;
    }
    if (parent !== null) {
      groupOf.set(node, parent);
    }
  }
  return { groups, groupOf, isLarge };
}

/**
 * Return a graph in which each collapsed group is one node.
 *
 * @param expanded - ids of the groups that are open; those inside a closed one are not looked at.
 */
export function collapse(
  graph: IGraph,
  grouping: IGrouping,
  expanded: ReadonlySet<string>
): IGraph & { shownAs: ReadonlyMap<string, string> } {
  const shownAs = new Map(
    graph.nodes.map(({ id }) => [id, closedAround(id, grouping, expanded) ?? id])
  );
  const members = new Map<string, INode[]>();
  const nodes: INode[] = [];
  for (const node of graph.nodes) {
    const shown = shownAs.get(node.id) as string;
    if (shown === node.id) {
      nodes.push(node);
    } else {
      push(members, shown, node);
    }
  }
  for (const [id, inside] of members) {
    nodes.push(nodeOf(id, grouping.groups.get(id)?.label ?? id, inside));
  }
  const edges = new Map<string, IGraph['edges'][number]>();
  for (const edge of graph.edges) {
    const source = shownAs.get(edge.source) ?? edge.source;
    const target = shownAs.get(edge.target) ?? edge.target;
    const key = `${source}\n${target}`;
    // What is declared by one of them is declared.
    if (source !== target && edges.get(key)?.basis !== 'declared') {
      edges.set(key, { source, target, basis: edge.basis });
    }
  }
  return { nodes, edges: [...edges.values()], shownAs };
}

/** Return the outermost closed group that a node is in. */
export function closedAround(
  node: string,
  { groups, groupOf }: IGrouping,
  expanded: ReadonlySet<string>
): string | undefined {
  let closed: string | undefined;
  for (let at = groupOf.get(node) ?? null; at !== null; at = groups.get(at)?.parent ?? null) {
    closed = expanded.has(at) ? closed : at;
  }
  return closed;
}

/** Return the groups around a node of the lake, the outermost first. */
export function groupsAround(node: string, { groups, groupOf }: IGrouping): string[] {
  const around: string[] = [];
  for (let at = groupOf.get(node) ?? null; at !== null; at = groups.get(at)?.parent ?? null) {
    around.unshift(at);
  }
  return around;
}

/** Return the path of groups of each node that is in one. */
function placesOf(graph: IGraph, isLarge: boolean): Map<string, string[]> {
  const leaders = leadersOf(graph);
  const paths = new Map<string, string[]>();
  const alone: INode[] = [];
  for (const node of graph.nodes) {
    if ((leaders.get(node.id) ?? node.id) !== node.id) {
      continue;
    }
    const group = node.kind === 'pipeline' ? node.details.group : '';
    if (typeof group === 'string' && group !== '') {
      paths.set(node.id, group.split('/'));
    } else {
      alone.push(node);
    }
  }
  if (isLarge) {
    for (const [prefix, nodes] of alike(alone)) {
      nodes.forEach(({ id }) => paths.set(id, [`${prefix}…`]));
    }
    const loose = alone.filter(({ id }) => !paths.has(id));
    loose.forEach(({ id }) => paths.set(id, []));
    cutIntoRanges(paths, graph.nodes);
  }
  for (const [node, leader] of leaders) {
    const path = paths.get(leader);
    if (path && path.length > 0) {
      paths.set(node, path);
    }
  }
  return paths;
}

/** Return which pipeline an output or a clock belongs to: they are grouped together. */
function leadersOf(graph: IGraph): Map<string, string> {
  const kinds = new Map(graph.nodes.map(({ id, kind }) => [id, kind]));
  const leaders = new Map<string, string>();
  for (const { source, target, basis } of graph.edges) {
    if (basis === 'declared' && kinds.get(source) === 'pipeline' && kinds.get(target) === 'repo') {
      leaders.set(target, source);
    } else if (kinds.get(source) === 'cron') {
      leaders.set(source, target);
    }
  }
  return leaders;
}

/** Return nodes by what their names begin with, where several begin so. */
function alike(nodes: readonly INode[]): Map<string, INode[]> {
  const byPrefix = new Map<string, INode[]>();
  for (const node of nodes) {
    const prefix = /^(.+?)[-_./:\d]/.exec(node.label)?.[1];
    if (prefix !== undefined) {
      push(byPrefix, prefix, node);
    }
  }
  return new Map([...byPrefix].filter(([, members]) => members.length >= FEWEST_ALIKE));
}

/** Cut groups with many members into ranges of names, so that an opened one can be looked at. */
function cutIntoRanges(paths: Map<string, string[]>, nodes: readonly INode[]): void {
  const labels = new Map(nodes.map(({ id, label }) => [id, label]));
  const direct = new Map<string, string[]>();
  for (const [id, path] of paths) {
    push(direct, path.join('/'), id);
  }
  const name = (id: string | undefined) => labels.get(id ?? '') ?? '';
  for (const ids of direct.values()) {
    if (ids.length <= MOST_SHOWN) {
      continue;
    }
    ids.sort((a, b) => name(a).localeCompare(name(b), undefined, { numeric: true }));
    for (let start = 0; start < ids.length; start += RANGE) {
      const range = ids.slice(start, start + RANGE);
      const label = `${name(range[0])} – ${name(range[range.length - 1])}`;
      range.forEach(id => paths.set(id, [...(paths.get(id) ?? []), label]));
    }
  }
}

/** States of jobs, the one that matters most first. */
const GRAVITY = ['failed', 'lost', 'running', 'egressing', 'waiting', 'cancelled', 'success'];

/** Return the node that stands for a group. */
function nodeOf(id: string, label: string, inside: readonly INode[]): INode {
  const states: Record<string, number> = {};
  const kinds: Record<string, number> = {};
  for (const { state, kind } of inside) {
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    if (state) {
      states[state] = (states[state] ?? 0) + 1;
    }
  }
  const state =
    GRAVITY.find(one => states[one] !== undefined) ?? (Object.keys(states)[0] as string) ?? '';
  return { id, kind: 'group', label, state, details: { states, kinds, count: inside.length } };
}
