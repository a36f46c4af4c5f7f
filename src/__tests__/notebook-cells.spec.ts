import { cellsOf, diffCells, diffLines } from '../components/notebook-cells';

function notebook(...cells: [string, string, string?, string?][]) {
  return {
    cells: cells.map(([id, source, type = 'code', output = '']) => ({
      id,
      cell_type: type,
      source: source.split(/(?<=\n)/),
      outputs: output ? [{ output_type: 'stream', text: output, execution_count: 7 }] : []
    }))
  };
}

function changes(old: unknown, now: unknown) {
  return diffCells(cellsOf(old), cellsOf(now)).map(({ kind, old: before, new: after }) => [
    kind,
    before?.source ?? null,
    after?.source ?? null
  ]);
}

describe('two notebooks', () => {
  it('are compared cell by cell, by id where the source changed', () => {
    const old = notebook(['a', 'import x'], ['b', 'y = 1'], ['c', 'print(y)']);
    const now = notebook(['a', 'import x'], ['n', 'z = 0'], ['b', 'y = 2'], ['c', 'print(y)']);
    expect(changes(old, now)).toEqual([
      ['same', 'import x', 'import x'],
      ['added', null, 'z = 0'],
      ['changed', 'y = 1', 'y = 2'],
      ['same', 'print(y)', 'print(y)']
    ]);
  });

  it('tell what was removed, and other outputs of the same source', () => {
    const old = notebook(['a', 'x', 'code', '1'], ['b', '# title', 'markdown']);
    expect(changes(old, notebook(['a', 'x', 'code', '2']))).toEqual([
      ['outputs', 'x', 'x'],
      ['removed', '# title', null]
    ]);
    expect(changes(old, old).map(([kind]) => kind)).toEqual(['same', 'same']);
  });

  it('may be anything', () => {
    expect(cellsOf(null)).toEqual([]);
    expect(cellsOf({ cells: 'x' })).toEqual([]);
    expect(cellsOf({ cells: [null, { source: 1 }] }).map(cell => cell.source)).toEqual(['', '']);
    expect(changes(null, notebook(['a', 'x']))).toEqual([['added', null, 'x']]);
  });
});

describe('the lines of two cells', () => {
  it('stand side by side', () => {
    expect(diffLines('a\nb\nc', 'a\nB\nc\nd')).toEqual([
      { old: 'a', new: 'a' },
      { old: 'b', new: 'B' },
      { old: 'c', new: 'c' },
      { old: null, new: 'd' }
    ]);
  });

  it('are compared in bounded time, however many there are', () => {
    const text = Array.from({ length: 5000 }, (_, n) => `line ${n}`).join('\n');
    expect(diffLines(text, `new\n${text}`)).toHaveLength(5001);
  });
});
