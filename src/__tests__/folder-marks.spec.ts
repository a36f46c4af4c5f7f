import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IRequest } from '../api/client';
import type * as api from '../api/types';
import { FolderMarks } from '../models/folder-marks';
import { MountsModel } from '../models/mounts';
import type { ILake } from '../tokens';

const MOUNTS = [
  { name: 'raw', repo: 'raw', ref: 'main', session_id: 's1', contents_path: 'lake/raw' },
  { name: 'raw@dev', repo: 'raw', ref: 'dev', session_id: 's2', contents_path: 'lake/raw@dev' },
  { name: 'model', repo: 'model', ref: 'v1', session_id: null, contents_path: 'lake/model' },
  { name: 'clean', repo: 'clean', ref: 'main', session_id: 's3', contents_path: 'lake:clean' }
];

function child(name: string, more: Partial<api.ChangedChild> = {}): api.ChangedChild {
  return { name, kind: 'modified', count: 1, is_conflict: false, ...more };
}

/** A lake whose sessions have what is said, and that tells what it was asked. */
function madeLake(staged: Record<string, api.ChangedChild[]>) {
  const asked: string[] = [];
  const lake = {
    client: {
      request: <T>({ path, query = {} }: IRequest): Promise<T> => {
        if (path[0] === 'mounts') {
          return Promise.resolve({ results: MOUNTS, next: null } as T);
        }
        if (path[0] === 'sessions') {
          const what = `${path[1]}:${query.path ?? ''}`;
          asked.push(what);
          return Promise.resolve({ results: staged[what] ?? [], next: null } as T);
        }
        return Promise.resolve({ results: [], next: null } as T);
      }
    }
  } as unknown as ILake;
  const happened = new Signal<ILake, api.Event>(lake);
  Object.assign(lake, {
    happened,
    outdated: new Signal<ILake, void>(lake) as ISignal<ILake, void>
  });
  return { lake, asked, happened };
}

async function marksOf(staged: Record<string, api.ChangedChild[]>, shown: string[]) {
  const made = madeLake(staged);
  const mounts = new MountsModel(made.lake);
  await mounts.refresh();
  const marks = new FolderMarks({ lake: made.lake, mounts, shown: () => shown });
  await marks.refresh();
  return { ...made, marks };
}

it('asks for the folders that are shown, and for no others', async () => {
  const staged = { 's1:data': [child('a.csv', { kind: 'added' })], 's1:': [child('data')] };
  const { marks, asked } = await marksOf(staged, ['lake/raw/data', 'elsewhere', 'lake/model']);
  expect(asked).toEqual(['s1:data']);
  expect(marks.markOf('lake/raw/data/a.csv')?.kind).toBe('added');
  expect(marks.markOf('lake/raw/data/b.csv')).toBeNull();
  expect(marks.markOf('lake/raw/data')).toBeNull();
});

it('marks the repos in the folder of the mount point by what is staged in them', async () => {
  const staged = { 's1:': [child('data', { count: 3 }), child('x', { is_conflict: true })] };
  const { marks } = await marksOf(staged, ['lake', 'lake:']);
  expect(marks.markOf('lake/raw')).toEqual(child('raw', { count: 4, is_conflict: true }));
  expect(marks.markOf('lake/raw@dev')).toBeNull();
  expect(marks.markOf('lake:clean')).toBeNull();
});

it('marks what is in the drive', async () => {
  const staged = { 's3:': [child('a.csv')], 's3:deep': [child('b.csv')] };
  const { marks } = await marksOf(staged, ['lake:', 'lake:clean', 'lake:clean/deep']);
  expect(marks.markOf('lake:clean')?.count).toBe(1);
  expect(marks.markOf('lake:clean/a.csv')?.kind).toBe('modified');
  expect(marks.markOf('lake:clean/deep/b.csv')?.kind).toBe('modified');
});

it('knows the mount with the longest folder', async () => {
  const { marks } = await marksOf({}, []);
  expect(marks.placeOf('lake/raw@dev/x/y.csv')).toMatchObject({
    mount: { ref: 'dev' },
    path: 'x/y.csv'
  });
  expect(marks.placeOf('lake/raw')).toMatchObject({ mount: { ref: 'main' }, path: '' });
  expect(marks.placeOf('lake/rawer/x')).toBeNull();
});

it('looks again when the lake says that something was staged', async () => {
  const staged: Record<string, api.ChangedChild[]> = {};
  const { marks, happened } = await marksOf(staged, ['lake/raw']);
  const looking = marks.watch();
  staged['s1:'] = [child('new.csv')];
  const seen = new Promise<void>(resolve =>
    marks.stateChanged.connect(() => {
      if (marks.markOf('lake/raw/new.csv')) {
        resolve();
      }
    })
  );
  happened.emit({ kind: 'session.changed', subject: 'raw' } as api.Event);
  await seen;
  looking.dispose();
  marks.dispose();
});
