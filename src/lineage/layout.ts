/**
 * Layered layout of the lineage graph: data flows from left to right. Pure.
 *
 * A pipeline and the repo it writes share a card. Layers by longest path, sources pulled next to
 * what they feed; long edges get a place of their own in each layer they cross; few crossings by
 * barycentre sweeps; heights by least squares. The same graph gives the same picture, and 10,000
 * nodes take a fraction of a second. A graph that was drawn before keeps its order and heights.
 */
import type * as api from '../api/types';
import type { IGraph, INode } from './graph';
import { push } from './graph';

/** Size of a node, and the room between nodes. */
export const NODE = { width: 172, height: 44, gapX: 34, gapY: 26, stack: 12, frame: 6 } as const;

const SWEEPS = 6;
const LEVELLINGS = 6;
const LANE_HEIGHT = 8;

/** A node and its upper left corner. */
export interface IPlacedNode {
  node: INode;
  x: number;
  y: number;
  /** Layer, from the left. */
  column: number;
}

/** An edge and the points it runs through, from its source to its target. */
export interface IPlacedEdge extends api.LineageEdge {
  points: readonly IPoint[];
}

/** A place. */
export interface IPoint {
  x: number;
  y: number;
}

/** The frame around a pipeline and the repo it writes. */
export interface ICard extends IPoint {
  /** Id of the pipeline. */
  id: string;
  width: number;
  height: number;
}

/** A graph with places. */
export interface ILayout {
  nodes: readonly IPlacedNode[];
  edges: readonly IPlacedEdge[];
  cards: readonly ICard[];
  width: number;
  height: number;
}

/** Nodes that stand above one another, or the place where a long edge crosses a layer. */
interface ISlot {
  nodes: INode[];
  before: number[];
  after: number[];
  layer: number;
  row: number;
  /** Vertical middle. */
  y: number;
  /** Vertical middle in the picture before; undefined for what is new. */
  was: number | undefined;
}

/**
 * Return a graph with places for its nodes and edges; edges to unknown nodes are left out.
 *
 * @param drawn - the picture before, as {@link placesOf} gives it: what is in it stays where it is,
 *   and what is new finds a place between.
 */
export function layout(graph: IGraph, drawn?: ReadonlyMap<string, number>): ILayout {
  const { slots, slotOf } = stack(graph, drawn);
  const edges = graph.edges.filter(
    ({ source, target }) => source !== target && slotOf.has(source) && slotOf.has(target)
  );
  const linkOf = ({ source, target }: api.LineageEdge): [number, number] => [
    slotOf.get(source) ?? 0,
    slotOf.get(target) ?? 0
  ];
  const between = edges.filter(edge => linkOf(edge)[0] !== linkOf(edge)[1]);
  const within = edges.filter(edge => linkOf(edge)[0] === linkOf(edge)[1]);
  const closing = closingCycles(slots.length, between.map(linkOf));
  const forward = between.filter(edge => !closing.has(linkOf(edge).join()));
  assignLayers(slots, forward.map(linkOf));
  const routes = forward.map(edge => route(slots, linkOf(edge), edge, drawn));
  const isKnown = slots.some(slot => slot.was !== undefined);
  const layers = isKnown ? keepOrder(slots) : order(slots);
  level(slots, layers, isKnown);
  const back = between.filter(edge => closing.has(linkOf(edge).join()));
  return place(slots, layers, { forward, routes, within, back });
}

/** Return the upper edges of nodes by id, and the heights at which edges cross layers. */
export function placesOf({ nodes, edges }: ILayout): Map<string, number> {
  const places = new Map(nodes.map(({ node, y }) => [node.id, y]));
  for (const edge of edges) {
    edge.points.slice(1, -1).forEach(({ x, y }) => places.set(laneKey(edge, x), y));
  }
  return places;
}

/** Return what the height of an edge is kept under, at the left of a layer. */
function laneKey({ source, target }: { source: string; target: string }, x: number): string {
  return `${source}\n${target}\n${x}`;
}

function leftOf(layer: number): number {
  return layer * (NODE.width + NODE.gapX);
}

/** Return slots for the nodes: a pipeline shares one with the repo that only it writes. */
function stack(
  graph: IGraph,
  drawn?: ReadonlyMap<string, number>
): { slots: ISlot[]; slotOf: Map<string, number> } {
  const nodes = new Map(graph.nodes.map(node => [node.id, node]));
  const writers = new Map<string, string[]>();
  for (const { source, target, basis } of graph.edges) {
    if (basis === 'declared') {
      push(writers, target, source);
    }
  }
  const slots: ISlot[] = [];
  const slotOf = new Map<string, number>();
  const below: INode[] = [];
  for (const node of graph.nodes) {
    const [writer, ...others] = node.kind === 'repo' ? (writers.get(node.id) ?? []) : [];
    const pipeline = writer === undefined || others.length > 0 ? undefined : nodes.get(writer);
    if (pipeline?.kind === 'pipeline' && pipeline.label === node.label) {
      below.push(node);
    } else {
      slotOf.set(node.id, slots.length);
      slots.push(slotWith([node]));
    }
  }
  for (const node of below) {
    const slot = slotOf.get((writers.get(node.id) as [string])[0]) as number;
    slotOf.set(node.id, slot);
    slots[slot]?.nodes.push(node);
  }
  for (const slot of drawn ? slots : []) {
    const top = drawn?.get(slot.nodes[0]?.id ?? '');
    slot.was = top === undefined ? undefined : top + heightOf(slot) / 2;
  }
  return { slots, slotOf };
}

function slotWith(nodes: INode[], layer = 0): ISlot {
  return { nodes, before: [], after: [], layer, row: 0, y: 0, was: undefined };
}

/** Return the links that close a cycle in depth-first search, as `from,to`. */
function closingCycles(count: number, links: readonly [number, number][]): Set<string> {
  const after: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of links) {
    after[from]?.push(to);
  }
  const state = new Uint8Array(count); // 0 unseen, 1 on the path, 2 done
  const closing = new Set<string>();
  for (let start = 0; start < count; start++) {
    if (state[start] !== 0) {
      continue;
    }
    const stack: { at: number; next: number }[] = [{ at: start, next: 0 }];
    state[start] = 1;
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { at: number; next: number };
      const to = after[top.at]?.[top.next++];
      if (to === undefined) {
        state[top.at] = 2;
        stack.pop();
      } else if (state[to] === 1) {
        closing.add(`${top.at},${to}`);
      } else if (state[to] === 0) {
        state[to] = 1;
        stack.push({ at: to, next: 0 });
      }
    }
  }
  return closing;
}

/** Give slots their layers: as far left as their inputs allow, sources as far right. */
function assignLayers(slots: ISlot[], links: readonly [number, number][]): void {
  const after: number[][] = slots.map(() => []);
  const waiting = slots.map(() => 0);
  for (const [from, to] of links) {
    after[from]?.push(to);
    waiting[to] = (waiting[to] ?? 0) + 1;
  }
  const sources = waiting.flatMap((count, index) => (count === 0 ? [index] : []));
  const ready = [...sources]; // grows while it is walked through
  for (const index of ready) {
    const slot = slots[index] as ISlot;
    for (const to of after[index] ?? []) {
      const target = slots[to] as ISlot;
      target.layer = Math.max(target.layer, slot.layer + 1);
      waiting[to] = (waiting[to] ?? 0) - 1;
      if (waiting[to] === 0) {
        ready.push(to);
      }
    }
  }
  for (const index of sources) {
    const fed = (after[index] ?? []).map(to => slots[to]?.layer ?? 0);
    if (fed.length > 0) {
      (slots[index] as ISlot).layer = fed.reduce((one, other) => Math.min(one, other)) - 1;
    }
  }
}

/** Link two slots, with one more in each layer between them; return all of them in order. */
function route(
  slots: ISlot[],
  [from, to]: [number, number],
  edge: api.LineageEdge,
  drawn?: ReadonlyMap<string, number>
): number[] {
  const path = [from];
  const first = (slots[from] as ISlot).layer + 1;
  const last = (slots[to] as ISlot).layer;
  for (let layer = first; layer < last; layer++) {
    const lane = slotWith([], layer);
    lane.was = drawn?.get(laneKey(edge, leftOf(layer)));
    path.push(slots.push(lane) - 1);
  }
  path.push(to);
  for (let step = 1; step < path.length; step++) {
    const left = path[step - 1] as number;
    const right = path[step] as number;
    slots[left]?.after.push(right);
    slots[right]?.before.push(left);
  }
  return path;
}

/** Return the layers with the slots of each, as they come. */
function layersOf(slots: readonly ISlot[]): number[][] {
  const layers: number[][] = [];
  slots.forEach((slot, index) => {
    while (layers.length <= slot.layer) {
      layers.push([]);
    }
    slot.row = layers[slot.layer]?.push(index) ?? 0;
  });
  return layers;
}

/** Return the layers, each in the order of before; what is new stands beside its neighbours. */
function keepOrder(slots: ISlot[]): number[][] {
  const layers = layersOf(slots);
  for (const side of ['before', 'after', 'before'] as const) {
    for (const layer of side === 'before' ? layers : [...layers].reverse()) {
      for (const index of layer) {
        const slot = slots[index] as ISlot;
        const near = slot[side].map(other => slots[other] as ISlot);
        slot.y = slot.was ?? mean(near.map(other => other.was ?? other.y)) ?? slot.y;
      }
    }
  }
  for (const layer of layers) {
    layer.sort((a, b) => (slots[a]?.y ?? 0) - (slots[b]?.y ?? 0));
    renumber(slots, layer);
  }
  return layers;
}

/** Return the layers, each ordered so that few links cross. */
function order(slots: ISlot[]): number[][] {
  const layers = layersOf(slots);
  let best = layers.map(layer => [...layer]);
  let fewest = Infinity;
  for (let sweep = 0; sweep <= SWEEPS; sweep++) {
    const crossings = countCrossings(slots, layers);
    if (crossings < fewest) {
      fewest = crossings;
      best = layers.map(layer => [...layer]);
    }
    if (crossings === 0 || sweep === SWEEPS) {
      break;
    }
    const side = sweep % 2 === 0 ? 'before' : 'after';
    for (const layer of side === 'before' ? layers : [...layers].reverse()) {
      const weight = new Map(
        layer.map(index => {
          const slot = slots[index] as ISlot;
          return [index, mean(slot[side].map(other => slots[other]?.row ?? 0)) ?? slot.row];
        })
      );
      layer.sort((a, b) => (weight.get(a) ?? 0) - (weight.get(b) ?? 0));
      renumber(slots, layer);
    }
  }
  best.forEach(layer => renumber(slots, layer));
  return best;
}

function renumber(slots: ISlot[], layer: readonly number[]): void {
  layer.forEach((index, row) => {
    (slots[index] as ISlot).row = row;
  });
}

/** Return how many links cross, by counting inversions with a Fenwick tree. */
function countCrossings(slots: readonly ISlot[], layers: readonly number[][]): number {
  let crossings = 0;
  layers.forEach((layer, position) => {
    const next = layers[position + 1];
    if (!next) {
      return;
    }
    const tree = new Int32Array(next.length + 1);
    let seen = 0;
    for (const index of layer) {
      const rows = (slots[index]?.after ?? []).map(other => slots[other]?.row ?? 0);
      for (const row of rows) {
        let notAbove = 0;
        for (let at = row + 1; at > 0; at -= at & -at) {
          notAbove += tree[at] ?? 0;
        }
        crossings += seen - notAbove;
      }
      for (const row of rows) {
        for (let at = row + 1; at < tree.length; at += at & -at) {
          tree[at] = (tree[at] ?? 0) + 1;
        }
        seen++;
      }
    }
  });
  return crossings;
}

/** Give slots their heights: each as near to its neighbours as its layer's order allows. */
function level(slots: ISlot[], layers: readonly number[][], isKnown: boolean): void {
  if (isKnown) {
    for (const layer of layers) {
      spread(
        slots,
        layer,
        layer.map(index => slots[index]?.y ?? 0)
      );
    }
    return;
  }
  for (const layer of layers) {
    let y = 0;
    layer.forEach((index, row) => {
      y += row === 0 ? 0 : distance(slots, layer[row - 1] as number, index);
      (slots[index] as ISlot).y = y;
    });
  }
  for (let pass = 0; pass < LEVELLINGS; pass++) {
    const side = pass % 2 === 0 ? 'before' : 'after';
    for (const layer of side === 'before' ? layers : [...layers].reverse()) {
      const wanted = layer.map(index => {
        const slot = slots[index] as ISlot;
        const near = slot[side].length > 0 ? slot[side] : [...slot.before, ...slot.after];
        return mean(near.map(other => slots[other]?.y ?? 0)) ?? slot.y;
      });
      spread(slots, layer, wanted);
    }
  }
}

/**
 * Move a layer's slots to the heights nearest to those wanted that keep order and distance: with
 * the distances taken off this is isotonic regression, solved by pooling adjacent violators.
 */
function spread(slots: ISlot[], layer: readonly number[], wanted: readonly number[]): void {
  const offsets: number[] = [];
  const pools: { sum: number; count: number }[] = [];
  layer.forEach((index, row) => {
    const before = row === 0 ? 0 : (offsets[row - 1] ?? 0);
    offsets.push(row === 0 ? 0 : before + distance(slots, layer[row - 1] as number, index));
    let pool = { sum: (wanted[row] ?? 0) - (offsets[row] ?? 0), count: 1 };
    let above = pools[pools.length - 1];
    while (above && above.sum / above.count > pool.sum / pool.count) {
      pool = { sum: above.sum + pool.sum, count: above.count + pool.count };
      pools.pop();
      above = pools[pools.length - 1];
    }
    pools.push(pool);
  });
  let row = 0;
  for (const { sum, count } of pools) {
    for (let step = 0; step < count; step++, row++) {
      (slots[layer[row] as number] as ISlot).y = sum / count + (offsets[row] ?? 0);
    }
  }
}

/** Return how far the middles of two neighbours in a layer are apart at least. */
function distance(slots: readonly ISlot[], upper: number, lower: number): number {
  return (heightOf(slots[upper]) + heightOf(slots[lower])) / 2 + NODE.gapY;
}

function heightOf(slot: ISlot | undefined): number {
  const count = slot?.nodes.length ?? 0;
  return count === 0 ? LANE_HEIGHT : count * NODE.height + (count - 1) * NODE.stack;
}

/** Edges by how they run. */
interface IRouted {
  forward: readonly api.LineageEdge[];
  /** Of each of those, the slots it runs through. */
  routes: readonly number[][];
  /** Between nodes of one slot. */
  within: readonly api.LineageEdge[];
  /** From right to left: they close cycles. */
  back: readonly api.LineageEdge[];
}

function place(
  slots: readonly ISlot[],
  layers: readonly number[][],
  { forward, routes, within, back }: IRouted
): ILayout {
  const isKnown = slots.some(slot => slot.was !== undefined);
  const top = slots.reduce(
    (least, slot) => Math.min(least, slot.y - heightOf(slot) / 2),
    isKnown ? 0 : Infinity // what was drawn stays, though nothing is above it any more
  );
  const left = (slot: ISlot) => leftOf(slot.layer);
  const middle = (slot: ISlot) => Math.round(slot.y - top);
  const nodes: IPlacedNode[] = [];
  const cards: ICard[] = [];
  for (const slot of slots) {
    const [x, y] = [left(slot), middle(slot) - heightOf(slot) / 2];
    slot.nodes.forEach((node, index) => {
      nodes.push({ node, x, y: y + index * (NODE.height + NODE.stack), column: slot.layer });
    });
    const [first, ...others] = slot.nodes;
    if (first && others.length > 0) {
      cards.push({
        id: first.id,
        x: x - NODE.frame,
        y: y - NODE.frame,
        width: NODE.width + 2 * NODE.frame,
        height: heightOf(slot) + 2 * NODE.frame
      });
    }
  }
  const edges: IPlacedEdge[] = forward.map((edge, index) => {
    const path = (routes[index] ?? []).map(one => slots[one] as ISlot);
    const points = path.flatMap((slot, step) => {
      const rim = slot.nodes.length > 1 ? NODE.frame : 0;
      const start = { x: left(slot) - rim, y: middle(slot) };
      const end = { x: left(slot) + NODE.width + rim, y: middle(slot) };
      return step === 0 ? [end] : step === path.length - 1 ? [start] : [start, end];
    });
    return { ...edge, points };
  });
  const placed = new Map(nodes.map(one => [one.node.id, one]));
  for (const edge of within) {
    const [from, to] = [placed.get(edge.source), placed.get(edge.target)];
    if (from && to) {
      const x = from.x + NODE.width / 2;
      const points = [
        { x, y: from.y + NODE.height },
        { x, y: to.y }
      ];
      edges.push({ ...edge, points });
    }
  }
  for (const edge of back) {
    const [from, to] = [placed.get(edge.source), placed.get(edge.target)];
    if (from && to) {
      const points = [
        { x: from.x + NODE.width, y: from.y + NODE.height / 2 },
        { x: to.x, y: to.y + NODE.height / 2 }
      ];
      edges.push({ ...edge, points });
    }
  }
  return {
    nodes,
    edges,
    cards,
    width: layers.length * (NODE.width + NODE.gapX) - (layers.length > 0 ? NODE.gapX : 0),
    height: nodes.reduce((most, one) => Math.max(most, one.y + NODE.height), 0)
  };
}

function mean(values: readonly number[]): number | undefined {
  return values.length > 0 ? values.reduce((sum, one) => sum + one, 0) / values.length : undefined;
}
