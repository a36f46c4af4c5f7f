import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';

import type { Side } from '../components/conflict-list';
import { ConflictList } from '../components/conflict-list';

const trans = nullTranslator.load('jupyter_datalake');

function show(choices: Record<string, Side>, count?: number) {
  const onChoose = jest.fn();
  const onOpen = jest.fn();
  render(
    <ConflictList
      paths={['a', '<b>']}
      count={count}
      choices={new Map(Object.entries(choices))}
      sides={{ mine: 'Mine', theirs: 'Theirs' }}
      trans={trans}
      onChoose={onChoose}
      onOpen={onOpen}
    />
  );
  return { onChoose, onOpen };
}

const pressed = (group: string, side: string) =>
  within(screen.getByRole('group', { name: group }))
    .getByRole('button', { name: side })
    .getAttribute('aria-pressed');

describe('a list of conflicts', () => {
  it('says what is open, and chooses for one path or for all', () => {
    const { onChoose, onOpen } = show({ a: 'mine' }, 7);
    expect(screen.getByRole('status').textContent).toContain('7 paths');
    expect([pressed('a', 'Mine'), pressed('a', 'Theirs')]).toEqual(['true', 'false']);
    expect(pressed('For all', 'Mine')).toBe('false');
    const group = screen.getByRole('group', { name: '<b>' });
    fireEvent.click(within(group).getByRole('button', { name: 'Theirs' }));
    fireEvent.click(
      within(screen.getByRole('group', { name: 'For all' })).getByRole('button', { name: 'Mine' })
    );
    expect(onChoose.mock.calls).toEqual([
      [['<b>'], 'theirs'],
      [['a', '<b>'], 'mine']
    ]);
    fireEvent.click(screen.getByRole('button', { name: 'Open both versions of a' }));
    expect(onOpen).toHaveBeenCalledWith('a');
    expect(screen.getByText('These are the first 2.')).toBeTruthy();
  });

  it('shows both versions below a path, as long as somebody wants', () => {
    render(
      <ConflictList
        paths={['a', 'b']}
        choices={new Map()}
        sides={{ mine: 'Mine', theirs: 'Theirs' }}
        trans={trans}
        onChoose={jest.fn()}
        renderVersions={path => <p>both of {path}</p>}
      />
    );
    const toggle = screen.getByRole('button', { name: 'Compare both versions of b' });
    expect(toggle.getAttribute('aria-expanded')).toBe('false');
    fireEvent.click(toggle);
    expect(toggle.getAttribute('aria-expanded')).toBe('true');
    expect(screen.getByText('both of b')).toBeTruthy();
    expect(screen.queryByText('both of a')).toBeNull();
    fireEvent.click(toggle);
    expect(screen.queryByText('both of b')).toBeNull();
  });

  it('says when every path is decided', () => {
    show({ a: 'theirs', '<b>': 'theirs' });
    expect(screen.getByRole('status').textContent).toBe('Every conflict is decided.');
    expect(pressed('For all', 'Theirs')).toBe('true');
  });
});
