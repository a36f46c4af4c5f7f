/**
 * The inputs of a spec, whatever way they are combined: finding, adding, changing, removing. Pure.
 */
import type * as api from '../api/types';
import type { IRepoInput } from '../specs';
import { inputOf, parametersOf, variableName } from '../specs';

type Json = Record<string, unknown>;

/** Where an input stands: the keys and positions that lead to it from `input`. */
export type InputPath = readonly (string | number)[];

/** A repo that a spec reads. */
export interface IDagInput extends IRepoInput {
  path: InputPath;
}

const COMBINATIONS = ['cross', 'union', 'join', 'group'];

/** Return the repos that a spec reads, each with its place. */
export function repoLeaves(spec: api.Spec): IDagInput[] {
  return leavesBelow(spec.input, []).flatMap(({ leaf, path }) => {
    const { repo } = leaf;
    if (!isObject(repo) || typeof repo.name !== 'string') {
      return [];
    }
    const glob = Array.isArray(repo.glob) ? repo.glob.map(String).join(' ') : text(repo.glob);
    const name = text(repo.as) || variableName(repo.name);
    return [{ repo: repo.name, branch: text(repo.branch) || 'main', glob, name, path }];
  });
}

/** Return the clocks of a spec, as they are written. */
export function clocksOf(spec: api.Spec): string[] {
  return leavesBelow(spec.input, []).flatMap(({ leaf: { cron } }) =>
    isObject(cron) ? [text(cron.schedule)] : []
  );
}

/**
 * Return the parameter of a step that a repo is most likely for: the one of its name, the one whose
 * value names it, or the only one that holds a path; else the name it gets by itself.
 */
export function proposedVariable(spec: api.Spec, repo: string): string {
  const own = variableName(repo);
  const given = Object.entries(parametersOf(spec)).flatMap(([name, value]) =>
    typeof value === 'string' ? [{ name, parts: value.split('/') }] : []
  );
  const named = given.find(({ name }) => name === own);
  const naming = given.find(({ parts }) => parts.includes(repo));
  const paths = given.filter(({ parts }) => parts.length > 1);
  const only = paths.length === 1 ? paths[0] : undefined;
  return (named ?? naming ?? only)?.name ?? own;
}

/**
 * Return a spec that reads one repo more; with others it is crossed.
 *
 * A parameter of the input's name no longer has a value of its own.
 */
export function addInput(given: api.Spec, input: IRepoInput): api.Spec {
  const spec = withoutParameter(given, input.name);
  const added = inputOf([input]);
  const { input: old } = spec;
  if (!isObject(old)) {
    return { ...spec, input: added };
  }
  const cross = Array.isArray(old.cross) ? [...(old.cross as unknown[]), added] : [old, added];
  return { ...spec, input: { cross } };
}

/**
 * Return a spec without the inputs at these places, nor what the code finds of them where; a cross
 * of one is that one.
 */
export function removeInputs(spec: api.Spec, paths: readonly InputPath[]): api.Spec {
  const gone = new Set(paths.map(path => path.join('\n')));
  const { input, ...others } = spec;
  const left = without(input, [], gone);
  const changed = left === undefined ? others : { ...others, input: left };
  const names = repoLeaves(spec)
    .filter(({ path }) => gone.has(path.join('\n')))
    .map(({ name }) => name);
  const there = new Set(repoLeaves(changed).map(({ name }) => name));
  return withoutPaths(changed, new Set(names.filter(name => !there.has(name))));
}

/** Return a spec without the paths that lead to inputs which are gone. */
function withoutPaths(spec: api.Spec, gone: ReadonlySet<string>): api.Spec {
  const { paths, ...others } = spec;
  if (!isObject(paths) || gone.size === 0) {
    return spec;
  }
  const left = Object.entries(paths).filter(
    ([, target]) => !gone.has(text(target).split('/')[0] ?? '')
  );
  return left.length > 0 ? { ...others, paths: Object.fromEntries(left) } : others;
}

/** Return a spec in which the repo that was called one name is called another. */
export function renameRepo(spec: api.Spec, from: string, to: string): api.Spec {
  const renamed = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      return value.map(renamed);
    }
    if (!isObject(value)) {
      return value;
    }
    const { repo } = value;
    if (isObject(repo) && repo.name === from) {
      // The program goes on to know it by the name it had.
      const as = text(repo.as) || variableName(from);
      const rest: Json = { ...repo, name: to };
      delete rest.as;
      return { repo: as === variableName(to) ? rest : { ...rest, as } };
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [
        key,
        COMBINATIONS.includes(key) ? renamed(one) : one
      ])
    );
  };
  return spec.input === undefined ? spec : { ...spec, input: renamed(spec.input) };
}

function withoutParameter(spec: api.Spec, name: string): api.Spec {
  const { parameters, ...others } = spec;
  if (!isObject(parameters) || !(name in parameters)) {
    return spec;
  }
  const left = { ...parameters };
  delete left[name];
  return Object.keys(left).length > 0 ? { ...others, parameters: left } : others;
}

function leavesBelow(input: unknown, path: InputPath): { leaf: Json; path: InputPath }[] {
  if (!isObject(input)) {
    return [];
  }
  const key = COMBINATIONS.find(one => Array.isArray(input[one]));
  return key === undefined
    ? [{ leaf: input, path }]
    : (input[key] as unknown[]).flatMap((one, index) => leavesBelow(one, [...path, key, index]));
}

function without(input: unknown, path: InputPath, gone: ReadonlySet<string>): unknown {
  if (gone.has(path.join('\n'))) {
    return undefined;
  }
  const key = isObject(input) ? COMBINATIONS.find(one => Array.isArray(input[one])) : undefined;
  if (!isObject(input) || key === undefined) {
    return input;
  }
  const before = input[key] as unknown[];
  const left = before
    .map((one, index) => without(one, [...path, key, index], gone))
    .filter(one => one !== undefined);
  if (left.length === 0) {
    return undefined;
  }
  const isOne = left.length === 1 && before.length > 1 && key !== 'group';
  return isOne ? left[0] : { ...input, [key]: left };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
