import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';

import type * as api from '../api/types';
import type { ITrialViewProps } from '../components/trial-view';
import { TrialView } from '../components/trial-view';

const trans = nullTranslator.load('jupyter_datalake');

function tried(position: number, change: Partial<api.TriedDatum> = {}): api.TriedDatum {
  return {
    position,
    label: `raw:/${position}`,
    state: 'success',
    tries: 1,
    started_at: '2026-01-01T00:00:00Z',
    finished_at: '2026-01-01T00:00:02Z',
    message: '',
    artifacts_root: 'ab',
    output: {
      base_root: 'a',
      made_root: 'b',
      counts: { added: 1, modified: 0, removed: 2, same: 0 }
    },
    ...change
  };
}

function show(change: Partial<api.Trial> = {}, more: Partial<ITrialViewProps> = {}) {
  const trial: api.Trial = {
    id: 't',
    pipeline: 'clean',
    state: 'success',
    message: '',
    notes: [],
    created_at: '2026-01-01T00:00:00Z',
    created_by: 'ada',
    finished_at: '2026-01-01T00:00:03Z',
    base_commit_id: 'c',
    is_whole: false,
    steps: [],
    datums: [tried(0), tried(1)],
    output: tried(0).output,
    unexpected: [],
    ...change
  };
  const acts = { onChoose: jest.fn(), onCancel: jest.fn(), onChange: jest.fn() };
  render(
    <TrialView
      trial={trial}
      choice={null}
      chosen={undefined}
      log={null}
      cells={[]}
      changes={[]}
      hasMore={false}
      trans={trans}
      onMore={jest.fn()}
      onNotebook={jest.fn()}
      {...acts}
      {...more}
    />
  );
  return acts;
}

describe('a trial', () => {
  it('shows each datum with what differs, and all of them together', () => {
    const { onChoose } = show();
    expect(screen.getByRole('status').textContent).toContain('2 datums were tried');
    const row = screen.getByRole('row', { name: /raw:\/1/ });
    expect(row.textContent).toContain('1 added');
    expect(row.textContent).toContain('2 removed');
    expect(row.textContent).not.toContain('the same');
    fireEvent.click(screen.getByRole('button', { name: 'All together' }));
    expect(onChoose).toHaveBeenCalledWith(null);
  });

  it('can be stopped while it runs, and not later', () => {
    const { onCancel } = show({
      state: 'running',
      output: null,
      datums: [tried(0), tried(1, { state: 'running', finished_at: null, output: null })]
    });
    expect(screen.getByRole('status').textContent).toContain('1 of 2 datums done');
    fireEvent.click(screen.getByRole('button', { name: 'Stop the trial' }));
    expect(onCancel).toHaveBeenCalled();
  });

  it('tells how expectations judge, and why it failed', () => {
    show({ state: 'failed', message: 'it is not as expected', unexpected: ['/a: no rows'] });
    expect(screen.getByRole('alert').textContent).toBe('it is not as expected');
    expect(screen.getByText('Expectation: /a: no rows')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Stop the trial' })).toBeNull();
  });

  it('tells once what a datum failed for', () => {
    const chosen = tried(1, { state: 'failed', message: 'no such column', output: null });
    const about = { choice: 1, chosen };
    show({ state: 'failed', datums: [chosen], message: 'no such column' }, about);
    expect(screen.getAllByText('no such column')).toHaveLength(1);
  });
});
