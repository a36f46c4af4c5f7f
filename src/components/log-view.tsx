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
  /** A line to show and to mark, from 1. */
  line?: number | null;
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
  const line = props.line ?? null;
  const isThere = text !== null && text !== '';
  const mark = React.useRef<HTMLElement>(null);
  React.useLayoutEffect(() => {
    if (isThere && line !== null) {
      follows.current = false;
      mark.current?.scrollIntoView({ block: 'center' });
    }
  }, [isThere, line, props.label]);
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
        {!isThere ? (
          <span className="jp-DatalakeNote">
            {text === null
              ? trans.__('Loading…')
              : props.isLive
                ? trans.__('Nothing is printed yet.')
                : trans.__('Nothing was printed.')}
          </span>
        ) : (
          <Marked text={text} line={line} mark={mark} />
        )}
      </pre>
    </section>
  );
}

/** A text with one of its lines marked. */
function Marked(props: {
  text: string;
  line: number | null;
  mark: React.RefObject<HTMLElement>;
}): React.JSX.Element {
  const { text, line } = props;
  const start = line === null ? -1 : startOfLine(text, line);
  if (start < 0) {
    return <>{text}</>;
  }
  const end = text.indexOf('\n', start);
  const last = end < 0 ? text.length : end;
  return (
    <>
      {text.slice(0, start)}
      <mark ref={props.mark} className="jp-DatalakeLogView-line" aria-current="location">
        {text.slice(start, last)}
      </mark>
      {text.slice(last)}
    </>
  );
}

/** Return where a line begins, or -1 if there are fewer. */
function startOfLine(text: string, line: number): number {
  let start = 0;
  for (let number = 1; number < line; number++) {
    start = text.indexOf('\n', start) + 1;
    if (start === 0) {
      return -1;
    }
  }
  return start;
}
