/**
 * A table or text of any length: only what is in view is drawn, and asked for.
 */
import * as React from 'react';

import type { ISpan } from './coloured';
import { ColouredLine } from './coloured';
import {
  columnsInView,
  edgesOf,
  ROW_PX,
  rowsInView,
  scrollHeight,
  scrollTo,
  widthsOf
} from './grid-geometry';

/** One column. */
export interface IGridColumn {
  name: string;
  /** Shown below the name. */
  type?: string;
  isNumber?: boolean;
}

/** What a {@link DataGrid} shows. */
export interface IDataGridProps {
  /** None for a text, whose lines have one cell. */
  columns: readonly IGridColumn[];
  count: number;
  /** Return a row; undefined for one that is not there yet. */
  row: (index: number) => readonly (string | null)[] | undefined;
  /** Return the line of a text in colours; undefined where it has none. */
  spans?: (index: number) => readonly ISpan[] | undefined;
  /** Told which rows are in view. */
  onRange: (first: number, last: number) => void;
  /** Name of the grid for screen readers. */
  label: string;
}

const GUTTER_CHARS = 3;
const CHAR_PX = 8;
const SAMPLE = 50;
const TEXT_PX = 8;
const MAX_TEXT_PX = 100_000;

interface ICell {
  row: number;
  column: number;
}

/** Rows and columns with a cell that the arrow keys move. */
export function DataGrid(props: IDataGridProps): React.JSX.Element {
  const { columns, count } = props;
  const isText = columns.length === 0;
  const node = React.useRef<HTMLDivElement>(null);
  const id = React.useId();
  const [view, setView] = React.useState({ top: 0, left: 0, height: 400, width: 800 });
  const [cell, setCell] = React.useState<ICell>({ row: 0, column: 0 });
  const head = isText ? 0 : 2 * ROW_PX;
  const gutter = (String(Math.max(1, count)).length + GUTTER_CHARS) * CHAR_PX;
  const room = Math.max(ROW_PX, view.height - head);
  const rows = rowsInView(view.top, room, count);
  const edges = useEdges(props, rows, view.width - gutter);
  const shown = columnsInView(edges, view.left, view.width);

  React.useLayoutEffect(() => {
    const element = node.current;
    if (!element) {
      return;
    }
    const measure = () =>
      setView(before => ({
        ...before,
        height: element.clientHeight || before.height,
        width: element.clientWidth || before.width
      }));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const { onRange } = props;
  React.useEffect(() => {
    if (rows.last >= rows.first) {
      onRange(rows.first, rows.last);
    }
  });

  const go = (row: number, column: number) => {
    const next = {
      row: clamp(row, count - 1),
      column: clamp(column, edges.length - 2)
    };
    setCell(next);
    const element = node.current;
    if (element) {
      element.scrollTop = scrollTo(next.row, element.scrollTop, room, count);
      const [left, right] = [edges[next.column] ?? 0, edges[next.column + 1] ?? 0];
      const width = view.width - gutter;
      if (isText || left < element.scrollLeft) {
        element.scrollLeft = isText ? element.scrollLeft : left;
      } else if (right > element.scrollLeft + width) {
        element.scrollLeft = Math.min(left, right - width);
      }
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const page = Math.max(1, Math.floor(room / ROW_PX) - 1);
    const isAll = event.ctrlKey || event.metaKey;
    const moves: Record<string, [number, number]> = {
      ArrowUp: [cell.row - 1, cell.column],
      ArrowDown: [cell.row + 1, cell.column],
      ArrowLeft: [cell.row, cell.column - 1],
      ArrowRight: [cell.row, cell.column + 1],
      PageUp: [cell.row - page, cell.column],
      PageDown: [cell.row + page, cell.column],
      Home: [isAll ? 0 : cell.row, 0],
      End: [isAll ? count - 1 : cell.row, edges.length - 2]
    };
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      event.stopPropagation();
      go(...move);
    } else if (isAll && event.key === 'c' && !window.getSelection()?.toString()) {
      void navigator.clipboard.writeText(props.row(cell.row)?.[cell.column] ?? '');
    }
  };
  const numbers = range(shown.first, shown.last);
  return (
    <div
      ref={node}
      className={`jp-DatalakeGrid ${isText ? 'jp-mod-text' : ''}`}
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-readonly="true"
      aria-rowcount={count + (isText ? 0 : 1)}
      aria-colcount={Math.max(1, columns.length)}
      aria-activedescendant={count > 0 ? `${id}-cell` : undefined}
      onScroll={event => {
        const { scrollTop, scrollLeft } = event.currentTarget;
        setView(before => ({ ...before, top: scrollTop, left: scrollLeft }));
      }}
      onKeyDown={onKeyDown}
    >
      <div
        className="jp-DatalakeGrid-all"
        role="presentation"
        style={{
          height: scrollHeight(count) + head,
          width: (edges[edges.length - 1] ?? 0) + gutter
        }}
      >
        {!isText && (
          <div className="jp-DatalakeGrid-head" role="row" aria-rowindex={1}>
            {numbers.map(number => {
              const column = columns[number];
              return (
                <div
                  key={number}
                  role="columnheader"
                  aria-colindex={number + 1}
                  className={`jp-DatalakeGrid-cell ${column?.isNumber ? 'jp-mod-number' : ''}`}
                  style={placeOf(edges, number, gutter)}
                  title={`${column?.name ?? ''}: ${column?.type ?? ''}`}
                >
                  <span className="jp-DatalakeGrid-name">{column?.name}</span>
                  <span className="jp-DatalakeGrid-type">{column?.type}</span>
                </div>
              );
            })}
          </div>
        )}
        {range(rows.first, rows.last).map(index => {
          const values = props.row(index);
          return (
            <div
              key={index}
              role="row"
              aria-rowindex={index + (isText ? 1 : 2)}
              className="jp-DatalakeGrid-row"
              style={{ top: head + rows.top + (index - rows.first) * ROW_PX }}
            >
              <span className="jp-DatalakeGrid-gutter" aria-hidden="true" style={{ width: gutter }}>
                {index + 1}
              </span>
              {numbers.map(number => {
                const value = values?.[number];
                const isChosen = cell.row === index && cell.column === number;
                return (
                  <div
                    key={number}
                    id={isChosen ? `${id}-cell` : undefined}
                    role="gridcell"
                    aria-colindex={number + 1}
                    aria-selected={isChosen}
                    className={cellClass(columns[number], value, isChosen)}
                    style={placeOf(edges, number, gutter)}
                    title={isText || value === null ? undefined : value}
                    onMouseDown={() => setCell({ row: index, column: number })}
                  >
                    {values === undefined ? (
                      '…'
                    ) : isText ? (
                      <ColouredLine text={value ?? ''} spans={props.spans?.(index)} />
                    ) : (
                      (value ?? 'NULL')
                    )}
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Return where columns begin: as wide as what was seen first, so that they stay as they are. */
function useEdges(
  props: IDataGridProps,
  rows: { first: number; last: number },
  width: number
): number[] {
  const { columns } = props;
  const widths = React.useRef<{ key: unknown; found: number[] } | null>(null);
  if (columns.length === 0) {
    const longest = range(rows.first, rows.last).reduce(
      (most, index) => Math.max(most, props.row(index)?.[0]?.length ?? 0),
      0
    );
    const before = widths.current?.found[0] ?? 0;
    const found = Math.max(before, width, Math.min(MAX_TEXT_PX, longest * TEXT_PX));
    widths.current = { key: columns, found: [found] };
    return edgesOf([found]);
  }
  if (widths.current?.key !== columns && (props.count === 0 || props.row(0))) {
    const sample = range(0, Math.min(SAMPLE, props.count) - 1).map(index => props.row(index));
    const longest = columns.map((column, place) =>
      sample.reduce(
        (most, row) => Math.max(most, row?.[place]?.length ?? 0),
        Math.max(column.name.length, column.type?.length ?? 0)
      )
    );
    widths.current = { key: columns, found: widthsOf(longest) };
  }
  return edgesOf(widths.current?.found ?? widthsOf(columns.map(() => 0)));
}

function cellClass(
  column: IGridColumn | undefined,
  value: string | null | undefined,
  isChosen: boolean
): string {
  return [
    'jp-DatalakeGrid-cell',
    column?.isNumber ? 'jp-mod-number' : '',
    value === null ? 'jp-mod-null' : '',
    isChosen ? 'jp-mod-selected' : ''
  ].join(' ');
}

function placeOf(edges: readonly number[], number: number, gutter: number): React.CSSProperties {
  const left = edges[number] ?? 0;
  return { left: left + gutter, width: (edges[number + 1] ?? left) - left };
}

function range(first: number, last: number): number[] {
  return last < first ? [] : Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}
