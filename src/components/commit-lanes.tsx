/**
 * The part of the graph of commits that belongs to one row.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ILane, ILaneRow } from '../history/lanes';

/** Height of a row, as the style sheet has it. */
export const ROW_PX = 40;

const LANE_PX = 11;
const MOST_LANES = 8;
const COLORS = 6;

/** What {@link CommitLanes} shows. */
export interface ICommitLanesProps {
  row: ILaneRow;
  /** How many columns the whole graph takes. */
  width: number;
  /** Whether it has several parents. */
  isMerge: boolean;
  trans: TranslationBundle;
}

/** A commit among the lines that lead to it and pass it. */
export function CommitLanes(props: ICommitLanesProps): React.JSX.Element {
  const { row, width, trans } = props;
  const middle = ROW_PX / 2;
  const x = centre(row.column);
  const text = props.isMerge
    ? trans.__('A merge, on line %1', row.column + 1)
    : trans.__('On line %1', row.column + 1);
  return (
    <svg
      className="jp-DatalakeLanes"
      role="img"
      aria-label={text}
      width={widthOf(width)}
      height={ROW_PX}
    >
      <title>{text}</title>
      {row.through.map(lane => (
        <Line key={lane.column} lane={lane} path={`M${centre(lane.column)} 0V${ROW_PX}`} />
      ))}
      {row.above.map(lane => (
        <Line key={lane.column} lane={lane} path={curve(centre(lane.column), 0, x, middle)} />
      ))}
      {row.below.map((lane, position) => (
        <Line
          key={`${position}-below`}
          lane={lane}
          path={curve(centre(lane.column), ROW_PX, x, middle)}
        />
      ))}
      <circle
        className={`jp-DatalakeLanes-commit ${colorOf(row)} ${props.isMerge ? 'jp-mod-merge' : ''}`}
        cx={x}
        cy={middle}
        r={4}
      />
    </svg>
  );
}

/** The lines that go on beside what an opened row shows. */
export function LanesBeside(props: { row: ILaneRow; width: number }): React.JSX.Element {
  const { row, width } = props;
  const lanes = new Map([...row.through, ...row.below].map(lane => [lane.column, lane]));
  return (
    <svg className="jp-DatalakeLanes" aria-hidden="true" width={widthOf(width)}>
      {[...lanes.values()].map(lane => (
        <line
          key={lane.column}
          className={`jp-DatalakeLanes-line ${colorOf(lane)}`}
          x1={centre(lane.column)}
          x2={centre(lane.column)}
          y1="0"
          y2="100%"
        />
      ))}
    </svg>
  );
}

function Line(props: { lane: ILane; path: string }): React.JSX.Element {
  return <path className={`jp-DatalakeLanes-line ${colorOf(props.lane)}`} d={props.path} />;
}

/** Return a path between an edge of the row and the commit in its middle. */
function curve(from: number, y: number, to: number, middle: number): string {
  const half = (y + middle) / 2;
  return from === to
    ? `M${from} ${y}V${middle}`
    : `M${from} ${y}C${from} ${half} ${to} ${half} ${to} ${middle}`;
}

/** Lines beyond the last column that there is room for share it. */
function centre(column: number): number {
  return (Math.min(column, MOST_LANES - 1) + 0.5) * LANE_PX;
}

function widthOf(columns: number): number {
  return Math.min(columns, MOST_LANES) * LANE_PX;
}

function colorOf(lane: { color: number }): string {
  return `jp-mod-lane${lane.color % COLORS}`;
}
