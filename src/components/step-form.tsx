/**
 * The form of one step of a graph: what a promotion asks, without what only a promotion needs.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import type { IRepoInput } from '../specs';
import { codeOf, isPlainInput } from '../specs';
import { DatumPreview } from './datum-preview';
import type { IFailure } from './errors';
import { Field } from './field';
import { InputFields } from './input-fields';
import { ParameterFields } from './parameter-fields';
import type { ITextFields } from './promote-form';
import { problemText } from './promote-form';

/** What a {@link StepForm} shows and does. */
export interface IStepFormProps {
  spec: api.Spec;
  fields: Readonly<ITextFields>;
  inputs: readonly IRepoInput[];
  parameters: readonly api.Parameter[];
  values: Readonly<Record<string, string | boolean>>;
  /** What is wrong, by place; a word for each kind of problem. */
  problems: Readonly<Record<string, string>>;
  repos: readonly string[];
  preview: api.Preview | null;
  error: IFailure | null;
  /** The place that the error is about; empty if it is about none. */
  errorPlace: string;
  /** Show the inputs from this repo alone. */
  repo?: string;
  trans: TranslationBundle;
  isName: (name: string) => boolean;
  onRename: (name: string) => void;
  onField: (field: keyof ITextFields, value: string) => void;
  onInput: (index: number, change: Partial<IRepoInput>) => void;
  onAddInput: (repo: string) => void;
  onRemoveInput: (index: number) => void;
  onValue: (parameter: string, value: string | boolean) => void;
}

/** The fields of a step; with a repo, those of what it reads of this repo. */
export function StepForm(props: IStepFormProps): React.JSX.Element {
  const { spec, trans, repo, problems, error, errorPlace } = props;
  const problemAt = (place: string): string => {
    const own = problems[place];
    return own ? problemText(own, trans) : error && errorPlace === place ? error.message : '';
  };
  const shown = props.inputs
    .map((input, index) => ({ input, index }))
    .filter(({ input }) => repo === undefined || input.repo === repo);
  const at = (index: number) => shown[index]?.index ?? index;
  return (
    <form className="jp-DatalakeForm" onSubmit={event => event.preventDefault()}>
      {repo === undefined && (
        <>
          <NameField {...props} problem={problemAt('pipeline')} />
          <TextField
            {...props}
            field="description"
            label={trans.__('Description')}
            problem={problemAt('description')}
          />
        </>
      )}
      {isPlainInput(spec) ? (
        <InputFields
          inputs={shown.map(({ input }) => input)}
          repos={props.repos}
          problemAt={place => problemAt(place.replace(/\d+/, index => String(at(Number(index)))))}
          trans={trans}
          onChange={(index, change) => props.onInput(at(index), change)}
          onAdd={() => props.onAddInput(repo ?? '')}
          onRemove={index => props.onRemoveInput(at(index))}
        />
      ) : (
        <p className="jp-DatalakeNote">
          {trans.__('Its inputs say more than these fields can: see the YAML.')}
        </p>
      )}
      <DatumPreview
        preview={props.preview}
        error={errorPlace ? null : error}
        isLoading={false}
        trans={trans}
      />
      {repo === undefined && (
        <>
          <ParameterFields
            parameters={props.parameters}
            values={props.values}
            problemAt={problemAt}
            trans={trans}
            onChange={props.onValue}
          />
          <More {...props} problemAt={problemAt} />
        </>
      )}
    </form>
  );
}

function More(props: IStepFormProps & { problemAt: (place: string) => string }): React.JSX.Element {
  const { problemAt, trans } = props;
  return (
    <details className="jp-DatalakeForm-more">
      <summary>{trans.__('More')}</summary>
      <dl className="jp-DatalakeFacts">
        <dt>{trans.__('Runs')}</dt>
        <dd>
          <code>{codeOf(props.spec).text}</code>
        </dd>
      </dl>
      <div className="jp-DatalakeForm-grid">
        <TextField
          {...props}
          field="tries"
          label={trans.__('Tries')}
          problem={problemAt('datums.tries')}
        />
        <TextField
          {...props}
          field="timeout"
          label={trans.__('Timeout')}
          problem={problemAt('datums.timeout')}
        />
        <TextField
          {...props}
          field="parallelism"
          label={trans.__('Datums at once')}
          problem={problemAt('parallelism')}
        />
      </div>
    </details>
  );
}

function TextField(
  props: Pick<IStepFormProps, 'fields' | 'onField'> & {
    field: keyof ITextFields;
    label: string;
    problem: string;
  }
): React.JSX.Element {
  const { field } = props;
  return (
    <Field label={props.label} problem={props.problem}>
      {attributes => (
        <input
          {...attributes}
          className="jp-DatalakeField"
          value={props.fields[field]}
          onChange={event => props.onField(field, event.target.value)}
        />
      )}
    </Field>
  );
}

/** The name is taken over when it is whole: what reads the step follows it. */
function NameField(props: IStepFormProps & { problem: string }): React.JSX.Element {
  const { spec, trans } = props;
  const now = String(spec.pipeline ?? '');
  const [typed, setTyped] = React.useState(now);
  React.useEffect(() => setTyped(now), [now]);
  const isWrong = !props.isName(typed);
  const take = () => {
    if (!isWrong && typed !== now) {
      props.onRename(typed);
    }
  };
  return (
    <Field
      label={trans.__('Pipeline')}
      problem={isWrong ? problemText('name', trans) : props.problem}
      help={trans.__('Its output becomes the repo of this name.')}
    >
      {attributes => (
        <input
          {...attributes}
          className="jp-DatalakeField"
          value={typed}
          onChange={event => setTyped(event.target.value)}
          onBlur={take}
          onKeyDown={event => {
            if (event.key === 'Enter') {
              take();
            }
          }}
        />
      )}
    </Field>
  );
}
