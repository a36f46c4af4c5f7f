/**
 * Two versions of a file: tables by key, texts and notebooks side by side, images beside each other.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { formatBytes } from './formats';
import { NotebookDiff } from './notebook-diff';
import { TableDiff } from './table-diff';

/** An image or sound in this browser. */
export interface IMedia {
  readonly url: string;
  readonly size_bytes: number;
}

/** How two versions differ. */
export type Difference =
  | { kind: 'table'; table: api.TableDiff }
  | { kind: 'text'; text: api.TextDiff }
  | { kind: 'media'; old: IMedia | null; new: IMedia | null }
  | { kind: 'notebook'; old: unknown; new: unknown };

/** What a {@link FileDiff} shows. */
export interface IFileDiffProps {
  diff: Difference;
  isAudio: boolean;
  columns: readonly string[];
  onKey: (key: string | undefined) => void;
  trans: TranslationBundle;
}

/** A difference, as what it is. */
export function FileDiff(props: IFileDiffProps): React.JSX.Element {
  const { diff, trans } = props;
  switch (diff.kind) {
    case 'table':
      return <TableDiff {...props} diff={diff.table} />;
    case 'text':
      return <TextDiff diff={diff.text} trans={trans} />;
    case 'notebook':
      return <NotebookDiff old={diff.old} new={diff.new} trans={trans} />;
    case 'media':
      return (
        <div className="jp-DatalakeMediaDiff">
          <Side {...props} title={trans.__('Before')} media={diff.old} />
          <Side {...props} title={trans.__('Now')} media={diff.new} />
        </div>
      );
  }
}

function Side(props: IFileDiffProps & { title: string; media: IMedia | null }): React.JSX.Element {
  const { media, title, trans } = props;
  const [size, setSize] = React.useState('');
  return (
    <figure className="jp-DatalakeMediaDiff-side" aria-label={title}>
      <figcaption>
        {title}
        {media && ` · ${formatBytes(media.size_bytes)}`}
        {size && ` · ${size}`}
      </figcaption>
      {media === null ? (
        <p className="jp-DatalakeNote">{trans.__('It was not there.')}</p>
      ) : props.isAudio ? (
        <audio controls src={media.url} aria-label={title} />
      ) : (
        <img
          src={media.url}
          alt={title}
          onLoad={event => {
            const { naturalWidth, naturalHeight } = event.currentTarget;
            setSize(`${naturalWidth} × ${naturalHeight}`);
          }}
        />
      )}
    </figure>
  );
}

/** One line of a hunk beside its older version. */
interface ILine {
  oldNumber: number | null;
  old: string | null;
  newNumber: number | null;
  new: string | null;
}

/** Hunks of a text, side by side. */
export function TextDiff(props: {
  diff: api.TextDiff;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { diff, trans } = props;
  if (diff.is_equal) {
    return <p className="jp-DatalakeNote">{trans.__('Nothing differs.')}</p>;
  }
  if (diff.is_binary) {
    return (
      <p className="jp-DatalakeNote">
        {trans.__('They differ, and are not both text, so lines cannot be compared.')}
      </p>
    );
  }
  return (
    <div className="jp-DatalakeTextDiff">
      <p className="jp-DatalakeNote">
        {trans.__('%1 lines added, %2 removed.', diff.added, diff.removed)}
        {diff.old_encoding !== diff.new_encoding &&
          ` ${trans.__('Encoding: %1, now %2.', diff.old_encoding, diff.new_encoding)}`}
        {diff.old_newline !== diff.new_newline &&
          ` ${trans.__('Line ends: %1, now %2.', String(diff.old_newline), String(diff.new_newline))}`}
        {diff.has_more && ` ${trans.__('These are the first differences.')}`}
      </p>
      <table className="jp-DatalakeSideBySide">
        <colgroup>
          <col className="jp-DatalakeSideBySide-numbers" />
          <col />
          <col className="jp-DatalakeSideBySide-numbers" />
          <col />
        </colgroup>
        <thead>
          <tr>
            <th colSpan={2}>{trans.__('Before')}</th>
            <th colSpan={2}>{trans.__('Now')}</th>
          </tr>
        </thead>
        {diff.hunks.map((hunk, index) => (
          <tbody key={index}>
            {linesOf(hunk).map((line, place) => (
              <SideBySideLine key={place} line={line} />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function SideBySideLine({ line }: { line: ILine }): React.JSX.Element {
  const isSame = line.old !== null && line.new !== null && line.old === line.new;
  return (
    <tr>
      <td className="jp-DatalakeSideBySide-number">{line.oldNumber}</td>
      <td className={sideClass(line.old, isSame, 'removed')}>{line.old}</td>
      <td className="jp-DatalakeSideBySide-number">{line.newNumber}</td>
      <td className={sideClass(line.new, isSame, 'added')}>{line.new}</td>
    </tr>
  );
}

function sideClass(text: string | null, isSame: boolean, kind: string): string {
  const mark = text === null ? 'jp-mod-none' : isSame ? '' : `jp-mod-${kind}`;
  return `jp-DatalakeSideBySide-text ${mark}`;
}

/** Return the lines of a hunk, what was removed beside what was added in its place. */
export function linesOf(hunk: api.Hunk): ILine[] {
  const found: ILine[] = [];
  let [oldNumber, newNumber] = [hunk.old_start, hunk.new_start];
  let [gone, came]: [string[], string[]] = [[], []];
  const flush = () => {
    for (let index = 0; index < Math.max(gone.length, came.length); index++) {
      const [old, now] = [gone[index] ?? null, came[index] ?? null];
      found.push({
        oldNumber: old === null ? null : oldNumber++,
        old,
        newNumber: now === null ? null : newNumber++,
        new: now
      });
    }
    [gone, came] = [[], []];
  };
  for (const line of hunk.lines) {
    const text = line.slice(1);
    if (line.startsWith('-')) {
      gone.push(text);
    } else if (line.startsWith('+')) {
      came.push(text);
    } else if (!line.startsWith('\\')) {
      flush();
      found.push({ oldNumber: oldNumber++, old: text, newNumber: newNumber++, new: text });
    }
  }
  flush();
  return found;
}
