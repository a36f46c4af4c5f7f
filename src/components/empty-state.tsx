/**
 * What a list shows when it is empty: why, and what to do next.
 */
import * as React from 'react';

/** What an {@link EmptyState} says and offers. */
export interface IEmptyStateProps {
  /** What there is not. */
  title: string;
  /** What to do next. */
  children?: React.ReactNode;
  /** Label of the button that does it. */
  action?: string;
  onAction?: () => void;
}

/** An empty list, in words. */
export function EmptyState(props: IEmptyStateProps): React.JSX.Element {
  return (
    <div className="jp-DatalakeEmptyState">
      <p className="jp-DatalakeEmptyState-title">{props.title}</p>
      {props.children && <p>{props.children}</p>}
      {props.action && (
        <button
          type="button"
          className="jp-DatalakeButton jp-mod-styled jp-mod-accept"
          onClick={props.onAction}
        >
          {props.action}
        </button>
      )}
    </div>
  );
}
