/**
 * The promotion form as values: from a draft, to a spec, and what is wrong on the way. Pure.
 */
import type * as api from '../api/types';
import type { IRepoInput } from '../specs';
import { scheduleOf, withSchedule } from '../schedules';
import {
  cronInputs,
  inputOf,
  isPlainInput,
  otherInputs,
  parametersOf,
  repoInputs,
  variableName
} from '../specs';
import type { IScheduleForm, ScheduleProblem } from '../schedule-form';
import { scheduleFormOf, scheduleIn, scheduleProblem } from '../schedule-form';

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}(\/[a-z0-9][a-z0-9._-]{0,62})?$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const DURATION = /^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$/;
const COUNT = /^[1-9]\d*$/;
const DEFAULTS = { tries: '3', timeout: '1h', parallelism: '' };

/** The fields that are plain text. */
export interface IPromotionFields {
  name: string;
  description: string;
  tries: string;
  timeout: string;
  parallelism: string;
}

/** Everything that a person can change, as it is typed. */
export interface IPromotionForm {
  fields: IPromotionFields;
  inputs: readonly IRepoInput[];
  /** Values of the parameters by name; a tick for booleans, JSON for lists and objects. */
  values: Readonly<Record<string, string | boolean>>;
  /** When it runs. */
  schedule: IScheduleForm;
}

/** What can be wrong with a field. */
export type Problem =
  | 'name'
  | 'missing'
  | 'cycle'
  | 'variable'
  | 'duplicate'
  | 'count'
  | 'duration'
  | 'int'
  | 'float'
  | 'list'
  | 'dict'
  | 'json'
  | ScheduleProblem;

/** Problems by their place in the form: `pipeline`, `input[0].repo`, `parameters.rate` … */
export type Problems = Readonly<Record<string, Problem>>;

/** Return the form of a draft, or an empty one. */
export function formOf(draft: api.Draft | null): IPromotionForm {
  const spec = draft?.spec ?? {};
  const given = parametersOf(spec);
  const datums = (spec.datums ?? {}) as { tries?: number; timeout?: string };
  return {
    fields: {
      name: String(spec.pipeline ?? ''),
      description: String(spec.description ?? ''),
      tries: String(datums.tries ?? DEFAULTS.tries),
      timeout: datums.timeout ?? DEFAULTS.timeout,
      parallelism: String(spec.parallelism ?? DEFAULTS.parallelism)
    },
    // What the form has no fields for is kept as it is written.
    inputs: isPlainInput(spec) ? repoInputs(spec).map(input => withPaths(input, spec)) : [],
    values: Object.fromEntries(
      (draft?.parameters ?? []).map(parameter => [
        parameter.name,
        typed(parameter, given[parameter.name] ?? parameter.default)
      ])
    ),
    schedule: scheduleFormOf(scheduleOf(spec))
  };
}

/** Return the parameters that have a field: those that no input gives a value. */
export function plainParameters(form: IPromotionForm, draft: api.Draft | null): api.Parameter[] {
  const inputs = [...form.inputs, ...repoInputs(draft?.spec ?? {})];
  const kept = isPlainInput(draft?.spec ?? {}) ? form.inputs : inputs;
  const given = new Set(kept.map(input => input.name));
  return (draft?.parameters ?? []).filter(parameter => !given.has(parameter.name));
}

/** Return the values that are given to parameters which the notebook does not declare. */
function otherParameters(form: IPromotionForm, draft: api.Draft | null): Record<string, unknown> {
  const known = new Set([
    ...(draft?.parameters ?? []).map(parameter => parameter.name),
    ...form.inputs.map(input => input.name)
  ]);
  const given = Object.entries(parametersOf(draft?.spec ?? {}));
  return Object.fromEntries(given.filter(([name]) => !known.has(name)));
}

/** Return the spec that a form says; what is typed wrongly is left out. */
export function specOf(form: IPromotionForm, draft: api.Draft | null): api.Spec {
  const { name, description, tries, timeout, parallelism } = form.fields;
  const parameters = otherParameters(form, draft);
  for (const parameter of plainParameters(form, draft)) {
    const { value } = valueOf(parameter, form.values[parameter.name]);
    if (value !== undefined) {
      parameters[parameter.name] = value;
    }
  }
  const datums = defined({
    ...(draft?.spec?.datums as Record<string, unknown> | undefined),
    tries: tries === DEFAULTS.tries || !COUNT.test(tries) ? undefined : Number(tries),
    timeout: timeout === DEFAULTS.timeout ? undefined : timeout
  });
  const input = isPlainInput(draft?.spec ?? {})
    ? inputOf(form.inputs, otherInputs(draft?.spec ?? {}))
    : draft?.spec.input;
  const schedule = scheduleIn(form.schedule);
  const written: api.Spec = {
    pipeline: name,
    description: description.trim() || undefined,
    input: schedule === undefined ? input : withSchedule(input, schedule)
  };
  return defined({
    ...written, // twice: the first gives the order, the second the values
    ...draft?.spec,
    ...written,
    parameters: Object.keys(parameters).length > 0 ? parameters : undefined,
    paths: isPlainInput(draft?.spec ?? {})
      ? pathsIn(form.inputs, draft?.spec ?? {})
      : draft?.spec.paths,
    datums: Object.keys(datums).length > 0 ? datums : undefined,
    parallelism: COUNT.test(parallelism) ? Number(parallelism) : undefined
  });
}

/** Return what is wrong with a form, by place. */
export function problemsOf(form: IPromotionForm, draft: api.Draft | null): Problems {
  const problems: Record<string, Problem> = {};
  const { name, tries, timeout, parallelism } = form.fields;
  if (!NAME.test(name)) {
    problems.pipeline = 'name';
  }
  const seen = new Set<string>();
  form.inputs.forEach((input, index) => {
    const place = `input[${index}]`;
    if (!input.repo) {
      problems[`${place}.repo`] = 'missing';
    } else if (input.repo === name) {
      problems[`${place}.repo`] = 'cycle';
    }
    if (!input.glob) {
      problems[`${place}.glob`] = 'missing';
    }
    if (input.repo && !VARIABLE.test(input.name)) {
      problems[`${place}.name`] = 'variable';
    } else if (seen.has(input.name)) {
      problems[`${place}.name`] = 'duplicate';
    }
    seen.add(input.name);
  });
  for (const parameter of plainParameters(form, draft)) {
    const { problem } = valueOf(parameter, form.values[parameter.name]);
    if (problem) {
      problems[`parameters.${parameter.name}`] = problem;
    }
  }
  if (!COUNT.test(tries)) {
    problems['datums.tries'] = 'count';
  }
  if (!DURATION.test(timeout)) {
    problems['datums.timeout'] = 'duration';
  }
  if (parallelism && !COUNT.test(parallelism)) {
    problems.parallelism = 'count';
  }
  const wrong = scheduleProblem(form.schedule);
  if (wrong) {
    problems.schedule = wrong;
  }
  return problems;
}

/** Return an input after a change; its variable follows its repo until somebody names it. */
export function changedInput(input: IRepoInput, change: Partial<IRepoInput>): IRepoInput {
  const follows = change.repo !== undefined && input.name === variableName(input.repo);
  return { ...input, ...(follows ? { name: variableName(change.repo ?? '') } : {}), ...change };
}

/** What the code finds where: paths by what they lead to, which an input's name begins. */
type Paths = Readonly<Record<string, string>>;

/** Return an input with what the code finds of it where; so its paths follow it, however it is called. */
function withPaths(input: IRepoInput, spec: api.Spec): IRepoInput {
  const mine = Object.entries((spec.paths ?? {}) as Paths)
    .filter(([, target]) => headOf(target) === input.name)
    .map(([path, target]) => [path, target.slice(input.name.length)]);
  return mine.length > 0 ? { ...input, paths: Object.fromEntries(mine) as Paths } : input;
}

/** Return the paths that lead to the output, to a clock or to one of these inputs. */
function pathsIn(inputs: readonly IRepoInput[], spec: api.Spec): Paths | undefined {
  const given = new Map(
    inputs.flatMap(({ name, paths }) =>
      Object.entries(paths ?? {}).map(([path, below]) => [path, name + below] as const)
    )
  );
  const others = new Set(['out', ...cronInputs(spec).map(({ name }) => name)]);
  const kept = Object.entries((spec.paths ?? {}) as Paths).flatMap(([path, target]) => {
    const now = given.get(path) ?? (others.has(headOf(target)) ? target : undefined);
    return now === undefined ? [] : [[path, now]];
  });
  return kept.length > 0 ? (Object.fromEntries(kept) as Paths) : undefined;
}

function headOf(target: string): string {
  return target.split('/')[0] ?? '';
}

/** Return the place in the form that a place in the spec belongs to. */
export function placeInForm(place: string): string {
  if (/^input\b.*\.(cron|trigger)\b/.test(place)) {
    return 'schedule';
  }
  const input = /^input(?:\.cross\[(\d+)\])?(?:\.repo)?(?:\.(name|branch|glob|as))?/.exec(place);
  if (input) {
    const field = { name: 'repo', as: 'name', branch: 'branch', glob: 'glob' }[input[2] ?? 'name'];
    return `input[${input[1] ?? 0}].${field}`;
  }
  return place;
}

/** Return a parameter's value as it stands in its field. */
function typed(parameter: api.Parameter, value: unknown): string | boolean {
  if (parameter.type === 'bool') {
    return value === true;
  }
  if (value === null || value === undefined) {
    return '';
  }
  return parameter.type === 'str' ? String(value) : JSON.stringify(value);
}

/** Return the value of what is typed; undefined leaves it to the notebook's own default. */
function valueOf(
  parameter: api.Parameter,
  given: string | boolean | undefined
): { value?: unknown; problem?: Problem } {
  if (typeof given !== 'string') {
    return { value: given };
  }
  const { type } = parameter;
  if (type === 'str') {
    return parameter.default === null && given === '' ? {} : { value: given };
  }
  if (given.trim() === '') {
    return {};
  }
  const problem = type === 'unknown' || type === 'bool' ? 'json' : type;
  try {
    const value: unknown = JSON.parse(given);
    return FITS[type](value) ? { value } : { problem };
  } catch {
    return { problem };
  }
}

const FITS: Record<api.Parameter['type'], (value: unknown) => boolean> = {
  bool: value => typeof value === 'boolean',
  int: value => Number.isInteger(value),
  float: value => typeof value === 'number',
  str: value => typeof value === 'string',
  list: value => Array.isArray(value),
  dict: value => typeof value === 'object' && value !== null && !Array.isArray(value),
  unknown: () => true
};

function defined<T extends Record<string, unknown>>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
