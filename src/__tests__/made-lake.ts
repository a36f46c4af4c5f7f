/** Graphs of made lakes, as large as wanted. */
import type { LineageGraph, LineageNode } from '../api/types';

function node(kind: LineageNode['kind'], label: string, details = {}, state = ''): LineageNode {
  return { id: `${kind}:${label}`, kind, label, state, details };
}

/**
 * Return a graph of pipelines in layers, each with its output, and sources.
 *
 * @param size - how many nodes, about.
 * @param groups - how many groups the pipelines are in; 0 for none.
 */
export function madeLake(size: number, groups = 0): LineageGraph {
  const pipelines = Math.floor(size * 0.45);
  const sources = size - 2 * pipelines;
  const graph: LineageGraph = { nodes: [], edges: [] };
  const connect = (source: string, target: string) =>
    graph.edges.push({ source, target, basis: 'declared' });
  const outputs: string[] = [];
  for (let at = 0; at < sources; at++) {
    const source = node('repo', `source${at}`, { commit_id: null, files: at });
    graph.nodes.push(source);
    outputs.push(source.id);
  }
  for (let at = 0; at < pipelines; at++) {
    const group = groups > 0 ? `team${at % groups}/daily` : '';
    const label = `step${at}`;
    const pipeline = node('pipeline', label, { group }, at % 7 === 0 ? 'failed' : 'success');
    const output = node('repo', label, { commit_id: null, files: 1 });
    graph.nodes.push(pipeline, output);
    connect(pipeline.id, output.id);
    // Two of what came a while before: layers, and edges over some of them.
    for (const back of [(at * 7) % 90, 40 + ((at * 13) % 150)]) {
      const given = outputs[outputs.length - 1 - back];
      if (given !== undefined) {
        connect(given, pipeline.id);
      }
    }
    outputs.push(output.id);
  }
  return graph;
}
