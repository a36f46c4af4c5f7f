/**
 * Outputs of a cell beside their older versions: texts by line, images beside or over each other,
 * HTML as JupyterLab renders what it does not trust.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { MediaDiff } from './media-diff';
import { diffLines } from './notebook-cells';
import type { IOutputChange, Output } from './notebook-outputs';
import { useSides } from './sides';

/** Returns a widget that shows HTML after it was sanitised. */
export type RenderHtml = (html: string) => Widget;

/** What renders HTML, for the components below; null shows it as text. */
export const RenderHtmlContext = React.createContext<RenderHtml | null>(null);

/** One output that differs. */
export function OutputDiff(props: {
  change: IOutputChange;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { change, trans } = props;
  const [before, now] = useSides(trans);
  const kinds = [change.old, change.new].map(one => one?.kind ?? null);
  const is = (kind: Output['kind']) => kinds.every(one => one === kind || one === null);
  if (is('text')) {
    return <LinesBetween old={textOf(change.old)} new={textOf(change.new)} trans={trans} />;
  }
  if (is('image')) {
    return (
      <MediaDiff
        old={change.old?.kind === 'image' ? { url: change.old.url, size_bytes: null } : null}
        new={change.new?.kind === 'image' ? { url: change.new.url, size_bytes: null } : null}
        isAudio={false}
        trans={trans}
      />
    );
  }
  return (
    <div className="jp-DatalakeOutputDiff-sides">
      <OneOutput title={before} output={change.old} trans={trans} />
      <OneOutput title={now} output={change.new} trans={trans} />
    </div>
  );
}

/** Two texts by line; null for one that is not there. */
export function LinesBetween(props: {
  old: string | null;
  new: string | null;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { old, trans } = props;
  const [before, now] = useSides(trans);
  const lines = React.useMemo(() => linesOf(old, props.new), [old, props.new]);
  return (
    <table className="jp-DatalakeSideBySide">
      <thead className="jp-mod-hidden">
        <tr>
          <th>{before}</th>
          <th>{now}</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line, index) => (
          <tr key={index}>
            <td className={lineClass(line.old, line.new, 'removed')}>{line.old}</td>
            <td className={lineClass(line.new, line.old, 'added')}>{line.new}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function linesOf(
  old: string | null,
  now: string | null
): readonly { old: string | null; new: string | null }[] {
  if (old !== null && now !== null) {
    return diffLines(old, now);
  }
  return (old ?? now ?? '')
    .split('\n')
    .map(line => ({ old: old === null ? null : line, new: now === null ? null : line }));
}

function lineClass(text: string | null, other: string | null, kind: string): string {
  const mark = text === null ? 'jp-mod-none' : text === other ? '' : `jp-mod-${kind}`;
  return `jp-DatalakeSideBySide-text ${mark}`;
}

function OneOutput(props: {
  title: string;
  output: Output | null;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { title, output, trans } = props;
  return (
    <figure className="jp-DatalakeOutputDiff-side" aria-label={title}>
      <figcaption>{title}</figcaption>
      {output === null ? (
        <p className="jp-DatalakeNote">{trans.__('It was not there.')}</p>
      ) : output.kind === 'html' ? (
        <Html html={output.html} />
      ) : output.kind === 'image' ? (
        <img src={output.url} alt={title} />
      ) : (
        <pre>{output.text}</pre>
      )}
    </figure>
  );
}

/** HTML that was sanitised. */
function Html({ html }: { html: string }): React.JSX.Element {
  const render = React.useContext(RenderHtmlContext);
  const host = React.useRef<HTMLDivElement>(null);
  // A layout effect ends while its node is in the page, as detaching a widget wants it.
  React.useLayoutEffect(() => {
    if (!render || !host.current) {
      return;
    }
    const widget = render(html);
    Widget.attach(widget, host.current);
    return () => widget.dispose();
  }, [render, html]);
  return render ? <div ref={host} className="jp-DatalakeOutputDiff-html" /> : <pre>{html}</pre>;
}

function textOf(output: Output | null): string | null {
  return output?.kind === 'text' ? output.text : null;
}
