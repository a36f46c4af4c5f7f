/**
 * A step as the form of a promotion knows it. Pure.
 */
import type * as api from '../api/types';
import { isEqual } from '../dag/spec-text';
import { parametersOf } from '../specs';
import type { IPromotionForm, Problems } from './promotion-form';
import { formOf, plainParameters, problemsOf, specOf } from './promotion-form';

/** A step in the form, and what is wrong with it. */
export interface IStepForm {
  form: IPromotionForm;
  problems: Problems;
  /** The parameters that have a field. */
  parameters: readonly api.Parameter[];
}

/** What was typed last, and the spec that it says. */
export interface ITyped {
  /** Position of the step. */
  index: number;
  form: IPromotionForm;
  says: api.Spec;
}

/** Return whether a pipeline can have a name. */
export function isName(name: string): boolean {
  const empty = formOf(null);
  return !('pipeline' in problemsOf({ ...empty, fields: { ...empty.fields, name } }, null));
}

/**
 * Return the form of a step.
 *
 * @param typed - what was typed last: it is kept, also while it is wrong, until the spec is changed
 *   elsewhere.
 */
export function stepForm(
  index: number,
  spec: api.Spec,
  known: readonly api.Parameter[],
  typed: ITyped | null
): IStepForm {
  const draft = draftOf(spec, known);
  const isKept = typed?.index === index && isEqual(typed.says, spec);
  const form = typed && isKept ? typed.form : formOf(draft);
  return {
    form,
    problems: problemsOf(form, draft),
    parameters: plainParameters(form, draft)
  };
}

/** Return a spec as a draft whose parameters have the values that the spec gives them. */
function draftOf(spec: api.Spec, known: readonly api.Parameter[]): api.Draft {
  const given = parametersOf(spec);
  const names = new Set(known.map(({ name }) => name));
  const others = Object.keys(given).filter(name => !names.has(name));
  const parameters = [
    ...known.map(one => (one.name in given ? { ...one, default: given[one.name] } : one)),
    ...others.map(name => ({ name, type: typeOf(given[name]), default: given[name] }))
  ] as api.Parameter[];
  return { spec, parameters, notes: [], places: [], folder: '', exists: false };
}

/**
 * Return the spec that a form says; values that the notebook has anyway are not written down, nor
 * is an input whose repo somebody is about to choose.
 */
export function specOfStep(
  typed: IPromotionForm,
  spec: api.Spec,
  known: readonly api.Parameter[]
): api.Spec {
  const form = { ...typed, inputs: typed.inputs.filter(({ repo }) => repo !== '') };
  const made = specOf(form, draftOf(spec, known));
  const before = parametersOf(spec);
  const own = new Map(known.map(({ name, default: value }) => [name, value as unknown]));
  const parameters = Object.fromEntries(
    Object.entries(parametersOf(made)).filter(
      ([name, value]) => name in before || !own.has(name) || !isEqual(value, own.get(name))
    )
  );
  const others = { ...made };
  delete others.parameters;
  return Object.keys(parameters).length > 0 ? { ...others, parameters } : others;
}

function typeOf(value: unknown): api.Parameter['type'] {
  if (typeof value === 'boolean') {
    return 'bool';
  }
  if (typeof value === 'string') {
    return 'str';
  }
  if (typeof value === 'number') {
    return Number.isInteger(value) ? 'int' : 'float';
  }
  return Array.isArray(value) ? 'list' : value === null ? 'unknown' : 'dict';
}
