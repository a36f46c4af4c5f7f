import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';

import type * as api from '../api/types';
import { LogSearch } from '../components/log-search';
import { LogView } from '../components/log-view';

const trans = nullTranslator.load('jupyter_datalake');

const line: api.LogLine = {
  job_id: '7'.repeat(32),
  job_number: 4,
  pipeline: 'counts',
  position: 2,
  label: 'raw:/b.csv',
  line: 3,
  text: '<img src=x onerror=alert(1)> is bad'
};

const nothing = { text: 'bad', lines: [], hasMore: false, isBusy: false, problem: '' };

function show(search: React.ComponentProps<typeof LogSearch>['search'] = null) {
  const does = { onSearch: jest.fn(), onSearchOn: jest.fn(), onLine: jest.fn() };
  render(<LogSearch search={search} trans={trans} {...does} />);
  return does;
}

beforeAll(() => {
  Element.prototype.scrollIntoView = jest.fn(); // jsdom has no layout
});

describe('the search of logs', () => {
  it('looks for what was typed, and for nothing when it is cleared', () => {
    const { onSearch } = show();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Search' }).disabled).toBe(true);
    const field = screen.getByRole('searchbox', { name: 'Search the logs of this job' });
    fireEvent.change(field, { target: { value: 'bad' } });
    fireEvent.submit(field);
    expect(onSearch).toHaveBeenLastCalledWith('bad');
    fireEvent.change(field, { target: { value: '' } });
    expect(onSearch).toHaveBeenLastCalledWith('');
  });

  it('leads from each line to its place, and shows it as text', () => {
    const { onLine, onSearchOn } = show({ ...nothing, lines: [line], hasMore: true });
    const list = screen.getByRole('list', { name: 'Lines that were found' });
    expect(list.querySelector('img')).toBeNull();
    const button = within(list).getByRole('button', { name: /^raw:\/b.csv, line 3/ });
    fireEvent.click(button);
    expect(onLine).toHaveBeenCalledWith(line);
    fireEvent.click(screen.getByRole('button', { name: 'Search on' }));
    expect(onSearchOn).toHaveBeenCalledTimes(1);
  });

  it('says that nothing was found, or why nothing could be', () => {
    show(nothing);
    expect(screen.getByRole('status').textContent).toBe('No line holds “bad”.');
  });

  it('says why it could not go on', () => {
    show({ ...nothing, problem: 'The lake is away' });
    expect(screen.getByRole('status').textContent).toBe('The lake is away');
  });
});

describe('a log', () => {
  const log = (line: number | null) => (
    <LogView text={'one\ntwo <b>\nthree'} label="Log" isLive={false} line={line} trans={trans} />
  );

  it('marks the line that was asked for and keeps all of its text', () => {
    const { container, rerender } = render(log(2));
    expect(container.querySelector('mark')?.textContent).toBe('two <b>');
    expect(screen.getByRole('log').textContent).toBe('one\ntwo <b>\nthree');
    rerender(log(3));
    expect(container.querySelector('mark')?.textContent).toBe('three');
    rerender(log(null));
    expect(container.querySelector('mark')).toBeNull();
  });

  it('marks nothing where there is no such line', () => {
    const { container } = render(log(9));
    expect(container.querySelector('mark')).toBeNull();
    expect(screen.getByRole('log').textContent).toBe('one\ntwo <b>\nthree');
  });
});
