/**
 * The form that makes a notebook a pipeline.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { infoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import type { IScheduleForm } from '../schedule-form';
import type { IRepoInput } from '../specs';
import { DatumPreview } from './datum-preview';
import { ErrorBanner } from './error-banner';
import type { IFailure } from './errors';
import { Field } from './field';
import { InputFields } from './input-fields';
import { ParameterFields } from './parameter-fields';
import { PlaceList } from './place-list';
import { ScheduleFields } from './schedule-fields';
import type { IYamlProblem } from './yaml-field';
import { YamlField } from './yaml-field';

/** The fields that are plain text. */
export interface ITextFields {
  name: string;
  description: string;
  tries: string;
  timeout: string;
  parallelism: string;
}

/** What a {@link PromoteForm} shows and does. */
export interface IPromoteFormProps {
  notebook: string;
  draft: api.Draft;
  fields: Readonly<ITextFields>;
  inputs: readonly IRepoInput[];
  parameters: readonly api.Parameter[];
  values: Readonly<Record<string, string | boolean>>;
  /** What is wrong, by place; a word for each kind of problem. */
  problems: Readonly<Record<string, string>>;
  error: IFailure | null;
  /** The place that the error is about; empty if it is about none. */
  errorPlace: string;
  exists: boolean;
  repos: readonly string[];
  preview: api.Preview | null;
  previewError: IFailure | null;
  isPreviewing: boolean;
  /** When it runs. */
  schedule: IScheduleForm;
  /** Whether there are inputs beside those in `inputs`, for which there are no fields. */
  hasOwnInputs: boolean;
  /** The next times of the schedule. */
  ticks: readonly api.ComingTick[];
  ticksError: IFailure | null;
  isAskingTicks: boolean;
  yaml: string;
  /** What is wrong with the YAML as it is typed. */
  yamlProblem: IYamlProblem | null;
  trans: TranslationBundle;
  onField: (field: keyof ITextFields, value: string) => void;
  onInput: (index: number, change: Partial<IRepoInput>) => void;
  onAddInput: () => void;
  onRemoveInput: (index: number) => void;
  onValue: (parameter: string, value: string | boolean) => void;
  onSchedule: (change: Partial<IScheduleForm>) => void;
  onYaml: (yaml: string) => void;
}

/** Return a problem as a sentence. */
export function problemText(problem: string, trans: TranslationBundle): string {
  switch (problem) {
    case 'name':
      return trans.__('Lower-case letters, digits, dots, dashes and underscores');
    case 'missing':
      return trans.__('Needed');
    case 'cycle':
      return trans.__('A pipeline cannot read its own output');
    case 'variable':
      return trans.__('Must be a variable name');
    case 'duplicate':
      return trans.__('Used twice');
    case 'count':
      return trans.__('Must be a whole number from 1 on');
    case 'duration':
      return trans.__('A number and a unit: 90s, 10m, 2h');
    case 'int':
      return trans.__('Must be a whole number');
    case 'float':
      return trans.__('Must be a number');
    case 'list':
      return trans.__('Must be a list in JSON: ["a", "b"]');
    case 'dict':
      return trans.__('Must be an object in JSON: {"a": 1}');
    default:
      return trans.__('Must be JSON; text stands in quotes');
  }
}

/** The whole form. */
export function PromoteForm(props: IPromoteFormProps): React.JSX.Element {
  const { draft, fields, problems, error, trans } = props;
  const [isYamlOpen, setYamlOpen] = React.useState(false);
  const problemAt = (place: string): string => {
    const own = problems[place];
    if (own) {
      return problemText(own, trans);
    }
    return error && props.errorPlace === place ? error.message : '';
  };
  const isPlaced = error !== null && isShown(props.errorPlace, props);
  return (
    <form className="jp-DatalakeForm" onSubmit={event => event.preventDefault()}>
      <ErrorBanner error={isPlaced ? null : error} trans={trans} />
      <Notes notes={draft.notes} trans={trans} />
      <PlaceList places={draft.places} trans={trans} />
      <Field
        label={trans.__('Pipeline')}
        problem={problemAt('pipeline')}
        help={
          props.exists
            ? trans.__('There is a pipeline of this name: it gets a new version.')
            : trans.__('Its output becomes the repo of this name.')
        }
      >
        {attributes => (
          <input
            {...attributes}
            className="jp-DatalakeField"
            value={fields.name}
            onChange={event => props.onField('name', event.target.value)}
          />
        )}
      </Field>
      <Field label={trans.__('Description')} problem={problemAt('description')}>
        {attributes => (
          <input
            {...attributes}
            className="jp-DatalakeField"
            value={fields.description}
            onChange={event => props.onField('description', event.target.value)}
          />
        )}
      </Field>
      <InputFields
        inputs={props.inputs}
        repos={props.repos}
        problemAt={problemAt}
        trans={trans}
        onChange={props.onInput}
        onAdd={props.onAddInput}
        onRemove={props.onRemoveInput}
      />
      <ScheduleFields
        form={props.schedule}
        hasRepos={props.inputs.length > 0 || props.hasOwnInputs}
        ticks={props.ticks}
        error={props.ticksError}
        isAsking={props.isAskingTicks}
        trans={trans}
        onChange={props.onSchedule}
      />
      <DatumPreview
        preview={props.preview}
        error={props.previewError}
        isLoading={props.isPreviewing}
        trans={trans}
      />
      <ParameterFields
        parameters={props.parameters}
        values={props.values}
        problemAt={problemAt}
        trans={trans}
        onChange={props.onValue}
      />
      <More {...props} problemAt={problemAt} />
      <details
        className="jp-DatalakeForm-more"
        open={isYamlOpen || props.yamlProblem !== null}
        onToggle={event => setYamlOpen(event.currentTarget.open)}
      >
        <summary>{trans.__('Spec as YAML')}</summary>
        <YamlField
          label={trans.__('The spec as YAML')}
          yaml={props.yaml}
          problem={props.yamlProblem}
          trans={trans}
          onChange={props.onYaml}
        />
      </details>
    </form>
  );
}

/** Return whether there is a field that shows what is wrong at a place. */
function isShown(place: string, props: IPromoteFormProps): boolean {
  const fields = ['pipeline', 'description', 'datums.tries', 'datums.timeout', 'parallelism'];
  const input = /^input\[(\d+)\]\.(repo|branch|glob|name)$/.exec(place);
  return (
    fields.includes(place) ||
    (input !== null && Number(input[1]) < props.inputs.length) ||
    props.parameters.some(parameter => place === `parameters.${parameter.name}`)
  );
}

function Notes(props: {
  notes: readonly string[];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  if (props.notes.length === 0) {
    return null;
  }
  return (
    <ul className="jp-DatalakeForm-notes" aria-label={props.trans.__('Look at this first')}>
      {props.notes.map(note => (
        <li key={note}>
          <infoIcon.react tag="span" className="jp-DatalakeTag-icon" />
          <span>{note}</span>
        </li>
      ))}
    </ul>
  );
}

function More(
  props: IPromoteFormProps & { problemAt: (place: string) => string }
): React.JSX.Element {
  const { draft, fields, problemAt, trans } = props;
  const environment = draft.spec.environment as { kernel?: string } | undefined;
  const files = Array.isArray(draft.spec.files) ? draft.spec.files.map(String) : [];
  const hasProblem = ['datums.tries', 'datums.timeout', 'parallelism'].some(problemAt);
  const text = (field: keyof ITextFields, place: string, label: string, help: string) => (
    <Field label={label} help={help} problem={problemAt(place)}>
      {attributes => (
        <input
          {...attributes}
          className="jp-DatalakeField"
          value={fields[field]}
          onChange={event => props.onField(field, event.target.value)}
        />
      )}
    </Field>
  );
  return (
    <details className="jp-DatalakeForm-more" open={hasProblem || undefined}>
      <summary>{trans.__('More')}</summary>
      <dl className="jp-DatalakeFacts">
        <dt>{trans.__('Notebook')}</dt>
        <dd>{props.notebook}</dd>
        <dt>{trans.__('Kernel')}</dt>
        <dd>{environment?.kernel ?? 'python3'}</dd>
        <dt>{trans.__('Helper files')}</dt>
        <dd>{files.length > 0 ? files.join(', ') : trans.__('none')}</dd>
      </dl>
      <div className="jp-DatalakeForm-grid">
        {text('tries', 'datums.tries', trans.__('Tries'), trans.__('of each datum'))}
        {text('timeout', 'datums.timeout', trans.__('Timeout'), trans.__('of one try: 90s, 10m'))}
        {text(
          'parallelism',
          'parallelism',
          trans.__('At once'),
          trans.__('datums; empty for as many as there are workers')
        )}
      </div>
    </details>
  );
}
