/**
 * The arguments of a template, each by its type.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ArgumentKind, ArgumentProblem, IArgument, TypedArguments } from '../template-form';
import type { IFieldAttributes } from './field';
import { Field } from './field';

/** What {@link ArgumentFields} show and do. */
export interface IArgumentFieldsProps {
  arguments: readonly IArgument[];
  fields: TypedArguments;
  problems: Readonly<Record<string, ArgumentProblem>>;
  /** What the server says of an argument; empty if nothing. */
  refusalOf: (argument: string) => string;
  trans: TranslationBundle;
  onChange: (argument: string, value: string | boolean) => void;
}

/** One field per argument. */
export function ArgumentFields(props: IArgumentFieldsProps): React.JSX.Element {
  const { trans } = props;
  return (
    <>
      {props.arguments.map(argument => {
        const problem = props.problems[argument.name];
        const kind = kindText(argument, trans);
        const label = argument.isRequired
          ? argument.name
          : trans.__('%1 (may be left out)', argument.name);
        return (
          <Field
            key={argument.name}
            label={label}
            help={argument.help ? `${argument.help} · ${kind}` : kind}
            problem={problem ? problemText(problem, trans) : props.refusalOf(argument.name)}
          >
            {attributes => (
              <ArgumentInput
                argument={argument}
                attributes={attributes}
                value={props.fields[argument.name] ?? ''}
                trans={trans}
                onChange={value => props.onChange(argument.name, value)}
              />
            )}
          </Field>
        );
      })}
    </>
  );
}

function ArgumentInput(props: {
  argument: IArgument;
  attributes: IFieldAttributes;
  value: string | boolean;
  trans: TranslationBundle;
  onChange: (value: string | boolean) => void;
}): React.JSX.Element {
  const { argument, attributes, value, onChange } = props;
  const list = React.useId();
  const text = String(value);
  switch (argument.kind) {
    case 'bool':
      return (
        <input
          {...attributes}
          type="checkbox"
          checked={value === true}
          onChange={event => onChange(event.target.checked)}
        />
      );
    case 'choice':
      return (
        <select
          {...attributes}
          className="jp-DatalakeField"
          value={text}
          onChange={event => onChange(event.target.value)}
        >
          {text === '' && <option value="">{props.trans.__('choose…')}</option>}
          {argument.choices.map(choice => (
            <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
              {String(choice)}
            </option>
          ))}
        </select>
      );
    case 'list':
      return (
        <textarea
          {...attributes}
          className="jp-DatalakeField jp-mod-code"
          rows={3}
          value={text}
          onChange={event => onChange(event.target.value)}
        />
      );
    case 'int':
    case 'float':
    case 'str':
      return (
        <>
          <input
            {...attributes}
            className={`jp-DatalakeField ${argument.kind === 'str' ? '' : 'jp-mod-code'}`}
            inputMode={argument.kind === 'str' ? undefined : 'decimal'}
            list={argument.choices.length > 0 ? list : undefined}
            value={text}
            onChange={event => onChange(event.target.value)}
          />
          {argument.choices.length > 0 && (
            <datalist id={list}>
              {argument.choices.map(choice => (
                <option key={String(choice)} value={String(choice)} />
              ))}
            </datalist>
          )}
        </>
      );
  }
}

function kindText(argument: IArgument, trans: TranslationBundle): string {
  return argument.kind === 'list'
    ? trans.__('a line for each value: %1', wordOf(argument.items, trans))
    : wordOf(argument.kind, trans);
}

function wordOf(kind: ArgumentKind, trans: TranslationBundle): string {
  switch (kind) {
    case 'bool':
      return trans.__('yes or no');
    case 'int':
      return trans.__('whole number');
    case 'float':
      return trans.__('number');
    case 'choice':
      return trans.__('one of these');
    case 'str':
    case 'list':
      return trans.__('text');
  }
}

function problemText(problem: ArgumentProblem, trans: TranslationBundle): string {
  switch (problem) {
    case 'missing':
      return trans.__('Needed');
    case 'int':
      return trans.__('Must be a whole number');
    case 'float':
      return trans.__('Must be a number');
    case 'list':
      return trans.__('A line is not such a value');
  }
}
