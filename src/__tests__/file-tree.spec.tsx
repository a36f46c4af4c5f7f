import { nullTranslator } from '@jupyterlab/translation';
import { render, screen } from '@testing-library/react';
import * as React from 'react';

import type * as api from '../api/types';
import { FileTree } from '../components/file-tree';

const trans = nullTranslator.load('jupyter_datalake');

function entry(path: string, kind: api.File['kind']): api.File {
  return {
    path,
    kind,
    name: path.slice(path.lastIndexOf('/') + 1),
    size_bytes: 6,
    mode: 0o644,
    mtime_ns: 0,
    digest: null,
    file_count: 1,
    target: null
  };
}

function folder(...files: api.File[]) {
  return { files, next: null, isLoading: false, error: null };
}

describe('the files of a commit', () => {
  it('shows what is in a folder within a folder', () => {
    const folders = new Map([
      ['', folder(entry('deep', 'folder'))],
      ['deep', folder(entry('deep/er', 'folder'))],
      ['deep/er', folder(entry('deep/er/file.txt', 'file'))]
    ]);
    render(
      <FileTree
        folders={folders}
        trans={trans}
        onToggle={jest.fn()}
        onMore={jest.fn()}
        onOpen={jest.fn()}
      />
    );
    expect(screen.getAllByRole('button').map(one => one.textContent)).toEqual([
      'All files',
      'deep',
      'er',
      'file.txt6 B'
    ]);
    expect(screen.getByTitle('deep/er/file.txt').textContent).toContain('6 B');
  });

  it('says so when there are none, and why they cannot be shown', () => {
    const folders = new Map([['', folder()]]);
    const { rerender } = render(
      <FileTree
        folders={folders}
        trans={trans}
        onToggle={jest.fn()}
        onMore={jest.fn()}
        onOpen={jest.fn()}
      />
    );
    expect(screen.getByText('no files')).toBeTruthy();
    const error = new Error('There is no such commit');
    rerender(
      <FileTree
        folders={new Map([['', { ...folder(), error }]])}
        trans={trans}
        onToggle={jest.fn()}
        onMore={jest.fn()}
        onOpen={jest.fn()}
      />
    );
    expect(screen.getByRole('alert').textContent).toBe('There is no such commit');
  });
});
