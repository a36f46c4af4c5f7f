import type { ILaneCommit, ILaneGraph } from '../history/lanes';
import { lanesOf, NO_LANES } from '../history/lanes';

function commits(...lines: string[]): ILaneCommit[] {
  return lines.map(line => {
    const [id = '', ...parents] = line.split(' ');
    return { id, parents };
  });
}

/** A graph as text: the commit's column, and the columns that lines come from, go to and pass. */
function drawn(graph: ILaneGraph): string[] {
  const columns = (lanes: readonly { column: number }[]) =>
    lanes.map(lane => lane.column).join(',');
  return graph.rows.map(
    row => `${row.column} ${columns(row.above)}>${columns(row.below)} |${columns(row.through)}`
  );
}

/** A long history in which lines part and merge all the time. */
function wild(size: number): ILaneCommit[] {
  return Array.from({ length: size }, (_, at) => {
    const parents = [at + 1, at + 2 + ((at * 7) % 11), at + 1 + ((at * 5) % 17)]
      .slice(0, 1 + (at % 3))
      .filter((parent, position, all) => parent < size && all.indexOf(parent) === position);
    return { id: String(at), parents: parents.map(String) };
  });
}

describe('the lanes of a history', () => {
  it('are one for a line, which ends at the first commit', () => {
    const graph = lanesOf(NO_LANES, commits('c b', 'b a', 'a'));
    expect(drawn(graph)).toEqual(['0 >0 |', '0 0>0 |', '0 0> |']);
    expect(graph.width).toBe(1);
    expect(graph.waiting).toEqual([]);
  });

  it('are two between a merge and where its sides parted', () => {
    const graph = lanesOf(NO_LANES, commits('m b x', 'x a', 'b a', 'a'));
    expect(drawn(graph)).toEqual(['0 >0,1 |', '1 1>1 |0', '0 0>0 |1', '0 0,1> |']);
    expect(graph.rows[0]?.color).not.toBe(graph.rows[1]?.color);
  });

  it('begin anew for a tip that nothing above leads to', () => {
    const graph = lanesOf(NO_LANES, commits('b a', 'x a', 'a'));
    expect(drawn(graph)).toEqual(['0 >0 |', '1 >1 |0', '0 0,1> |']);
  });

  it('take a column again that has become free', () => {
    const graph = lanesOf(NO_LANES, commits('m c x', 'x c', 'c n y', 'y n', 'n'));
    expect(graph.width).toBe(2);
  });

  it('are the same however the pages come in, and rows above stay as they are', () => {
    const history = wild(300);
    const whole = lanesOf(NO_LANES, history);
    let graph = NO_LANES;
    for (const end of [1, 2, 30, 31, 117, 300]) {
      const before = graph;
      graph = lanesOf(before, history.slice(0, end));
      before.rows.forEach((row, at) => expect(graph.rows[at]).toBe(row));
    }
    expect(graph).toEqual(whole);
  });

  it('join: what leaves a row at the bottom comes into the next at the top', () => {
    const { rows } = lanesOf(NO_LANES, wild(500));
    rows.forEach((row, at) => {
      const next = rows[at + 1];
      if (next) {
        const out = new Set([...row.below, ...row.through].map(lane => lane.column));
        const into = new Set([...next.above, ...next.through].map(lane => lane.column));
        expect(into).toEqual(out);
      }
      expect(row.through.map(lane => lane.column)).not.toContain(row.column);
    });
  });

  it('are laid out anew when a commit comes in on top', () => {
    const before = lanesOf(NO_LANES, commits('b a', 'a'));
    expect(lanesOf(before, commits('c b', 'b a', 'a')).rows).toHaveLength(3);
    expect(lanesOf(before, before.commits)).toBe(before);
  });
});
