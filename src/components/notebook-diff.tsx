/**
 * Two notebooks side by side: cells that are the same are folded away.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICellChange } from './notebook-cells';
import { cellsOf, diffCells } from './notebook-cells';
import type { IOutputChange } from './notebook-outputs';
import { outputChanges } from './notebook-outputs';
import { LinesBetween, OutputDiff } from './output-diff';

/** What a {@link NotebookDiff} compares: notebooks as JSON, null for one that is not there. */
export interface INotebookDiffProps {
  old: unknown;
  new: unknown;
  trans: TranslationBundle;
}

/** Cells that differ. Sources are shown as text, and HTML of outputs after it was sanitised. */
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
  const outputs = React.useMemo(() => outputsBetween(change), [change]);
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
        <LinesBetween
          old={change.old?.source ?? null}
          new={change.new?.source ?? null}
          trans={trans}
        />
      )}
      {outputs.length > 0 && (
        <div className="jp-DatalakeOutputDiff" role="group" aria-label={trans.__('Outputs')}>
          <h4>{trans._n('%1 output differs', '%1 outputs differ', outputs.length)}</h4>
          {outputs.map((one, index) => (
            <OutputDiff key={index} change={one} trans={trans} />
          ))}
        </div>
      )}
    </section>
  );
}

/** Return the outputs that differ; those that only the count of runs tells apart do not. */
function outputsBetween({ kind, old, new: now }: ICellChange): readonly IOutputChange[] {
  return kind === 'same' || old?.outputs === now?.outputs
    ? []
    : outputChanges(old?.shown ?? [], now?.shown ?? []);
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
