/**
 * The written form of a pipeline: reading parts of it, building it, and showing it. Pure.
 */
import type * as api from './api/types';
import { isHeldByClock, scheduleOf, UTC } from './schedules';

/** How files of specs end that open as a graph. */
export const SPECS_SUFFIX = '.pipelines.yaml';

/** A branch, cut into datums by a glob. */
export interface IRepoInput {
  /** The variable and folder that the program sees. */
  name: string;
  repo: string;
  branch: string;
  glob: string;
  /** `match` gives the program the path of what is matched, and not its folder. */
  give?: string;
  /** Where the code finds it besides, to what is there: below it, empty for all of it. */
  paths?: Readonly<Record<string, string>>;
}

/** A clock. */
export interface ICronInput {
  name: string;
  schedule: string;
  /** The time zone whose wall clock it is read by. */
  zone: string;
}

/** What a pipeline runs, for people. */
export interface ICode {
  kind: 'notebook' | 'command' | 'ingest';
  /** Path of the notebook, the command line, or the query. */
  text: string;
}

type Json = Record<string, unknown>;

/** Return the variable that an input gets when the spec names none. */
export function variableName(repo: string): string {
  const name = repo.slice(repo.lastIndexOf('/') + 1).replace(/\W/g, '_');
  return /^\d/.test(name) ? `_${name}` : name;
}

/** Return the inputs that are repos, in the order of the spec. */
export function repoInputs(spec: api.Spec): IRepoInput[] {
  return leaves(spec.input)
    .map(leaf => leaf.repo as Json | undefined)
    .filter(repo => repo !== undefined)
    .map(repo => ({
      name: text(repo.as) || variableName(text(repo.name)),
      repo: text(repo.name),
      branch: text(repo.branch) || 'main',
      glob: Array.isArray(repo.glob) ? repo.glob.join(' ') : text(repo.glob),
      ...(repo.give === 'match' ? { give: 'match' } : {})
    }));
}

/**
 * Tell whether a form of repos with branch, glob and name says all there is of the input.
 *
 * It does not of a union, a join or a group, nor of a repo with further options.
 */
export function isPlainInput(spec: api.Spec): boolean {
  const leaves = crossed(spec.input);
  const isHeld = leaves.some(({ repo }) => (repo as Json | undefined)?.trigger !== undefined);
  return (
    (!isHeld || scheduleOf(spec) !== undefined) &&
    leaves.every(
      ({ repo, cron }) =>
        cron !== undefined ||
        (repo !== undefined &&
          typeof (repo as Json).glob === 'string' &&
          isHeldByClock(repo as Json) &&
          Object.keys(repo as Json).every(key => FIELDS.has(key)))
    )
  );
}

/** Return the inputs that are clocks. */
export function cronInputs(spec: api.Spec): ICronInput[] {
  return leaves(spec.input)
    .map(leaf => leaf.cron as Json | undefined)
    .filter(cron => cron !== undefined)
    .map(cron => ({
      name: text(cron.name) || 'tick',
      schedule: text(cron.schedule),
      zone: text(cron.zone) || UTC
    }));
}

/** Return what a pipeline runs. */
export function codeOf(spec: api.Spec): ICode {
  if (typeof spec.notebook === 'string') {
    return { kind: 'notebook', text: spec.notebook };
  }
  if (Array.isArray(spec.command)) {
    return { kind: 'command', text: spec.command.join(' ') };
  }
  return { kind: 'ingest', text: text((spec.ingest as Json | undefined)?.query) };
}

/** Return what a query makes: the connection that it is asked over, and the file. */
export function ingestOf(spec: api.Spec): {
  connection: string;
  output: string;
  isPartitioned: boolean;
} {
  const ingest = (spec.ingest as Json | undefined) ?? {};
  return {
    connection: text(ingest.connection),
    output: text(ingest.output) || '/data.parquet',
    isPartitioned: text(ingest.partition_by) !== ''
  };
}

/** Return what of the output goes into which table; undefined where nothing does. */
export function egressOf(
  spec: api.Spec
): { mode: string; key: string[]; files: string } | undefined {
  const egress = spec.egress as Json | undefined;
  return (
    egress && {
      mode: text(egress.mode) || 'append',
      key: Array.isArray(egress.key) ? egress.key.map(String) : [],
      files: text(egress.files) || '/**'
    }
  );
}

/** Return the parameters that a spec sets. */
export function parametersOf(spec: api.Spec): Json {
  return (spec.parameters as Json | undefined) ?? {};
}

/** Return the inputs that are not repos, as they are written. */
export function otherInputs(spec: api.Spec): Json[] {
  return crossed(spec.input).filter(leaf => leaf.repo === undefined);
}

/** Return the `input` of a spec: none, one, or the cross of several; defaults are left out. */
export function inputOf(
  inputs: readonly IRepoInput[],
  others: readonly Json[] = []
): Json | undefined {
  const repos = inputs.map(({ name, repo, branch, glob, give }) => ({
    repo: {
      name: repo,
      ...(branch && branch !== 'main' ? { branch } : {}),
      glob,
      ...(name && name !== variableName(repo) ? { as: name } : {}),
      ...(give && glob !== '/' ? { give } : {})
    }
  }));
  const all: Json[] = [...repos, ...others];
  return all.length > 1 ? { cross: all } : all[0];
}

/** Return a JSON value as YAML, in the style that people write specs in. */
export function toYaml(value: unknown): string {
  return `${block(value, '').replace(/^\n/, '')}\n`;
}

/** What a form of inputs knows of a repo. */
const FIELDS = new Set(['name', 'branch', 'glob', 'as', 'give', 'trigger']);

/** Return the repos and clocks of an input, whatever way they are combined. */
function leaves(input: unknown): Json[] {
  if (typeof input !== 'object' || input === null) {
    return [];
  }
  const { cross, union, join, group } = input as Json;
  const parts = cross ?? union ?? join ?? group;
  return Array.isArray(parts) ? parts.flatMap(leaves) : [input as Json];
}

/** Return what an input is a cross of; one that is no cross is one of itself. */
function crossed(input: unknown): Json[] {
  if (typeof input !== 'object' || input === null) {
    return [];
  }
  const { cross } = input as Json;
  return Array.isArray(cross) ? cross.flatMap(crossed) : [input as Json];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Return a value as it stands behind `key:`, beginning with a space or a new line. */
function block(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.every(isScalar)) {
      return ` [${value.map(scalar).join(', ')}]`;
    }
    return value.map(one => `\n${indent}-${item(one, `${indent}  `)}`).join('');
  }
  if (!isScalar(value)) {
    const entries = Object.entries(value as Json).filter(([, one]) => one !== undefined);
    if (entries.length === 0) {
      return ' {}';
    }
    return entries.map(([key, one]) => `\n${indent}${scalar(key)}:${below(one, indent)}`).join('');
  }
  if (typeof value === 'string' && value.includes('\n') && !/^\s|\r|\t/m.test(value)) {
    const chomp = value.endsWith('\n') ? '|' : '|-';
    const lines = value.replace(/\n$/, '').split('\n');
    return ` ${chomp}${lines.map(line => (line ? `\n${indent}${line}` : '\n')).join('')}`;
  }
  return ` ${scalar(value)}`;
}

function below(value: unknown, indent: string): string {
  return block(value, `${indent}  `);
}

/** Return an item of a list: its first key stands on the line of the dash. */
function item(value: unknown, indent: string): string {
  const written = block(value, indent);
  return written.startsWith('\n') ? ` ${written.slice(1 + indent.length)}` : written;
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/** Return a scalar; text that YAML might take for something else is quoted as in JSON. */
function scalar(value: unknown): string {
  if (typeof value !== 'string') {
    return JSON.stringify(value) ?? 'null';
  }
  const isPlain =
    /^[A-Za-z_/.][^\n\r\t"'#{}[\]&*!|>%@`,\\]*$/.test(value) &&
    !/: |:$| $/.test(value) &&
    !/^(true|false|yes|no|on|off|null|y|n|\.nan|\.inf|\.\d.*)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
