import { fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';

import { DataGrid } from '../components/data-grid';

beforeAll(() => {
  // jsdom has no layout, and nothing that watches it.
  globalThis.ResizeObserver = class {
    observe = jest.fn();
    unobserve = jest.fn();
    disconnect = jest.fn();
  };
});

const columns = [{ name: 'id', type: 'int64', isNumber: true }, { name: 'html' }];

function grid(count: number, onRange = jest.fn()) {
  render(
    <DataGrid
      columns={columns}
      count={count}
      row={index => (index === 1 ? undefined : [String(index), index === 2 ? null : '<b>x</b>'])}
      onRange={onRange}
      label="t.csv"
    />
  );
  return screen.getByRole('grid', { name: 't.csv' });
}

describe('a grid', () => {
  it('draws and asks for what is in view alone, and tells how much there is', () => {
    const onRange = jest.fn();
    const node = grid(1_000_000, onRange);
    expect(node.getAttribute('aria-rowcount')).toBe('1000001');
    expect(screen.getAllByRole('row').length).toBeLessThan(40);
    const [first, last] = onRange.mock.calls[0] as [number, number];
    expect(first).toBe(0);
    expect(last).toBeLessThan(40);
  });

  it('shows values as text, what is not there yet, and NULL', () => {
    grid(5);
    const rows = screen.getAllByRole('row').map(row => row.textContent);
    expect(rows).toEqual([
      'idint64html',
      '10<b>x</b>',
      '2……',
      '32NULL',
      '43<b>x</b>',
      '54<b>x</b>'
    ]);
  });

  it('moves its cell with the keys', () => {
    const node = grid(1_000_000);
    const chosen = () => document.getElementById(node.getAttribute('aria-activedescendant') ?? '');
    fireEvent.keyDown(node, { key: 'ArrowDown' });
    fireEvent.keyDown(node, { key: 'ArrowDown' });
    fireEvent.keyDown(node, { key: 'ArrowRight' });
    fireEvent.keyDown(node, { key: 'ArrowRight' });
    expect(chosen()?.textContent).toBe('NULL');
    fireEvent.keyDown(node, { key: 'Home' });
    expect(chosen()?.textContent).toBe('2');
    fireEvent.keyDown(node, { key: 'End', ctrlKey: true });
    fireEvent.scroll(node, { target: { scrollTop: node.scrollTop } });
    expect(chosen()?.textContent).toBe('<b>x</b>');
    expect(chosen()?.closest('[role="row"]')?.getAttribute('aria-rowindex')).toBe('1000001');
  });
});
