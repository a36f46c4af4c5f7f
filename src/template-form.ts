/**
 * The arguments of a template as a form: from its JSON Schema, to values. Pure.
 */

/** What a field takes. */
export type ArgumentKind = 'bool' | 'int' | 'float' | 'str' | 'choice' | 'list';

/** One argument of a template. */
export interface IArgument {
  name: string;
  kind: ArgumentKind;
  help: string;
  isRequired: boolean;
  /** Of a choice, what it may be; of a text, what is there to be named. */
  choices: readonly unknown[];
  /** Of a list, what its values are. */
  items: ArgumentKind;
  /** Undefined where it has none. */
  default: unknown;
}

/** Values as they are typed: a tick for booleans, a line for each value of a list. */
export type TypedArguments = Readonly<Record<string, string | boolean>>;

/** What can be wrong with a value before the server looks at it. */
export type ArgumentProblem = 'missing' | 'int' | 'float' | 'list';

type Json = Record<string, unknown>;

const KINDS: Readonly<Record<string, ArgumentKind>> = {
  boolean: 'bool',
  integer: 'int',
  number: 'float',
  array: 'list'
};

/** Return the arguments that a schema describes, in its order. */
export function argumentsOf(schema: Json): IArgument[] {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  return Object.entries((schema.properties ?? {}) as Record<string, Json>).map(([name, one]) => ({
    name,
    kind: kindOf(one),
    help: typeof one.description === 'string' ? one.description : '',
    isRequired: required.has(name),
    choices: listOf(one.enum) ?? listOf(one.examples) ?? [],
    items: kindOf((one.items ?? {}) as Json),
    default: one.default
  }));
}

/** Return what stands in the fields at first. */
export function typedArguments(given: readonly IArgument[]): TypedArguments {
  return Object.fromEntries(given.map(argument => [argument.name, typed(argument)]));
}

/** Return the values that are typed, by argument; those left out have their defaults. */
export function valuesOf(given: readonly IArgument[], fields: TypedArguments): Json {
  const values: Json = {};
  for (const argument of given) {
    const { value } = valueOf(argument, fields[argument.name] ?? '');
    if (value !== undefined) {
      values[argument.name] = value;
    }
  }
  return values;
}

/** Return what is wrong with what is typed, by argument. */
export function argumentProblems(
  given: readonly IArgument[],
  fields: TypedArguments
): Readonly<Record<string, ArgumentProblem>> {
  const problems: Record<string, ArgumentProblem> = {};
  for (const argument of given) {
    const { problem } = valueOf(argument, fields[argument.name] ?? '');
    if (problem) {
      problems[argument.name] = problem;
    }
  }
  return problems;
}

function kindOf(schema: Json): ArgumentKind {
  return Array.isArray(schema.enum) ? 'choice' : (KINDS[String(schema.type)] ?? 'str');
}

function listOf(value: unknown): unknown[] | undefined {
  return Array.isArray(value) ? (value as unknown[]) : undefined;
}

function typed({ kind, default: value }: IArgument): string | boolean {
  if (kind === 'bool') {
    return value === true;
  }
  if (value === undefined || value === null) {
    return '';
  }
  if (kind === 'choice') {
    return JSON.stringify(value);
  }
  return Array.isArray(value) ? value.map(String).join('\n') : String(value as string | number);
}

function valueOf(
  argument: IArgument,
  given: string | boolean
): { value?: unknown; problem?: ArgumentProblem } {
  const { kind } = argument;
  if (typeof given === 'boolean') {
    return { value: given };
  }
  if (kind === 'list') {
    const lines = given.split('\n').filter(line => line.trim() !== '');
    const values = lines.map(line => scalar(argument.items, line.trim()));
    return values.includes(undefined) ? { problem: 'list' } : { value: values };
  }
  if (given === '') {
    return argument.isRequired ? { problem: 'missing' } : {};
  }
  const value = scalar(kind, given);
  return value === undefined ? { problem: kind === 'int' ? 'int' : 'float' } : { value };
}

/** Return one value of a text; undefined if it is none. */
function scalar(kind: ArgumentKind, text: string): unknown {
  switch (kind) {
    case 'int':
      return /^[+-]?\d+$/.test(text.trim()) ? Number(text) : undefined;
    case 'float':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;
    case 'bool':
      return { true: true, false: false }[text.trim()];
    case 'choice':
      return JSON.parse(text) as unknown; // of an option that was made here
    case 'str':
    case 'list':
      return text;
  }
}
