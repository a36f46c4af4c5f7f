/**
 * Reading YAML that people type. Pure.
 */
import type { DocumentOptions, ParseOptions, SchemaOptions } from 'yaml';
import { parseDocument } from 'yaml';

/** A document, or why it is none. */
export type ReadYaml =
  | { readonly value: Record<string, unknown> }
  | { readonly problem: string; readonly line: number | null };

const MAX_ALIASES = 100;

/** Read a map from YAML; `problem` is empty where it is good YAML, but no map. */
export function readYaml(
  text: string,
  options: ParseOptions & DocumentOptions & SchemaOptions = {}
): ReadYaml {
  const document = parseDocument(text, { ...options, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    return { problem: error.message, line: text.slice(0, error.pos[0]).split('\n').length };
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (reason) {
    return { problem: reason instanceof Error ? reason.message : String(reason), line: null };
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { value: value as Record<string, unknown> }
    : { problem: '', line: null };
}
