import type { LineageGraph, LineageNode } from '../api/types';
import { layout, NODE } from '../lineage/layout';

function graphOf(...edges: string[]): LineageGraph {
  const names = new Set(edges.flatMap(edge => edge.split('>')));
  const nodes: LineageNode[] = [...names].map(id => ({
    id,
    kind: 'repo',
    label: id,
    state: '',
    details: {}
  }));
  return {
    nodes,
    edges: edges
      .filter(edge => edge.includes('>'))
      .map(edge => {
        const [source = '', target = ''] = edge.split('>');
        return { source, target, basis: 'declared' };
      })
  };
}

function columns(graph: LineageGraph): Record<string, number> {
  return Object.fromEntries(layout(graph).nodes.map(({ node, column }) => [node.id, column]));
}

describe('layout', () => {
  it('lays out nothing', () => {
    expect(layout({ nodes: [], edges: [] })).toEqual({
      nodes: [],
      edges: [],
      cards: [],
      width: 0,
      height: 0
    });
  });

  it('puts every node to the right of all that it is made from', () => {
    const graph = graphOf('a>b', 'b>c', 'a>c', 'c>d', 'e>d');
    const column = columns(graph);
    for (const { source, target } of graph.edges) {
      expect(column[source]).toBeLessThan(column[target] as number);
    }
  });

  it('pulls a source next to what it feeds', () => {
    expect(columns(graphOf('a>b', 'b>c', 'c>d', 'late>d'))).toMatchObject({ d: 3, late: 2 });
  });

  it('keeps nodes of a column apart', () => {
    const { nodes } = layout(graphOf('a>x', 'b>x', 'c>x', 'a>y', 'c>y', 'b>z', 'd'));
    for (const one of nodes) {
      for (const other of nodes) {
        if (one !== other && one.column === other.column) {
          expect(Math.abs(one.y - other.y)).toBeGreaterThanOrEqual(NODE.height + NODE.gapY - 1);
        }
      }
    }
  });

  it('puts a pipeline and the repo it writes on one card', () => {
    const graph = graphOf('raw>clean!', 'clean!>clean', 'clean>model!', 'model!>model');
    for (const node of graph.nodes) {
      if (node.id.endsWith('!')) {
        node.kind = 'pipeline';
        node.label = node.id.slice(0, -1);
      }
    }
    const { nodes, cards, edges } = layout(graph);
    const at = (id: string) => nodes.find(({ node }) => node.id === id);
    expect(cards.map(({ id }) => id)).toEqual(['clean!', 'model!']);
    expect(at('clean!')).toMatchObject({ x: at('clean')?.x, column: 1 });
    expect(at('clean')?.y).toBe((at('clean!')?.y ?? 0) + NODE.height + NODE.stack);
    expect(at('model!')?.column).toBe(2);
    expect(edges).toHaveLength(graph.edges.length);
  });

  it('removes crossings that can be removed', () => {
    const { nodes } = layout(graphOf('a>y', 'b>x', 'a>y2', 'b>x2'));
    const y = (id: string) => nodes.find(({ node }) => node.id === id)?.y ?? 0;
    expect(Math.sign(y('a') - y('b'))).toBe(Math.sign(y('y') - y('x')));
    expect(Math.sign(y('a') - y('b'))).toBe(Math.sign(y('y2') - y('x2')));
  });

  it('leads a long edge around the nodes between', () => {
    const { nodes, edges } = layout(graphOf('a>b', 'b>c', 'a>c'));
    const long = edges.find(({ source, target }) => source === 'a' && target === 'c');
    const between = nodes.find(({ node }) => node.id === 'b');
    const crossing = long?.points.find(({ x }) => x === between?.x);
    expect(crossing).toBeDefined();
    const y = crossing?.y ?? 0;
    expect(y < (between?.y ?? 0) || y > (between?.y ?? 0) + NODE.height).toBe(true);
  });

  it('survives cycles, loops and edges to nodes that are not there', () => {
    const graph = graphOf('a>b', 'b>c', 'c>a', 'c>c');
    graph.edges.push({ source: 'a', target: 'nowhere', basis: 'declared' });
    const { nodes, edges } = layout(graph);
    expect(nodes).toHaveLength(3);
    expect(edges).toHaveLength(3); // one of them runs from right to left
  });

  it('gives the same picture for the same graph', () => {
    const graph = graphOf('a>x', 'b>x', 'c>y', 'a>y', 'x>z', 'y>z', 'q>z');
    expect(layout(graph)).toEqual(layout(graph));
  });

  it('lays out 10,000 nodes in seconds at most', () => {
    const edges: string[] = [];
    for (let index = 0; index < 10_000; index++) {
      edges.push(`n${index}>n${index + 1 + ((index * 7919) % 40)}`);
    }
    const started = Date.now();
    const { nodes } = layout(graphOf(...edges));
    expect(nodes.length).toBeGreaterThan(10_000);
    expect(Date.now() - started).toBeLessThan(10_000);
  });
});
