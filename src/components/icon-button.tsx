/**
 * A small button that is only an icon.
 */
import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** What an {@link IconButton} shows and does. */
export interface IIconButtonProps {
  icon: LabIcon;
  /** Says what it does: shown on hover, read by screen readers. */
  label: string;
  onClick: () => void;
  isDisabled?: boolean;
  /** Of a switch: whether it is on. */
  isPressed?: boolean;
  /** Of what shows and hides something: whether that is shown. */
  isExpanded?: boolean;
  className?: string;
}

/** A button that is only an icon. */
export function IconButton(props: IIconButtonProps): React.JSX.Element {
  return (
    <button
      type="button"
      className={`jp-DatalakeIconButton ${props.className ?? ''}`}
      title={props.label}
      aria-label={props.label}
      aria-pressed={props.isPressed}
      aria-expanded={props.isExpanded}
      disabled={props.isDisabled}
      onClick={event => {
        event.stopPropagation();
        props.onClick();
      }}
    >
      <props.icon.react tag="span" className="jp-DatalakeIconButton-icon" />
    </button>
  );
}
