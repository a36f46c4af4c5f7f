/**
 * The graph of commits, laid out row by row: which lane a commit is in, and which lines pass. Pure.
 *
 * A lane is a column in which a line waits for one commit. Rows that are laid out never change when
 * older commits come in below them.
 */

/** What the layout needs of a commit. */
export interface ILaneCommit {
  id: string;
  parents: readonly string[];
}

/** A line in a column. */
export interface ILane {
  column: number;
  /** Stays the same along a line; colours are counted up from 0. */
  color: number;
}

/** What one row of the graph shows. */
export interface ILaneRow {
  /** Where the commit stands. */
  column: number;
  color: number;
  /** Lines that come from above and end at the commit. */
  above: readonly ILane[];
  /** Lines that leave the commit for its parents below, the first parent first. */
  below: readonly ILane[];
  /** Lines that pass. */
  through: readonly ILane[];
}

/** A line that waits for a commit. */
interface IWaiting {
  id: string;
  color: number;
}

/** A graph as far as its commits are known. */
export interface ILaneGraph {
  commits: readonly ILaneCommit[];
  rows: readonly ILaneRow[];
  /** How many columns the rows take. */
  width: number;
  /** The lines that go on below the last row, by column. */
  waiting: readonly (IWaiting | null)[];
  /** How many colours are taken. */
  colors: number;
}

/** The graph of no commits. */
export const NO_LANES: ILaneGraph = { commits: [], rows: [], width: 0, waiting: [], colors: 0 };

/**
 * Return the graph of some commits.
 *
 * @param before - the graph as it was: where the commits begin as its own do, only the rest is
 * laid out.
 * @param commits - newest first, each before its parents.
 */
export function lanesOf(before: ILaneGraph, commits: readonly ILaneCommit[]): ILaneGraph {
  const known = before.commits.length;
  const goesOn =
    known <= commits.length && before.commits.every((commit, at) => commit.id === commits[at]?.id);
  if (!goesOn) {
    return lanesOf(NO_LANES, commits);
  }
  if (known === commits.length) {
    return before;
  }
  const rows = [...before.rows];
  const waiting = [...before.waiting];
  let { colors, width } = before;
  for (const commit of commits.slice(known)) {
    const above: ILane[] = [];
    const through: ILane[] = [];
    waiting.forEach((line, column) => {
      if (line?.id === commit.id) {
        above.push({ column, color: line.color });
        waiting[column] = null;
      } else if (line) {
        through.push({ column, color: line.color });
      }
    });
    const column = above[0]?.column ?? freeColumn(waiting);
    const color = above[0]?.color ?? colors++;
    const below = commit.parents.map((parent, position) => {
      // The line of first parents goes straight down, and meets others of its like at the parent.
      const there = position === 0 ? -1 : waiting.findIndex(line => line?.id === parent);
      if (there >= 0) {
        return { column: there, color: waiting[there]?.color ?? color };
      }
      const taken = position === 0 ? column : freeColumn(waiting, column);
      const line = { id: parent, color: position === 0 ? color : colors++ };
      while (waiting.length < taken) {
        waiting.push(null);
      }
      waiting[taken] = line;
      return { column: taken, color: line.color };
    });
    while (waiting.length > 0 && waiting.at(-1) === null) {
      waiting.pop();
    }
    rows.push({ column, color, above, below, through });
    width = Math.max(width, column + 1, ...below.map(lane => lane.column + 1));
  }
  return { commits: [...commits], rows, width, waiting, colors };
}

/** Return the first column in which nothing waits, and that is not the one of the commit. */
function freeColumn(waiting: readonly (IWaiting | null)[], taken = -1): number {
  for (let column = 0; ; column++) {
    if (!waiting[column] && column !== taken) {
      return column;
    }
  }
}
