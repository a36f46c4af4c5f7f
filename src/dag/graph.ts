/**
 * Steps as a graph: what feeds what, what may be connected, and what cannot be. Pure.
 */
import type { IGraph, INode } from '../lineage/graph';
import { neighboursOf, traceOf } from '../lineage/graph';
import { codeOf } from '../specs';
import type { IDagInput } from './inputs';
import { clocksOf, repoLeaves } from './inputs';
import type { IStep } from './spec-text';

/** A step of the graph. */
export interface IDagStep {
  /** Position in the text, from 0. */
  index: number;
  /** Id of its node. */
  id: string;
  /** Name of its pipeline and of the repo it writes; empty if it has none. */
  name: string;
  inputs: readonly IDagInput[];
  clocks: readonly string[];
  step: IStep;
}

/** What is wrong with a step. */
export interface IDagProblem {
  kind: 'text' | 'name' | 'duplicate' | 'cycle' | 'repo' | 'server';
  /** Position of the step. */
  index: number;
  /** The name, the circle or the repo; of `text` and `server` the message. */
  value: string;
  /** Of `text`. */
  line?: number;
  /** Of `server`: the place in the spec. */
  place?: string;
}

/** What stands below the names of nodes, by their ids. */
export type Facts = ReadonlyMap<string, string>;

/** Return the id of the node of a repo. */
export function repoId(name: string): string {
  return `repo:${name}`;
}

/** Return the steps with what they read. */
export function dagSteps(steps: readonly IStep[]): IDagStep[] {
  const taken = new Set<string>();
  return steps.map((step, index) => {
    const spec = step.spec ?? {};
    const name = typeof spec.pipeline === 'string' ? spec.pipeline : '';
    const isFirst = name !== '' && !taken.has(name);
    taken.add(name);
    return {
      index,
      id: isFirst ? `pipeline:${name}` : `step:${index}`,
      name,
      inputs: repoLeaves(spec),
      clocks: clocksOf(spec),
      step
    };
  });
}

/**
 * Return what is drawn.
 *
 * @param loose - repos that stand on the canvas though nothing reads them yet.
 */
export function dagGraph(
  steps: readonly IDagStep[],
  loose: readonly string[],
  problems: readonly IDagProblem[],
  facts: Facts
): IGraph {
  const nodes = new Map<string, INode>();
  const edges = new Map<string, IGraph['edges'][number]>();
  const link = (source: string, target: string) =>
    edges.set(`${source}\n${target}`, { source, target, basis: 'declared' });
  for (const step of steps) {
    const own = problems.filter(({ index }) => index === step.index);
    nodes.set(step.id, {
      id: step.id,
      kind: 'pipeline',
      label: step.name || codeOf(step.step.spec ?? {}).text || '?',
      state: '',
      details: {},
      note: facts.get(step.id) ?? codeOf(step.step.spec ?? {}).text,
      problems: own.length,
      hasPort: step.name !== ''
    });
  }
  for (const { id, name } of steps) {
    if (name && !nodes.has(repoId(name))) {
      nodes.set(repoId(name), repoNode(name, true, facts));
      link(id, repoId(name));
    }
  }
  for (const { id, inputs, clocks } of steps) {
    for (const { repo } of inputs) {
      if (!nodes.has(repoId(repo))) {
        nodes.set(repoId(repo), repoNode(repo, false, facts));
      }
      link(repoId(repo), id);
    }
    clocks.forEach((schedule, at) => {
      const clock = `cron:${id}:${at}`;
      nodes.set(clock, { id: clock, kind: 'cron', label: schedule, state: '', details: {} });
      link(clock, id);
    });
  }
  for (const repo of loose) {
    if (!nodes.has(repoId(repo))) {
      nodes.set(repoId(repo), repoNode(repo, false, facts));
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

function repoNode(name: string, isOutput: boolean, facts: Facts): INode {
  const id = repoId(name);
  return {
    id,
    kind: 'repo',
    label: name,
    state: '',
    details: { isOutput },
    note: facts.get(id),
    hasPort: true
  };
}

/** What feeds each node, by id. */
type Feeding = ReadonlyMap<string, readonly string[]>;

function feedingOf(steps: readonly IDagStep[]): Feeding {
  return neighboursOf(feeds(steps)).before;
}

/** Return the ids of the steps that may read a repo: those that do not feed it. */
export function mayRead(
  steps: readonly IDagStep[],
  repo: string,
  feeding: Feeding = feedingOf(steps)
): Set<string> {
  const upstream = traceOf(repoId(repo), { before: feeding, after: new Map() });
  const readable = steps.filter(({ id, step }) => step.spec !== null && !upstream.has(id));
  return new Set(readable.map(({ id }) => id));
}

/** Return what is wrong that can be told without the server. */
export function problemsOf(
  steps: readonly IDagStep[],
  repos: ReadonlySet<string> | null
): IDagProblem[] {
  const problems: IDagProblem[] = [];
  const feeding = feedingOf(steps);
  const names = new Map<string, number>();
  for (const { name } of steps) {
    names.set(name, (names.get(name) ?? 0) + 1);
  }
  for (const { index, name, inputs, step, id } of steps) {
    if (step.problem) {
      const { message, line } = step.problem;
      problems.push({ kind: 'text', index, value: message, line });
      continue;
    }
    if (!name && step.spec?.template === undefined) {
      problems.push({ kind: 'name', index, value: '' });
    } else if (name && (names.get(name) ?? 0) > 1) {
      problems.push({ kind: 'duplicate', index, value: name });
    }
    const circle = inputs.find(({ repo }) => !mayRead(steps, repo, feeding).has(id));
    if (circle) {
      problems.push({ kind: 'cycle', index, value: circle.repo });
    }
    for (const { repo } of inputs) {
      if (repos && !repos.has(repo) && !names.has(repo)) {
        problems.push({ kind: 'repo', index, value: repo });
      }
    }
  }
  return problems;
}

/** Return what leads from where to where. */
function feeds(steps: readonly IDagStep[]): { source: string; target: string }[] {
  return steps.flatMap(({ id, name, inputs }) => [
    ...(name ? [{ source: id, target: repoId(name) }] : []),
    ...inputs.map(({ repo }) => ({ source: repoId(repo), target: id }))
  ]);
}
