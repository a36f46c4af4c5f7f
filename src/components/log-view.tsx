/**
 * What a datum printed: plain text, kept at its end while it grows.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/** What a {@link LogView} shows. */
export interface ILogViewProps {
  /** Null until it is loaded. */
  text: string | null;
  label: string;
  isLive: boolean;
  trans: TranslationBundle;
}

const AT_END_PX = 24;

/** A log; scrolling up stops it from following. */
export function LogView(props: ILogViewProps): React.JSX.Element {
  const { text, trans } = props;
  const box = React.useRef<HTMLPreElement>(null);
  const follows = React.useRef(true);
  React.useLayoutEffect(() => {
    const element = box.current;
    if (element && follows.current && props.isLive) {
      element.scrollTop = element.scrollHeight;
    }
  }, [text, props.isLive]);
  return (
    <section className="jp-DatalakeLogView" aria-label={props.label}>
      <header className="jp-DatalakeLogView-header">{props.label}</header>
      <pre
        ref={box}
        className="jp-DatalakeLogView-text"
        role="log"
        tabIndex={0}
        aria-label={props.label}
        onScroll={event => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          follows.current = scrollHeight - scrollTop - clientHeight < AT_END_PX;
        }}
      >
        {text === null || text === '' ? (
          <span className="jp-DatalakeNote">
            {text === null ? trans.__('Loading…') : trans.__('Nothing was printed.')}
          </span>
        ) : (
          text
        )}
      </pre>
    </section>
  );
}
