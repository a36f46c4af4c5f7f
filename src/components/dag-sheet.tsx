/**
 * What is beside the graph of steps: the chosen one as a form and as YAML, and what is wrong.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IDagProblem, IDagStep } from '../dag/graph';
import type { OutOfReachError } from '../dag/placing';
import { IconButton } from './icon-button';
import type { IStepFormProps } from './step-form';
import { StepForm } from './step-form';

/** What a {@link StepSheet} shows and does. */
export interface IStepSheetProps {
  step: IDagStep;
  /** Of an edge: the repo it comes from. */
  repo?: string;
  problems: readonly IDagProblem[];
  /** Its form; null if its text cannot be read. */
  form: Omit<IStepFormProps, 'repo' | 'trans'> | null;
  trans: TranslationBundle;
  onText: (text: string) => void;
  onConnect: () => void;
  onRemove: () => void;
  onClose: () => void;
}

/** Return a problem as a sentence. */
export function dagProblemText(problem: IDagProblem, trans: TranslationBundle): string {
  switch (problem.kind) {
    case 'text':
      return trans.__('Line %1: %2', problem.line, problem.value);
    case 'name':
      return trans.__('A step needs a key “pipeline” with its name');
    case 'duplicate':
      return trans.__('Two steps would write the repo %1', problem.value);
    case 'cycle':
      return trans.__('It reads %1, which is made of what it writes', problem.value);
    case 'repo':
      return trans.__('There is no repo %1, and no step that writes it', problem.value);
    case 'server':
      return problem.value;
  }
}

/** Return what stands below the names of nodes, in a few letters. */
export function dagNotes(trans: TranslationBundle): {
  datums: (count: number, hasMore: boolean) => string;
  repo: (isThere: boolean, isMade: boolean) => string;
} {
  return {
    datums: (count, hasMore) =>
      hasMore ? trans.__('more than %1 datums', count) : trans._n('%1 datum', '%1 datums', count),
    repo: (isThere, isMade) =>
      isThere ? trans.__('in the lake') : isMade ? trans.__('not written yet') : trans.__('missing')
  };
}

/** Return in a sentence why a notebook cannot be named in a file of specs. */
export function outOfReachText(error: OutOfReachError, trans: TranslationBundle): string {
  const folder = error.folder || '/';
  return error.hasHelpers
    ? trans.__(
        'The notebook in %1 needs files beside it: make the file of steps in that folder.',
        folder
      )
    : trans.__(
        'The notebook in %1 is not below this file: make the file of steps there, or further up.',
        folder
      );
}

/** A step, or one edge of it. */
export function StepSheet(props: IStepSheetProps): React.JSX.Element {
  const { step, repo, trans } = props;
  const [isYaml, setYaml] = React.useState(false);
  const title = repo === undefined ? step.name || trans.__('Step %1', step.index + 1) : repo;
  const { form } = props;
  const showsYaml = isYaml || form === null;
  const tab = (label: string, isOn: boolean, yaml: boolean) => (
    <button
      type="button"
      role="tab"
      aria-selected={isOn}
      className="jp-DatalakeDagSheet-tab"
      disabled={!yaml && form === null}
      onClick={() => setYaml(yaml)}
    >
      {label}
    </button>
  );
  return (
    <section
      className="jp-DatalakeDagSheet-step"
      aria-label={
        repo === undefined ? trans.__('Step %1', title) : trans.__('%1 reads %2', step.name, repo)
      }
    >
      <header className="jp-DatalakeDagSheet-header">
        <h3 className="jp-DatalakeDagSheet-title">
          {repo === undefined ? title : trans.__('%1 → %2', repo, step.name)}
        </h3>
        <IconButton icon={closeIcon} label={trans.__('Close')} onClick={props.onClose} />
      </header>
      <div className="jp-DatalakeDagSheet-buttons">
        {repo === undefined && step.name !== '' && (
          <button type="button" className="jp-DatalakeLink" onClick={props.onConnect}>
            {trans.__('Connect to a step…')}
          </button>
        )}
        <button type="button" className="jp-DatalakeLink" onClick={props.onRemove}>
          {repo === undefined ? trans.__('Delete the step') : trans.__('Disconnect')}
        </button>
      </div>
      <Problems problems={props.problems} trans={trans} />
      {repo === undefined && (
        <div className="jp-DatalakeDagSheet-tabs" role="tablist" aria-label={trans.__('Shown as')}>
          {tab(trans.__('Form'), !showsYaml, false)}
          {tab(trans.__('YAML'), showsYaml, true)}
        </div>
      )}
      {showsYaml && repo === undefined ? (
        <YamlText
          key={step.index}
          label={trans.__('The step as YAML')}
          text={step.step.text}
          isWrong={step.step.problem !== null}
          onChange={props.onText}
        />
      ) : (
        form && <StepForm key={`${step.index} ${repo ?? ''}`} {...form} repo={repo} trans={trans} />
      )}
    </section>
  );
}

/** What is wrong, in sentences. */
export function Problems(props: {
  problems: readonly IDagProblem[];
  trans: TranslationBundle;
  nameOf?: (problem: IDagProblem) => string;
  onChoose?: (problem: IDagProblem) => void;
}): React.JSX.Element | null {
  const { problems, trans, nameOf, onChoose } = props;
  if (problems.length === 0) {
    return null;
  }
  return (
    <ul className="jp-DatalakeDagSheet-problems" aria-label={trans.__('Problems')}>
      {problems.map((problem, at) => (
        <li key={at}>
          {nameOf && onChoose && (
            <button type="button" className="jp-DatalakeLink" onClick={() => onChoose(problem)}>
              {nameOf(problem)}
            </button>
          )}
          <span>{dagProblemText(problem, trans)}</span>
        </li>
      ))}
    </ul>
  );
}

function YamlText(props: {
  label: string;
  text: string;
  isWrong: boolean;
  onChange: (text: string) => void;
}): React.JSX.Element {
  return (
    <textarea
      className="jp-DatalakeField jp-DatalakeDagSheet-yaml"
      aria-label={props.label}
      aria-invalid={props.isWrong || undefined}
      spellCheck={false}
      wrap="off"
      value={props.text}
      onChange={event => props.onChange(event.target.value)}
    />
  );
}
