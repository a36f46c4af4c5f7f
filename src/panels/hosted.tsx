/**
 * What React needs inside of a panel: drawing at once, and widgets of Lumino.
 */
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import type { RefreshingModel } from '../models/refreshing';

/** Draw again whenever a model changes: at once, so that what is typed stays under the cursor. */
export function Following(props: {
  model: RefreshingModel;
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

/** A widget of Lumino inside of what React draws. */
export function Hosted({ widget }: { widget: Widget }): React.JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  React.useLayoutEffect(() => {
    if (host.current) {
      Widget.attach(widget, host.current);
    }
    return () => {
      if (widget.isAttached && widget.node.isConnected) {
        Widget.detach(widget);
      }
    };
  }, [widget]);
  return <div ref={host} className="jp-DatalakeDagSheet-file" />;
}
