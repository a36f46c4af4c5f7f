/**
 * The legend of the lineage graph: beside it on the screen, and below it in a file.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ILayout } from '../lineage/layout';
import type { ILegendEntry } from '../lineage/legend';
import { keyOf, legendOf } from '../lineage/legend';
import { kindText, Shape } from './lineage-node';
import { stateHelp, stateText, toneOf } from './state-badge';

const SAMPLE = { width: 30, height: 16 } as const;
const ROOM = 3;
/** Width of an entry in a file, where nothing measures the text. */
const COLUMN = 210;
const ROW = 24;

/** What a {@link LineageLegend} shows and does. */
export interface ILineageLegendProps {
  layout: ILayout;
  isOpen: boolean;
  trans: TranslationBundle;
  onToggle: () => void;
}

/** What shapes, lines and colours mean, of those that are in the picture. */
export function LineageLegend(props: ILineageLegendProps): React.JSX.Element {
  const { layout, isOpen, trans } = props;
  const entries = React.useMemo(() => legendOf(layout), [layout]);
  const list = React.useId();
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  return (
    <div className="jp-DatalakeLineageLegend">
      <button
        type="button"
        className="jp-DatalakeLineageLegend-toggle"
        aria-expanded={isOpen}
        aria-controls={isOpen ? list : undefined}
        onClick={props.onToggle}
      >
        <Caret.react tag="span" className="jp-DatalakeRow-icon" />
        {trans.__('Legend')}
      </button>
      {isOpen && (
        <ul id={list} className="jp-DatalakeLineageLegend-list" aria-label={trans.__('Legend')}>
          {entries.map(entry => (
            <li
              key={keyOf(entry)}
              className="jp-DatalakeLineageLegend-entry"
              title={helpOf(entry, trans) || undefined}
            >
              <svg
                aria-hidden
                width={SAMPLE.width + 2 * ROOM}
                height={SAMPLE.height + 2 * ROOM}
                viewBox={`${-ROOM} ${-ROOM} ${SAMPLE.width + 2 * ROOM} ${SAMPLE.height + 2 * ROOM}`}
              >
                <Sample entry={entry} />
              </svg>
              {textOf(entry, trans)}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Return how much room the legend of a file takes below a picture of some width. */
export function legendHeight(layout: ILayout, width: number): number {
  return Math.ceil(legendOf(layout).length / columnsIn(width)) * ROW;
}

/** The legend as a part of a picture, in rows as wide as that is. */
export function LegendPicture(props: {
  layout: ILayout;
  width: number;
  y: number;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { layout, width, y, trans } = props;
  const columns = columnsIn(width);
  return (
    <>
      {legendOf(layout).map((entry, at) => (
        <g
          key={keyOf(entry)}
          transform={`translate(${(at % columns) * COLUMN} ${y + Math.floor(at / columns) * ROW})`}
        >
          <Sample entry={entry} />
          <text className="jp-DatalakeLineageNode-fact" x={SAMPLE.width + 8} y={12}>
            {textOf(entry, trans)}
          </text>
        </g>
      ))}
    </>
  );
}

function columnsIn(width: number): number {
  return Math.max(1, Math.floor(width / COLUMN));
}

/** What an entry looks like in the graph, small. */
function Sample({ entry }: { entry: ILegendEntry }): React.JSX.Element {
  const { width, height } = SAMPLE;
  switch (entry.what) {
    case 'edge':
      return (
        <path
          className={`jp-DatalakeLineageGraph-edge jp-mod-${entry.basis}`}
          d={`M0 ${height / 2}L${width} ${height / 2}`}
        />
      );
    case 'card':
      return (
        <rect
          className="jp-DatalakeLineageGraph-card"
          x={-2}
          y={-2}
          width={width + 4}
          height={height + 4}
          rx={5}
        />
      );
    case 'kind':
      return (
        <g className={`jp-DatalakeLineageNode jp-mod-${entry.kind}`}>
          <Shape kind={entry.kind} {...SAMPLE} />
        </g>
      );
    case 'state':
      return (
        <g className={`jp-DatalakeLineageNode jp-mod-${toneOf(entry.state)}`}>
          <Shape kind="repo" {...SAMPLE} />
        </g>
      );
  }
}

/** Return what an entry is called. */
function textOf(entry: ILegendEntry, trans: TranslationBundle): string {
  switch (entry.what) {
    case 'kind':
      return kindText(entry.kind, trans);
    case 'state':
      return stateText(entry.state, trans);
    case 'edge':
      return entry.basis === 'declared'
        ? trans.__('declared by a pipeline')
        : trans.__('observed: files were opened');
    case 'card':
      return trans.__('pipeline with its output');
  }
}

/** Return what an entry means, where its name does not say it. */
function helpOf(entry: ILegendEntry, trans: TranslationBundle): string {
  switch (entry.what) {
    case 'state':
      return stateHelp(entry.state, trans);
    case 'edge':
      return entry.basis === 'declared'
        ? trans.__('What a pipeline says that it reads and writes')
        : trans.__('The kernel of a notebook was seen to open files; no pipeline says so');
    case 'kind':
    case 'card':
      return '';
  }
}
