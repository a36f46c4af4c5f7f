import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';

import type * as api from '../api/types';
import { DraftNote } from '../components/draft-note';

const trans = nullTranslator.load('jupyter_datalake');

const draft: api.SessionDraft = {
  session_id: '5'.repeat(32),
  repo: 'raw',
  branch: 'main',
  base_commit_id: 'c'.repeat(64),
  changes: 3,
  owner: 'ann',
  saved_at: '2026-01-01T00:00:00Z',
  has_session: false
};

describe('a draft of a session that is gone', () => {
  it('says what it holds and is recovered by a click', () => {
    const onRecover = jest.fn();
    render(
      <DraftNote draft={draft} error={null} isBusy={false} trans={trans} onRecover={onRecover} />
    );
    expect(screen.getByText(/raw@main had 3 changes that were not committed/)).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Recover' }));
    expect(onRecover).toHaveBeenCalledTimes(1);
  });

  it('is not recovered twice', () => {
    render(
      <DraftNote draft={draft} error={null} isBusy={true} trans={trans} onRecover={jest.fn()} />
    );
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Recover' }).disabled).toBe(true);
  });

  it('says why it could not be recovered', () => {
    const error = { message: 'The branch main is gone' } as unknown as api.Error;
    render(
      <DraftNote draft={draft} error={error} isBusy={false} trans={trans} onRecover={jest.fn()} />
    );
    expect(screen.getByRole('alert').textContent).toContain('The branch main is gone');
  });
});
