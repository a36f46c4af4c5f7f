import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';

import type * as api from '../api/types';
import { RepoList } from '../components/repo-list';

const trans = nullTranslator.load('jupyter_datalake');

const repo = {
  name: 'raw',
  kind: 'user',
  description: '',
  head: null
} as unknown as api.Repo;

function mount(name: string, standing: api.Standing | null): api.Mount {
  return {
    mountpoint: '/lake',
    name,
    repo: 'raw',
    ref: name === 'raw' ? 'main' : name.slice(4),
    session_id: null,
    created_at: '2026-01-01T00:00:00Z',
    created_by: 'ann',
    commit_id: null,
    standing,
    is_writable: false,
    path: `/lake/${name}`,
    contents_path: null
  };
}

function show(...mounts: api.Mount[]) {
  return showSelected(null, mounts);
}

function showSelected(selected: string | null, mounts: api.Mount[] = []) {
  const onSwitch = jest.fn();
  const nothing = jest.fn();
  render(
    <RepoList
      repos={[repo]}
      mountsOf={() => mounts}
      pointOf={() => undefined}
      isBusy={() => false}
      selected={selected}
      trans={trans}
      onOpen={nothing}
      onMount={nothing}
      onUnmount={nothing}
      onSwitch={onSwitch}
      onOpenMount={nothing}
      onHistory={nothing}
      onDrop={nothing}
    />
  );
  return onSwitch;
}

const COMMIT = 'c'.repeat(64);

describe('the repos', () => {
  beforeEach(() => {
    Element.prototype.scrollIntoView = jest.fn(); // jsdom has no layout
  });

  it('scroll to the one that is selected, which may have been made just now', () => {
    showSelected('raw');
    expect(Element.prototype.scrollIntoView).toHaveBeenCalledTimes(1);
  });

  it('say how far behind its branch each mount is', () => {
    show(
      mount('raw', { commit_id: COMMIT, branch: 'main', behind: 0 }),
      mount('raw@v1', { commit_id: COMMIT, branch: 'main', behind: 3 }),
      mount('raw@v0', { commit_id: COMMIT, branch: 'main', behind: 1000 })
    );
    expect(screen.getAllByText(/behind/).map(one => [one.textContent, one.title])).toEqual([
      ['3 behind', 'main has 3 commits that are not shown here'],
      ['1000+ behind', 'main has 1000 commits that are not shown here']
    ]);
  });

  it('name the commit that their folder shows', () => {
    show(mount('raw', { commit_id: COMMIT, branch: 'main', behind: 2 }));
    expect(screen.getByTitle(COMMIT).textContent).toBe('cccccccc');
  });

  it('say what is gone', () => {
    show(mount('raw', { commit_id: COMMIT, branch: 'dev', behind: null }), mount('raw@v1', null));
    expect(screen.getByText('no branch').title).toBe(
      'The branch dev, on which this was committed, is gone'
    );
    expect(screen.getByText('gone').title).toBe('What it shows is not in the lake any more');
  });

  it('switch what their folder shows', () => {
    const main = mount('raw', { commit_id: COMMIT, branch: 'main', behind: 0 });
    const onSwitch = show(main);
    fireEvent.click(screen.getByLabelText('Switch raw to another branch, tag or commit'));
    expect(onSwitch).toHaveBeenCalledWith(main);
  });
});
