import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';

import type * as api from '../api/types';
import { ChangeList } from '../components/change-list';
import { listRows, treeRows } from '../components/change-rows';
import { windowOf } from '../components/windowed';

const trans = nullTranslator.load('jupyter_datalake');

function change(path: string): api.Change {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const file = {
    path,
    name,
    kind: 'file' as const,
    size_bytes: 1,
    mode: 0o644,
    mtime_ns: 0,
    digest: null,
    file_count: 1,
    target: null
  };
  return { path, kind: 'added', old: null, new: file, similarity: null, size_change_bytes: 1 };
}

const CHANGES = ['a/b/c/one', 'a/b/c/two', 'a/three', 'z/deep/er/four', 'zero'].map(change);

function texts(closed: string[] = []) {
  return treeRows(CHANGES, new Set(closed)).map(row =>
    row.kind === 'folder'
      ? `${'  '.repeat(row.depth)}${row.name}/ ${row.count}`
      : `${'  '.repeat(row.depth)}${row.change.path}`
  );
}

describe('the lines of changes', () => {
  it('are one for each change of a list', () => {
    expect(listRows(CHANGES).map(row => row.depth)).toEqual([0, 0, 0, 0, 0]);
  });

  it('stand below their folders in a tree, and folders that are alone are one', () => {
    expect(texts()).toEqual([
      'a/ 3',
      '  b/c/ 2',
      '    a/b/c/one',
      '    a/b/c/two',
      '  a/three',
      'z/deep/er/ 1',
      '  z/deep/er/four',
      'zero'
    ]);
  });

  it('are left out where a folder is closed', () => {
    expect(texts(['a/b/c', 'z/deep/er'])).toEqual([
      'a/ 3',
      '  b/c/ 2',
      '  a/three',
      'z/deep/er/ 1',
      'zero'
    ]);
    expect(texts(['a'])[1]).toBe('z/deep/er/ 1');
  });

  it('come out of a folder deeper than the stack of a browser', () => {
    const deep = change(`${'d/'.repeat(20_000)}file`);
    expect(treeRows([deep, change('e')], new Set())).toHaveLength(3);
  });
});

describe('the window of a list', () => {
  it('is all of a short list', () => {
    expect(windowOf(199, 20, 1000, 100)).toEqual({ first: 0, end: 199, above_px: 0, below_px: 0 });
  });

  it('moves with what is scrolled away, and keeps the height of the whole', () => {
    for (const hidden_px of [-500, 0, 2000, 100_000, 1_000_000]) {
      const { first, end, above_px, below_px } = windowOf(10_000, 20, hidden_px, 400);
      expect(above_px + (end - first) * 20 + below_px).toBe(200_000);
      expect(end - first).toBeLessThanOrEqual(60);
      if (hidden_px >= 0 && hidden_px < 199_600) {
        expect(first * 20).toBeLessThanOrEqual(hidden_px);
        expect(end * 20).toBeGreaterThanOrEqual(hidden_px + 400);
      }
    }
  });
});

describe('the window of a list with rows that are higher', () => {
  const tall = [
    { index: 10, extra_px: 300 },
    { index: 500, extra_px: 1000 }
  ];

  it('keeps the height of the whole, and shows what is scrolled to', () => {
    for (const hidden_px of [0, 150, 400, 5000, 10_200, 10_900, 12_000, 200_000]) {
      const { first, end, above_px, below_px } = windowOf(10_000, 20, hidden_px, 400, tall);
      const inside = tall.filter(({ index }) => index >= first && index < end);
      const extra = inside.reduce((sum, row) => sum + row.extra_px, 0);
      expect(above_px + (end - first) * 20 + extra + below_px).toBe(201_300);
      expect(above_px).toBeLessThanOrEqual(hidden_px);
      expect(201_300 - below_px).toBeGreaterThanOrEqual(hidden_px + 400);
      expect(end - first).toBeLessThanOrEqual(62);
    }
  });

  it('draws a high row as long as a part of it is seen', () => {
    const { first, end } = windowOf(10_000, 20, 10_900, 100, tall);
    expect(first).toBeLessThanOrEqual(500);
    expect(end).toBeGreaterThan(500);
  });
});

describe('a list of changes', () => {
  it('draws a few of ten thousand, and tells a screen reader how many there are', () => {
    const many = Array.from({ length: 10_000 }, (_, number) => change(`file-${number}`));
    render(<ChangeList changes={many} hasMore={false} label="Changed" trans={trans} />);
    const items = within(screen.getByRole('list', { name: 'Changed' })).getAllByRole('listitem');
    expect(items.length).toBeLessThan(100);
    expect(items[0]?.getAttribute('aria-setsize')).toBe('10000');
  });

  it('folds a folder, and discards all below it', () => {
    const onDiscard = jest.fn();
    render(
      <ChangeList
        changes={CHANGES}
        hasMore={false}
        label="Changed"
        trans={trans}
        isTree
        onDiscard={onDiscard}
      />
    );
    const folder = screen.getByRole('button', { name: 'a' });
    expect(folder.getAttribute('aria-expanded')).toBe('true');
    fireEvent.click(folder);
    expect(screen.queryByText('three')).toBeNull();
    expect(screen.getByRole('button', { name: 'a' }).getAttribute('aria-expanded')).toBe('false');
    fireEvent.click(screen.getByRole('button', { name: 'Discard all changes below a' }));
    fireEvent.click(screen.getByRole('button', { name: 'Discard the change of zero' }));
    expect(onDiscard.mock.calls).toEqual([
      ['a', true],
      ['zero', false]
    ]);
  });
});
