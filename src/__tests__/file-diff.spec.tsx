import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';

import type * as api from '../api/types';
import { linesOf, TextDiff } from '../components/file-diff';
import { TableDiff } from '../components/table-diff';

const trans = nullTranslator.load('jupyter_datalake');

const TABLE: api.TableDiff = {
  is_equal: false,
  key: ['id'],
  key_is_guessed: true,
  columns: [{ name: 'segment', kind: 'added', old: null, new: 'string' }],
  old_rows: 3,
  new_rows: 3,
  added: 1,
  removed: 1,
  changed: 1,
  changes_by_column: { plan: 1 },
  duplicate_keys: 0,
  rows: [
    { kind: 'changed', key: { id: '1' }, old: { plan: 'a' }, new: { plan: '<b>b</b>' }, count: 1 },
    { kind: 'removed', key: { id: '2' }, old: { plan: 'x', n: null }, new: null, count: 1 },
    { kind: 'added', key: { id: '3' }, old: null, new: { plan: 'y', n: '7' }, count: 1 }
  ],
  has_more: false
};

describe('two tables', () => {
  it('show rows by their key, with the cells that changed marked', () => {
    render(<TableDiff diff={TABLE} columns={['id', 'plan']} onKey={jest.fn()} trans={trans} />);
    const rows = screen.getAllByRole('row').slice(1);
    const cell = within(rows[0] as HTMLElement).getByText('<b>b</b>');
    expect(cell.tagName).toBe('INS');
    expect(cell.closest('td')?.className).toBe('jp-mod-changed');
    expect(rows.map(row => row.textContent)).toEqual([
      'changed1a <b>b</b>',
      'removed2xNULL',
      'added3y7'
    ]);
    expect(screen.getByRole('list', { name: 'Changed columns' }).textContent).toContain('is new');
  });

  it('can be compared by another key, by whole rows, or by the one that is guessed', () => {
    const onKey = jest.fn();
    render(<TableDiff diff={TABLE} columns={['id', 'a,"b"']} onKey={onKey} trans={trans} />);
    const picker = screen.getByRole('combobox', { name: /Key/ });
    for (const value of ['"a,""b"""', '', ' guess']) {
      fireEvent.change(picker, { target: { value } });
    }
    expect(onKey.mock.calls).toEqual([['"a,""b"""'], [''], [undefined]]);
  });
});

describe('two texts', () => {
  const hunk: api.Hunk = {
    old_start: 4,
    old_count: 3,
    new_start: 4,
    new_count: 4,
    lines: [' same', '-gone', '+came', '+more', ' end', '\\ No newline at end of file']
  };

  it('stand side by side, each with its line numbers', () => {
    expect(linesOf(hunk)).toEqual([
      { oldNumber: 4, old: 'same', newNumber: 4, new: 'same' },
      { oldNumber: 5, old: 'gone', newNumber: 5, new: 'came' },
      { oldNumber: null, old: null, newNumber: 6, new: 'more' },
      { oldNumber: 6, old: 'end', newNumber: 7, new: 'end' }
    ]);
  });

  it('say so where they are equal or no text', () => {
    const diff: api.TextDiff = {
      is_equal: true,
      is_binary: false,
      old_encoding: 'utf-8',
      new_encoding: 'utf-8',
      old_newline: 'lf',
      new_newline: 'lf',
      added: 0,
      removed: 0,
      hunks: [],
      has_more: false
    };
    const { rerender } = render(<TextDiff diff={diff} path="a.py" trans={trans} />);
    expect(screen.getByText('Nothing differs.')).toBeTruthy();
    rerender(
      <TextDiff diff={{ ...diff, is_equal: false, is_binary: true }} path="a.py" trans={trans} />
    );
    expect(screen.getByText(/not both text/)).toBeTruthy();
  });
});
