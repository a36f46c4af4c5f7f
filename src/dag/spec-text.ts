/**
 * A text that holds specs, each a YAML document: reading them, and changing one while the others
 * stay as they are written, with their comments. Pure.
 */
import type { Document, Node, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';

import type * as api from '../api/types';
import { toYaml } from '../specs';
import { readYaml } from '../yaml';

/** What is wrong with the text of a step. */
export interface ITextProblem {
  message: string;
  /** In the whole text, from 1. */
  line: number;
}

/** One document of the text. */
export interface IStep {
  /** Where its text begins and ends in the whole. */
  start: number;
  end: number;
  text: string;
  /** What it says; null if it cannot be read. */
  spec: api.Spec | null;
  /** Why it cannot be read. */
  problem: ITextProblem | null;
}

type Json = Record<string, unknown>;

/** The server reads YAML 1.1: what that takes for a number or a truth value is quoted. */
const READING = { version: '1.2', merge: true, compat: 'yaml-1.1', prettyErrors: false } as const;
/** A line that begins a document; in YAML it can be nothing else, wherever it stands. */
const MARK = /^---(?=\s|$)(?:[ \t]*(?:\r?\n|$))?/gm;
const IDLE = /^(?:[ \t]*(?:#.*)?|%.*|\.\.\.[ \t]*)\r?$/;

/**
 * Return the steps of a text, in its order.
 *
 * @param before - the steps as they were: what is written as before is not read again.
 */
export function readSteps(text: string, before: readonly IStep[] = []): IStep[] {
  const known = new Map(before.map(step => [step.text, step]));
  return blocksOf(text).map(({ start, end }) => {
    const own = text.slice(start, end);
    const line = lineAt(text, start);
    const kept = known.get(own);
    if (kept && kept.problem === null) {
      return { ...kept, start, end };
    }
    const { spec, problem } = readStep(own);
    return {
      start,
      end,
      text: own,
      spec,
      problem: problem && { ...problem, line: problem.line + line - 1 }
    };
  });
}

/** Return what one document says, or why that is not known. */
export function readStep(text: string): Pick<IStep, 'spec' | 'problem'> {
  const read = readYaml(text, READING);
  if ('value' in read) {
    return { spec: read.value, problem: null };
  }
  const message = read.problem || 'A spec is a map of keys and values';
  return { spec: null, problem: { message, line: read.line ?? 1 } };
}

/** Return the text with another one for a step. */
export function withStepText(text: string, step: IStep, own: string): string {
  const isLast = step.end >= text.length;
  const ended = own === '' || own.endsWith('\n') || isLast ? own : `${own}\n`;
  return text.slice(0, step.start) + ended + text.slice(step.end);
}

/** Return the text in which a step says something else; comments in it stay where they are. */
export function withSpec(text: string, step: IStep, spec: api.Spec): string {
  return withStepText(text, step, rewritten(step.text, spec));
}

/** Return the text with one more step at its end. */
export function withNewStep(text: string, spec: api.Spec, notes: readonly string[] = []): string {
  const remarks = notes.flatMap(note => note.split(/[\r\n\u0085\u2028\u2029]+/));
  const own = remarks.map(note => `# ${printable(note)}\n`).join('') + toYaml(spec);
  if (text.trim() === '') {
    return own;
  }
  const ended = text.endsWith('\n') ? text : `${text}\n`;
  const isMarked = /(^|\n)---[ \t]*\n\s*$/.test(ended);
  return isMarked ? ended + own : `${ended}---\n${own}`;
}

/** Return the text without a step, and without the mark that began it. */
export function withoutStep(text: string, step: IStep): string {
  const before = text.slice(0, step.start).replace(/---[ \t]*(?:\r?\n)?$/, '');
  const after = text.slice(step.end);
  return before.trim() === ''
    ? before + after.replace(/^---[ \t]*(?:\r?\n|$)/, '')
    : before + after;
}

/** Return a document that says something else, written as it was where that has not changed. */
export function rewritten(text: string, spec: api.Spec): string {
  const { spec: old } = readStep(text);
  if (old === null) {
    return toYaml(spec);
  }
  const document = parseDocument(text, READING);
  if (!isMap(document.contents) || !mergeMap(document, document.contents, old, spec)) {
    return toYaml(spec);
  }
  return document.toString({
    lineWidth: 0,
    flowCollectionPadding: /[[{] +\S/.test(text),
    indentSeq: !/^( *)[^\s#-][^\n]*:[ \t]*\n\1- /m.test(text)
  });
}

/** Return where the documents of a text stand that hold more than comments. */
function blocksOf(text: string): { start: number; end: number }[] {
  const marks = [...text.matchAll(MARK)];
  const starts = [0, ...marks.map(mark => mark.index + mark[0].length)];
  return starts
    .map((start, index) => ({ start, end: marks[index]?.index ?? text.length }))
    .filter(
      ({ start, end }) =>
        !text
          .slice(start, end)
          .split('\n')
          .every(one => IDLE.test(one))
    );
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++;
  }
  return line;
}

/** Change a map so that it says something else; return whether that could be done. */
function mergeMap(document: Document, node: YAMLMap, old: Json, next: Json): boolean {
  if (!node.items.every(({ key }) => isScalar(key) && typeof key.value === 'string')) {
    return false;
  }
  for (const key of Object.keys(old)) {
    if (next[key] === undefined) {
      node.delete(key);
    }
  }
  for (const [key, value] of Object.entries(next)) {
    if (value === undefined || isEqual(old[key], value)) {
      continue;
    }
    const child = node.get(key, true) as Node | undefined;
    const put = mergedNode(document, child, old[key], value);
    if (put !== child) {
      set(document, node, key, put);
    }
  }
  return true;
}

/** Return a node that says a value: the one that stands there, as far as it can be kept. */
function mergedNode(
  document: Document,
  child: Node | undefined,
  old: unknown,
  next: unknown
): Node {
  if (isMap(child) && isObject(old) && isObject(next)) {
    const kept = wrapping(document, child, old, next) ?? unwrapped(child, old, next);
    if (kept) {
      return kept;
    }
    if (mergeMap(document, child, old, next)) {
      return child;
    }
  }
  if (isSeq(child) && Array.isArray(old) && Array.isArray(next)) {
    mergeSeq(document, child, old, next);
    return child;
  }
  if (isScalar(child) && !isObject(next) && !Array.isArray(next)) {
    (child as Scalar).value = next;
    return child;
  }
  return document.createNode(next) as Node;
}

/** Change a list: what is equal at its beginning and at its end stays. */
function mergeSeq(document: Document, node: YAMLSeq, old: unknown[], next: unknown[]): void {
  const most = Math.min(old.length, next.length);
  let first = 0;
  while (first < most && isEqual(old[first], next[first])) {
    first++;
  }
  let last = 0;
  while (last < most - first && isEqual(old[old.length - 1 - last], next[next.length - 1 - last])) {
    last++;
  }
  const removed = old.slice(first, old.length - last);
  const added = next.slice(first, next.length - last).map((value, index) => {
    const child = node.items[first + index] as Node | undefined;
    return index < removed.length
      ? mergedNode(document, isNode(child) ? child : undefined, removed[index], value)
      : (document.createNode(value) as Node);
  });
  node.items.splice(first, removed.length, ...added);
}

/** Return the cross of what stands there and more, or null if the new value is none. */
function wrapping(document: Document, child: YAMLMap, old: Json, next: Json): Node | null {
  const { cross } = next;
  if (!Array.isArray(cross) || cross.length < 2 || !isEqual(cross[0], old)) {
    return null;
  }
  const made = document.createNode({ cross: cross.slice(1) }) as YAMLMap;
  (made.get('cross') as YAMLSeq).items.unshift(child);
  made.flow = child.flow;
  return made;
}

/** Return the part of a cross that alone is left, or null if there are more. */
function unwrapped(child: YAMLMap, old: Json, next: Json): Node | null {
  const { cross } = old;
  const index = Array.isArray(cross) ? cross.findIndex(one => isEqual(one, next)) : -1;
  const found = index < 0 ? undefined : (child.get('cross') as YAMLSeq | undefined)?.items[index];
  return isNode(found) ? found : null;
}

/** What a spec begins with. */
const FIRST = ['pipeline', 'description', 'group', 'input'];

function set(document: Document, node: YAMLMap, key: string, value: Node): void {
  const isNew = !node.has(key);
  node.set(key, value);
  const rank = FIRST.indexOf(key);
  const pair = node.items[node.items.length - 1];
  if (isNew && rank >= 0 && node === document.contents && pair) {
    const before = new Set(FIRST.slice(0, rank));
    node.items.pop();
    const place = node.items.findIndex(({ key: other }) => !before.has(String(other)));
    node.items.splice(place < 0 ? node.items.length : place, 0, pair);
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Return whether two values of JSON say the same; the order of keys says nothing. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, at) => isEqual(value, other[at]));
  }
  if (isObject(one) && isObject(other)) {
    const keys = Object.keys(one).filter(key => one[key] !== undefined);
    const others = Object.keys(other).filter(key => other[key] !== undefined);
    return keys.length === others.length && keys.every(key => isEqual(one[key], other[key]));
  }
  return one === other;
}

/** Return a text without what a terminal or YAML would not take for text. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\t]/gu, '\ufffd');
}
