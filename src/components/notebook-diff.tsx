/**
 * Two notebooks side by side: cells that are the same are folded away.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICellChange } from './notebook-cells';
import { cellsOf, diffCells, diffLines } from './notebook-cells';

/** What a {@link NotebookDiff} compares: notebooks as JSON, null for one that is not there. */
export interface INotebookDiffProps {
  old: unknown;
  new: unknown;
  trans: TranslationBundle;
}

/** Cells that differ. Sources are shown as text: nothing of a notebook is rendered here. */
export function NotebookDiff(props: INotebookDiffProps): React.JSX.Element {
  const { trans } = props;
  const changes = React.useMemo(
    () => diffCells(cellsOf(props.old), cellsOf(props.new)),
    [props.old, props.new]
  );
  const differing = changes.filter(one => one.kind !== 'same').length;
  return (
    <div className="jp-DatalakeNotebookDiff">
      <p className="jp-DatalakeNote">
        {differing === 0
          ? trans.__('No cell differs.')
          : trans._n('%1 cell differs.', '%1 cells differ.', differing)}
      </p>
      {changes.map((change, index) => (
        <Cell key={index} change={change} number={index + 1} trans={trans} />
      ))}
    </div>
  );
}

function Cell(props: {
  change: ICellChange;
  number: number;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { change, number, trans } = props;
  const cell = change.new ?? change.old;
  if (change.kind === 'same' || !cell) {
    return null;
  }
  return (
    <section
      className={`jp-DatalakeNotebookDiff-cell jp-mod-${change.kind}`}
      aria-label={trans.__('Cell %1', number)}
    >
      <h3>
        {trans.__('Cell %1', number)} · {cell.type} · {kindText(change, trans)}
      </h3>
      {change.kind === 'outputs' ? (
        <pre className="jp-DatalakeNotebookDiff-same">{cell.source}</pre>
      ) : (
        <table className="jp-DatalakeSideBySide">
          <thead className="jp-mod-hidden">
            <tr>
              <th>{trans.__('Before')}</th>
              <th>{trans.__('Now')}</th>
            </tr>
          </thead>
          <tbody>
            {linesBetween(change).map((line, index) => (
              <tr key={index}>
                <td className={lineClass(line.old, line.new, 'removed')}>{line.old}</td>
                <td className={lineClass(line.new, line.old, 'added')}>{line.new}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function linesBetween(change: ICellChange): readonly { old: string | null; new: string | null }[] {
  if (change.old && change.new) {
    return diffLines(change.old.source, change.new.source);
  }
  const lines = (change.old ?? change.new)?.source.split('\n') ?? [];
  return lines.map(line => ({ old: change.old ? line : null, new: change.new ? line : null }));
}

function lineClass(text: string | null, other: string | null, kind: string): string {
  const mark = text === null ? 'jp-mod-none' : text === other ? '' : `jp-mod-${kind}`;
  return `jp-DatalakeSideBySide-text ${mark}`;
}

function kindText(change: ICellChange, trans: TranslationBundle): string {
  switch (change.kind) {
    case 'added':
      return trans.__('added');
    case 'removed':
      return trans.__('removed');
    case 'outputs':
      return trans.__('other outputs');
    case 'changed':
    case 'same':
      return change.old?.outputs === change.new?.outputs
        ? trans.__('changed')
        : trans.__('changed, other outputs');
  }
}
