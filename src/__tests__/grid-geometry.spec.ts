import {
  columnsInView,
  edgesOf,
  ROW_PX,
  rowsInView,
  scrollHeight,
  scrollTo,
  widthsOf
} from '../components/grid-geometry';

describe('the rows of a grid', () => {
  it('are those in view where everything fits', () => {
    expect(rowsInView(0, 100, 3)).toEqual({ first: 0, last: 2, top: 0 });
    const view = rowsInView(10 * ROW_PX + 5, 4 * ROW_PX, 100);
    expect([view.first, view.last]).toEqual([10, 15]);
    expect(view.top).toBe(10 * ROW_PX);
  });

  it('reach the last of ten million by scaled scrolling', () => {
    const count = 10_000_000;
    const height = scrollHeight(count);
    expect(height).toBeLessThan(17_000_000);
    const end = rowsInView(height - 500, 500, count);
    expect(end.last).toBe(count - 1);
    const bottom = end.top + (count - end.first) * ROW_PX;
    expect(Math.abs(bottom - height)).toBeLessThan(1);
  });

  it.each([0, 1, 999_999, 5_000_000, 9_999_999])('come into view when they are chosen', row => {
    const count = 10_000_000;
    const top = scrollTo(row, 3_000_000, 500, count);
    const view = rowsInView(top, 500, count);
    expect(view.first).toBeLessThanOrEqual(row);
    expect(view.last).toBeGreaterThanOrEqual(row);
    expect(scrollTo(row, top, 500, count)).toBeCloseTo(top, 3);
  });

  it('are none of an empty table', () => {
    const view = rowsInView(0, 500, 0);
    expect(view.last).toBeLessThan(view.first);
  });
});

describe('the columns of a grid', () => {
  it('are those in view and their neighbours', () => {
    const edges = edgesOf(widthsOf(Array.from({ length: 1000 }, () => 10)));
    const width = edges[1] ?? 0;
    expect(columnsInView(edges, 0, 3 * width)).toEqual({ first: 0, last: 3 });
    expect(columnsInView(edges, 500 * width, 3 * width)).toEqual({ first: 499, last: 503 });
    expect(columnsInView(edges, 999 * width, 3 * width)).toEqual({ first: 998, last: 999 });
  });

  it('are neither too narrow nor too wide', () => {
    const [narrow, wide] = widthsOf([1, 10_000]);
    expect(narrow).toBeGreaterThan(50);
    expect(wide).toBeLessThan(400);
  });
});
