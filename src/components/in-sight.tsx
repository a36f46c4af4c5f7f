/**
 * What comes into sight when it becomes something else, such as what came of a button above it.
 */
import * as React from 'react';

/** Scrolls to its content whenever the mark changes, and as little as that needs. */
export function InSight(props: React.PropsWithChildren<{ mark: string }>): React.JSX.Element {
  const { mark, children } = props;
  const place = React.useRef<HTMLDivElement>(null);
  const seen = React.useRef(mark);
  React.useEffect(() => {
    if (seen.current !== mark) {
      seen.current = mark;
      place.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [mark]);
  return (
    <div ref={place} className="jp-DatalakeInSight">
      {children}
    </div>
  );
}
