/**
 * The parameters of a notebook that is being promoted, each by its type.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { Field } from './field';

/** What {@link ParameterFields} show and do. */
export interface IParameterFieldsProps {
  parameters: readonly api.Parameter[];
  values: Readonly<Record<string, string | boolean>>;
  /** What is wrong at a place, such as `parameters.rate`; empty if nothing is. */
  problemAt: (place: string) => string;
  trans: TranslationBundle;
  onChange: (parameter: string, value: string | boolean) => void;
}

/** One field per parameter. */
export function ParameterFields(props: IParameterFieldsProps): React.JSX.Element | null {
  const { parameters, trans } = props;
  if (parameters.length === 0) {
    return null;
  }
  return (
    <fieldset className="jp-DatalakeForm-group">
      <legend>{trans.__('Parameters')}</legend>
      <div className="jp-DatalakeForm-grid">
        {parameters.map(parameter => (
          <ParameterField key={parameter.name} {...props} parameter={parameter} />
        ))}
      </div>
    </fieldset>
  );
}

function ParameterField(
  props: IParameterFieldsProps & { parameter: api.Parameter }
): React.JSX.Element {
  const { parameter, values, trans } = props;
  const { name, type } = parameter;
  const value = values[name] ?? '';
  const change = (given: string | boolean) => props.onChange(name, given);
  return (
    <Field
      label={name}
      help={parameter.help || typeText(type, trans)}
      problem={props.problemAt(`parameters.${name}`)}
    >
      {attributes =>
        type === 'bool' ? (
          <input
            {...attributes}
            type="checkbox"
            checked={value === true}
            onChange={event => change(event.target.checked)}
          />
        ) : (
          <input
            {...attributes}
            className={`jp-DatalakeField ${type === 'str' ? '' : 'jp-mod-code'}`}
            inputMode={type === 'int' || type === 'float' ? 'decimal' : undefined}
            value={String(value)}
            placeholder={type === 'str' ? undefined : trans.__('as in the notebook')}
            onChange={event => change(event.target.value)}
          />
        )
      }
    </Field>
  );
}

/** Return what a parameter takes, as words. */
function typeText(type: api.Parameter['type'], trans: TranslationBundle): string {
  switch (type) {
    case 'bool':
      return trans.__('yes or no');
    case 'int':
      return trans.__('whole number');
    case 'float':
      return trans.__('number');
    case 'str':
      return trans.__('text');
    case 'list':
      return trans.__('list, as JSON');
    case 'dict':
      return trans.__('object, as JSON');
    case 'unknown':
      return trans.__('any value, as JSON');
  }
}
