/**
 * The inputs of a pipeline that is being promoted.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { addIcon, closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IRepoInput } from '../specs';
import { Field } from './field';
import { IconButton } from './icon-button';

/** What {@link InputFields} show and do. */
export interface IInputFieldsProps {
  inputs: readonly IRepoInput[];
  /** Names of the repos that can be chosen. */
  repos: readonly string[];
  /** What is wrong at a place, such as `input[0].glob`; empty if nothing is. */
  problemAt: (place: string) => string;
  trans: TranslationBundle;
  onChange: (index: number, change: Partial<IRepoInput>) => void;
  onAdd: () => void;
  onRemove: (index: number) => void;
}

/** One line of fields per input. */
export function InputFields(props: IInputFieldsProps): React.JSX.Element {
  const { inputs, trans } = props;
  return (
    <fieldset className="jp-DatalakeForm-group">
      <legend>{trans.__('Inputs')}</legend>
      {inputs.length === 0 && (
        <p className="jp-DatalakeNote">
          {trans.__('Without inputs the pipeline runs by hand, or on a schedule.')}
        </p>
      )}
      {inputs.map((input, index) => (
        <InputLine key={index} {...props} input={input} index={index} />
      ))}
      <button type="button" className="jp-DatalakeLink" onClick={props.onAdd}>
        <addIcon.react tag="span" className="jp-DatalakeTag-icon" />
        {trans.__('Add an input')}
      </button>
    </fieldset>
  );
}

/** The fields of one input. */
export function InputLine(
  props: Pick<IInputFieldsProps, 'repos' | 'problemAt' | 'trans' | 'onChange'> & {
    input: IRepoInput;
    index: number;
    /** It cannot be removed when left out. */
    onRemove?: (index: number) => void;
  }
): React.JSX.Element {
  const { input, index, trans, onRemove } = props;
  const problem = (field: keyof IRepoInput) => props.problemAt(`input[${index}].${field}`);
  const change = (value: Partial<IRepoInput>) => props.onChange(index, value);
  const isKnown = props.repos.includes(input.repo);
  return (
    <div className="jp-DatalakeForm-line" role="group" aria-label={trans.__('Input %1', index + 1)}>
      <Field label={trans.__('Repo')} problem={problem('repo')}>
        {attributes => (
          <select
            {...attributes}
            className="jp-DatalakeField"
            value={input.repo}
            onChange={event => change({ repo: event.target.value })}
          >
            {!isKnown && <option value={input.repo}>{input.repo || trans.__('choose…')}</option>}
            {props.repos.map(repo => (
              <option key={repo} value={repo}>
                {repo}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={trans.__('Branch')} problem={problem('branch')}>
        {attributes => (
          <input
            {...attributes}
            className="jp-DatalakeField"
            value={input.branch}
            onChange={event => change({ branch: event.target.value })}
          />
        )}
      </Field>
      <Field label={trans.__('Glob')} problem={problem('glob')}>
        {attributes => (
          <input
            {...attributes}
            className="jp-DatalakeField jp-mod-code"
            value={input.glob}
            title={trans.__('/ is everything as one datum, /* one datum per file or folder')}
            onChange={event => change({ glob: event.target.value })}
          />
        )}
      </Field>
      <Field label={trans.__('Variable')} problem={problem('name')}>
        {attributes => (
          <input
            {...attributes}
            className="jp-DatalakeField jp-mod-code"
            value={input.name}
            title={trans.__('The parameter of the notebook that names the folder')}
            onChange={event => change({ name: event.target.value })}
          />
        )}
      </Field>
      {onRemove && (
        <IconButton
          icon={closeIcon}
          className="jp-DatalakeForm-remove"
          label={trans.__('Remove input %1', index + 1)}
          onClick={() => onRemove(index)}
        />
      )}
    </div>
  );
}
