/**
 * Two versions of a file: tables by key, texts and notebooks side by side, images beside each other.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import type { ISpan } from './coloured';
import { ColouredLine, useColours } from './coloured';
import type { IMedia } from './media-diff';
import { MediaDiff } from './media-diff';
import { NotebookDiff } from './notebook-diff';
import { useSides } from './sides';
import { TableDiff } from './table-diff';

/** How two versions differ. */
export type Difference =
  | { kind: 'table'; table: api.TableDiff }
  | { kind: 'text'; text: api.TextDiff }
  | { kind: 'media'; old: IMedia | null; new: IMedia | null }
  | { kind: 'notebook'; old: unknown; new: unknown };

/** What a {@link FileDiff} shows. */
export interface IFileDiffProps {
  /** Its ending tells the language of a text. */
  path: string;
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
      return <TextDiff diff={diff.text} path={props.path} trans={trans} />;
    case 'notebook':
      return <NotebookDiff old={diff.old} new={diff.new} trans={trans} />;
    case 'media':
      return <MediaDiff old={diff.old} new={diff.new} isAudio={props.isAudio} trans={trans} />;
  }
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
  path: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { diff, trans } = props;
  const [before, now] = useSides(trans);
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
        {trans._n(
          '%1 line added, %2 removed.',
          '%1 lines added, %2 removed.',
          diff.added,
          diff.removed
        )}
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
            <th colSpan={2}>{before}</th>
            <th colSpan={2}>{now}</th>
          </tr>
        </thead>
        {diff.hunks.map((hunk, index) => (
          <Hunk key={index} hunk={hunk} path={props.path} />
        ))}
      </table>
    </div>
  );
}

/** One hunk. Each side is coloured as if it began with its first line. */
function Hunk({ hunk, path }: { hunk: api.Hunk; path: string }): React.JSX.Element {
  const lines = React.useMemo(() => linesOf(hunk), [hunk]);
  const [old, now] = React.useMemo(() => [sideOf(lines, 'old'), sideOf(lines, 'new')], [lines]);
  const oldSpans = useColours(path, old);
  const newSpans = useColours(path, now);
  return (
    <tbody>
      {lines.map((line, place) => (
        <SideBySideLine
          key={place}
          line={line}
          old={line.oldNumber === null ? undefined : oldSpans?.[line.oldNumber - hunk.old_start]}
          new={line.newNumber === null ? undefined : newSpans?.[line.newNumber - hunk.new_start]}
        />
      ))}
    </tbody>
  );
}

function sideOf(lines: readonly ILine[], side: 'old' | 'new'): string[] {
  return lines.map(line => line[side]).filter(text => text !== null);
}

function SideBySideLine(props: {
  line: ILine;
  old: readonly ISpan[] | undefined;
  new: readonly ISpan[] | undefined;
}): React.JSX.Element {
  const { line } = props;
  const isSame = line.old !== null && line.new !== null && line.old === line.new;
  return (
    <tr>
      <td className="jp-DatalakeSideBySide-number">{line.oldNumber}</td>
      <td className={sideClass(line.old, isSame, 'removed')}>
        <ColouredLine text={line.old} spans={props.old} />
      </td>
      <td className="jp-DatalakeSideBySide-number">{line.newNumber}</td>
      <td className={sideClass(line.new, isSame, 'added')}>
        <ColouredLine text={line.new} spans={props.new} />
      </td>
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
