/**
 * A labelled field with help and what is wrong with it.
 */
import * as React from 'react';

/** What a {@link Field} shows around its control. */
export interface IFieldProps {
  label: string;
  /** Shown below while nothing is wrong. */
  help?: string;
  /** What is wrong; empty if nothing is. */
  problem?: string;
  className?: string;
  /** Returns the control, given what links it to the rest. */
  children: (attributes: IFieldAttributes) => React.ReactNode;
}

/** What links a control to its label, help and problem. */
export interface IFieldAttributes {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: boolean;
}

/** One field of a form. */
export function Field(props: IFieldProps): React.JSX.Element {
  const id = React.useId();
  const note = props.problem || props.help;
  return (
    <div className={`jp-DatalakeForm-field ${props.className ?? ''}`}>
      <label className="jp-DatalakeForm-label" htmlFor={id}>
        {props.label}
      </label>
      {props.children({
        id,
        'aria-describedby': note ? `${id}-note` : undefined,
        'aria-invalid': props.problem ? true : undefined
      })}
      {note && (
        <span
          id={`${id}-note`}
          className={props.problem ? 'jp-DatalakeForm-problem' : 'jp-DatalakeForm-help'}
          role={props.problem ? 'alert' : undefined}
        >
          {note}
        </span>
      )}
    </div>
  );
}
