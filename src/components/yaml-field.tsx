/**
 * A document as YAML, to be typed in.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/** What is wrong with typed YAML; an empty text means that it is no map. */
export interface IYamlProblem {
  problem: string;
  line: number | null;
}

/** What a {@link YamlField} shows and does. */
export interface IYamlFieldProps {
  label: string;
  yaml: string;
  problem: IYamlProblem | null;
  trans: TranslationBundle;
  onChange: (yaml: string) => void;
}

const LEAST_LINES = 6;
const MOST_LINES = 18;

/** The text, and what is wrong with it. */
export function YamlField(props: IYamlFieldProps): React.JSX.Element {
  const { problem, trans } = props;
  const id = React.useId();
  const lines = props.yaml.split('\n').length;
  return (
    <>
      <textarea
        className="jp-DatalakeForm-yaml"
        aria-label={props.label}
        aria-invalid={problem !== null}
        aria-describedby={problem ? id : undefined}
        spellCheck={false}
        rows={Math.min(Math.max(lines, LEAST_LINES), MOST_LINES)}
        value={props.yaml}
        onChange={event => props.onChange(event.target.value)}
      />
      {problem && (
        <span id={id} className="jp-DatalakeForm-problem" role="alert">
          {problem.line !== null && `${trans.__('Line %1:', problem.line)} `}
          {problem.problem || trans.__('This is no map of keys and values.')}
        </span>
      )}
    </>
  );
}
