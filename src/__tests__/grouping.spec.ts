import { neighboursOf, search, traceOf } from '../lineage/graph';
import { collapse, groupsAround, groupsOf, MANY } from '../lineage/grouping';
import { layout, placesOf } from '../lineage/layout';
import { madeLake } from './made-lake';

/** Far beyond what was measured: it guards against what grows with the square. */
const PATIENCE_MS = 20_000;

describe('groups of nodes', () => {
  it('are those that pipelines name, with their outputs, one inside the other', () => {
    const graph = madeLake(60, 2);
    const grouping = groupsOf(graph);
    expect([...grouping.groups.keys()]).toEqual([
      'group:team0',
      'group:team0/daily',
      'group:team1',
      'group:team1/daily'
    ]);
    expect(groupsAround('repo:step0', grouping)).toEqual(['group:team0', 'group:team0/daily']);
    expect(groupsAround('repo:source0', grouping)).toEqual([]);
    expect(grouping.isLarge).toBe(false);
  });

  it('are drawn as one node while they are closed, with the state that matters most', () => {
    const graph = madeLake(60, 2);
    const grouping = groupsOf(graph);
    const closed = collapse(graph, grouping, new Set(['group:team1', 'group:team1/daily']));
    const [group, ...others] = closed.nodes.filter(({ kind }) => kind === 'group');
    expect(others).toEqual([]);
    expect(group).toMatchObject({ id: 'group:team0', state: 'failed' });
    expect(closed.nodes.some(({ id }) => id === 'pipeline:step1')).toBe(true);
    expect(closed.nodes.some(({ id }) => id === 'pipeline:step0')).toBe(false);
    expect(closed.edges.filter(({ source, target }) => source === target)).toEqual([]);
    const keys = closed.edges.map(({ source, target }) => `${source} ${target}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('are made of names and ranges where a graph is large, so that each step is small', () => {
    const graph = madeLake(10_000);
    const grouping = groupsOf(graph);
    expect(collapse(graph, grouping, new Set()).nodes.length).toBeLessThan(MANY);
    const opened = collapse(graph, grouping, new Set(['group:step…']));
    expect(opened.nodes.length).toBeGreaterThan(10);
    expect(opened.nodes.length).toBeLessThan(MANY);
    const range = [...grouping.groups.keys()].find(id => id.startsWith('group:step…/')) as string;
    const inside = collapse(graph, grouping, new Set(['group:step…', range]));
    expect(inside.nodes.some(({ kind }) => kind === 'pipeline')).toBe(true);
    expect(inside.nodes.length).toBeLessThan(MANY);
  });
});

describe('a graph that changes', () => {
  it('keeps its nodes where they are when one is added or goes', () => {
    const graph = madeLake(200);
    const before = layout(graph);
    const drawn = placesOf(before);
    const more = madeLake(200);
    more.nodes.push({
      id: 'pipeline:new',
      kind: 'pipeline',
      label: 'new',
      state: '',
      details: {}
    });
    more.edges.push({ source: 'repo:step80', target: 'pipeline:new', basis: 'declared' });
    const after = layout(more, drawn);
    const moved = after.nodes.filter(({ node, y }) => Math.abs((drawn.get(node.id) ?? y) - y) > 60);
    expect(moved.map(({ node }) => node.id)).toEqual([]);
    const gone = layout(
      { nodes: graph.nodes.slice(1), edges: graph.edges.filter(e => e.source !== 'repo:source0') },
      drawn
    );
    expect(gone.nodes.filter(({ node, y }) => Math.abs((drawn.get(node.id) ?? y) - y) > 1)).toEqual(
      []
    );
  });

  it('shows an edge that closes a cycle', () => {
    const graph = madeLake(20);
    graph.edges.push({ source: 'repo:step5', target: 'repo:source0', basis: 'observed' });
    const edges = layout(graph).edges.map(({ source, target }) => `${source} ${target}`);
    expect(edges.length).toBe(graph.edges.length);
  });
});

describe('what is found', () => {
  it('is where data comes from and goes to, and nothing beside it', () => {
    const edges = ['a>b', 'b>c', 'x>c', 'b>d'].map(edge => {
      const [source = '', target = ''] = edge.split('>');
      return { source, target };
    });
    expect([...traceOf('b', neighboursOf(edges))].sort()).toEqual(['a', 'b', 'c', 'd']);
    expect([...traceOf('d', neighboursOf(edges))].sort()).toEqual(['a', 'b', 'd']);
  });

  it('is the name itself first, then what begins so', () => {
    const { nodes } = madeLake(200);
    const found = search(nodes, 'step1', 3).map(({ id }) => id);
    expect(found.slice(0, 2).sort()).toEqual(['pipeline:step1', 'repo:step1']);
    expect(search(nodes, 'pipeline step1', 1)[0]?.id).toBe('pipeline:step1');
    expect(search(nodes, '  ', 3)).toEqual([]);
  });
});

it('lays out large graphs in a time that grows about with their size', () => {
  for (const size of [1_000, 10_000]) {
    const graph = madeLake(size);
    const begun = performance.now();
    const grouping = groupsOf(graph);
    const shown = collapse(graph, grouping, new Set());
    const grouped = performance.now();
    const picture = layout(graph);
    const ended = performance.now();
    // eslint-disable-next-line no-console -- what was measured is for people to read
    console.log(
      `${size} nodes: ${(grouped - begun).toFixed(0)} ms to group into ${shown.nodes.length}, ` +
        `${(ended - grouped).toFixed(0)} ms to lay out ungrouped`
    );
    expect(picture.nodes.length).toBe(size);
    expect(ended - begun).toBeLessThan(PATIENCE_MS);
  }
});
