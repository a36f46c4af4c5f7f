import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';

import type * as api from '../api/types';
import { CellList } from '../components/cell-list';
import { JobComparison } from '../components/job-comparison';
import type { JobGrouping } from '../components/job-list';
import { JobList } from '../components/job-list';
import { RunChart } from '../components/run-chart';

const trans = nullTranslator.load('jupyter_datalake');

function job(number: number, more: Partial<api.Job> = {}): api.Job {
  return {
    id: String(number).repeat(64),
    number,
    pipeline: number % 2 === 0 ? 'even' : 'odd',
    state: 'success',
    outcome: 'committed',
    global_id: number < 3 ? 'aaaaaaaa' : 'bbbbbbbb',
    trigger: { kind: 'commit', subject: 'raw@main', at_ns: 0, reprocess: false, priority: null },
    datum_total: 1,
    datum_counts: {},
    message: '',
    rows_written: null,
    created_at: '2026-01-01T00:00:00Z',
    started_at: `2026-01-01T00:0${number}:00Z`,
    finished_at: `2026-01-01T00:0${number}:${number}0Z`,
    ...more
  } as unknown as api.Job;
}

const JOBS = [job(4, { state: 'failed' }), job(3), job(2), job(1)];

describe('the chart of runs', () => {
  function show() {
    const onOpen = jest.fn();
    render(<RunChart jobs={JOBS} trans={trans} onOpen={onOpen} />);
    return { onOpen, bars: screen.getAllByRole('button') };
  }

  it('has a bar for each run, oldest first, as tall as it took long', () => {
    const { bars } = show();
    expect(bars.map(bar => bar.getAttribute('aria-label')?.slice(0, 8))).toEqual([
      'odd #1, ',
      'even #2,',
      'odd #3, ',
      'even #4,'
    ]);
    const heights = bars.map(bar =>
      Number(bar.querySelectorAll('rect')[1]?.getAttribute('height'))
    );
    expect(heights).toEqual([22.5, 45, 67.5, 90]);
    expect(bars[3]?.classList).toContain('jp-mod-bad');
    expect(bars[3]?.getAttribute('aria-label')).toMatch(/failed, 40 s/);
  });

  it('is one stop of the Tab key, and the arrow keys go from bar to bar', () => {
    const { bars, onOpen } = show();
    expect(bars.map(bar => bar.getAttribute('tabindex'))).toEqual(['-1', '-1', '-1', '0']);
    act(() => bars[3]?.focus());
    fireEvent.keyDown(bars[3] as Element, { key: 'ArrowLeft' });
    expect(document.activeElement).toBe(bars[2]);
    fireEvent.keyDown(bars[2] as Element, { key: 'Home' });
    expect(document.activeElement).toBe(bars[0]);
    fireEvent.keyDown(bars[0] as Element, { key: 'ArrowLeft' });
    expect(document.activeElement).toBe(bars[0]);
    fireEvent.keyDown(bars[0] as Element, { key: 'Enter' });
    expect(onOpen).toHaveBeenCalledWith(JOBS[3]);
    expect(bars.map(bar => bar.getAttribute('tabindex'))).toEqual(['0', '-1', '-1', '-1']);
  });

  it('leaves out what has not begun, and is nothing without runs', () => {
    const { container } = render(
      <RunChart jobs={[job(1, { started_at: null })]} trans={trans} onOpen={jest.fn()} />
    );
    expect(container.innerHTML).toBe('');
  });
});

describe('the list of runs', () => {
  it.each<[JobGrouping, string[]]>([
    ['change', ['Jobs of bbbbbbbb', 'Jobs of aaaaaaaa']],
    ['pipeline', ['Jobs of even', 'Jobs of odd']],
    ['none', ['Jobs']]
  ])('is grouped by %s', (grouping, labels) => {
    const nothing = jest.fn();
    render(
      <JobList
        jobs={JOBS}
        hasMore={false}
        grouping={grouping}
        trans={trans}
        isLive={() => false}
        onOpen={nothing}
        onCancel={nothing}
        onRerun={nothing}
        onLineage={nothing}
        onMore={nothing}
      />
    );
    expect(screen.getAllByRole('list').map(list => list.getAttribute('aria-label'))).toEqual(
      labels
    );
    expect(screen.getAllByRole('listitem')).toHaveLength(4);
  });
});

describe('the cells of a run', () => {
  const cell = (index: number | null, state: api.CellState): api.ExecutedCell => ({
    index,
    state,
    title: `<b>cell ${index}</b>`,
    seconds: state === 'done' ? 1.5 : null,
    error: state === 'failed' ? 'ValueError: <i>no</i>' : '',
    traceback: state === 'failed' ? 'Traceback\n<img src=x>' : ''
  });

  it('say how far it is', () => {
    render(<CellList cells={[cell(0, 'done'), cell(2, 'running')]} trans={trans} />);
    expect(screen.getByRole('status').textContent).toContain('1 of 2 cells done');
    expect(screen.getAllByRole('listitem')[1]?.textContent).toContain('3running<b>cell 2</b>');
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('count as their author does, without the one that sets the parameters', () => {
    render(<CellList cells={[cell(0, 'done'), cell(null, 'failed')]} trans={trans} />);
    expect(screen.getAllByRole('listitem')[1]?.textContent).toMatch(/^failed/);
    expect(screen.getByRole('alert').textContent).toContain('The cell of the parameters failed');
    expect(screen.getByLabelText('Traceback of the cell of the parameters')).toBeDefined();
  });

  it('show the traceback of the one that failed, as text', () => {
    const { container } = render(<CellList cells={[cell(1, 'failed')]} trans={trans} />);
    expect(screen.getByRole('alert').textContent).toContain('Cell 2 failed: ValueError: <i>no</i>');
    expect(screen.getByLabelText('Traceback of cell 2').textContent).toContain('<img src=x>');
    expect(container.querySelector('img, b, i')).toBeNull();
  });
});

describe('two runs beside each other', () => {
  const comparison = {
    old: JOBS[2],
    new: JOBS[0],
    values: [
      { aspect: 'parameters', name: 'size', old: 1000, new: null, is_equal: false },
      { aspect: 'inputs', name: 'raw', old: 'a'.repeat(64), new: 'a'.repeat(64), is_equal: true },
      { aspect: 'metrics', name: 'metrics.json: auc', old: 0.75, new: 0.7, is_equal: false },
      { aspect: 'metrics', name: 'metrics.json: n', old: null, new: 7, is_equal: false },
      { aspect: 'time', name: 'seconds', old: 20, new: 40, is_equal: false }
    ],
    code_changes: [],
    output_changes: [{ path: 'x.csv', kind: 'added' }],
    has_more: false
  } as unknown as api.JobComparison;

  it('show what differs, and others can be chosen', () => {
    const onChoose = jest.fn();
    render(
      <JobComparison
        comparison={comparison}
        choices={JOBS}
        trans={trans}
        onChoose={onChoose}
        onOpen={jest.fn()}
      />
    );
    const row = (name: string) =>
      within(screen.getByRole('rowheader', { name }).closest('tr') as HTMLElement)
        .getAllByRole('cell')
        .map(one => one.textContent);
    expect(row('size')).toEqual(['1,000', '–', 'differs']);
    expect(row('raw')).toEqual(['aaaaaaaa', 'aaaaaaaa', '']);
    expect(row('metrics.json: auc')).toEqual(['0.75', '0.7', '−0.05']);
    expect(row('metrics.json: n')).toEqual(['–', '7', 'differs']);
    expect(row('seconds')).toEqual(['20 s', '40 s', 'differs']);
    expect(screen.getByRole('list').textContent).toContain('x.csv added');
    fireEvent.change(screen.getByLabelText('Older run'), { target: { value: JOBS[3]?.id } });
    expect(onChoose).toHaveBeenCalledWith(JOBS[3]?.id, JOBS[0]?.id);
    fireEvent.click(screen.getByRole('checkbox', { name: 'Only what differs' }));
    expect(screen.queryByRole('rowheader', { name: 'raw' })).toBeNull();
  });
});
