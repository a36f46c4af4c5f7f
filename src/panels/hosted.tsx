/**
 * Widgets of Lumino inside of what React draws.
 */
import { Widget } from '@lumino/widgets';
import * as React from 'react';

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
