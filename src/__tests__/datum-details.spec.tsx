import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';

import type * as api from '../api/types';
import { DatumDetails } from '../components/datum-details';

const trans = nullTranslator.load('jupyter_datalake');

const DATUM = {
  label: 'raw:/a.csv',
  inputs: [
    { name: 'raw', repo: 'raw', commit_id: 'c1', path: '/a.csv', size_bytes: 7 },
    { name: 'tick', repo: null, commit_id: null, path: '2026', size_bytes: 0 }
  ]
} as unknown as api.Datum;

it('a datum shows what it was given, what it opened of that, and what it made', () => {
  const onFile = jest.fn();
  const opened = [{ repo: 'big', commit_id: 'c2', path: 'x/y.bin', opens: 3 }];
  render(
    <DatumDetails
      datum={DATUM}
      opened={opened as unknown as api.Observation[]}
      output={{ repo: 'clean', commit: 'c3' }}
      trans={trans}
      onFile={onFile}
    />
  );
  const details = screen.getByRole('region', { name: 'Inputs and output of raw:/a.csv' });
  expect(details.textContent).toContain('7 B');
  expect(within(details).getByText('2026').tagName).toBe('CODE');
  const list = screen.getByRole('list', { name: 'Opened files' });
  expect(list.textContent).toBe('big/x/y.bin 3 times');
  for (const button of within(details).getAllByRole('button')) {
    fireEvent.click(button);
  }
  expect(onFile.mock.calls).toEqual([
    ['raw', 'c1', 'a.csv'],
    ['clean', 'c3', ''],
    ['big', 'c2', 'x/y.bin']
  ]);
});
