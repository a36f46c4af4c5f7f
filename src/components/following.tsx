/**
 * Drawing again whenever a model changes.
 */
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

/** Draw again whenever a model changes: at once, so that what is typed stays under the cursor. */
export function Following(props: {
  model: { readonly stateChanged: ISignal<unknown, unknown> };
  children: () => React.JSX.Element;
}): React.JSX.Element {
  const { model } = props;
  const [, draw] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    model.stateChanged.connect(draw);
    return () => {
      model.stateChanged.disconnect(draw);
    };
  }, [model]);
  return props.children();
}
