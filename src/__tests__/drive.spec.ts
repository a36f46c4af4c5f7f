import type { Contents } from '@jupyterlab/services';
import { ServerConnection } from '@jupyterlab/services';

import type { IByteClient, IRequest } from '../api/client';
import { LakeApiError } from '../api/client';
import type * as api from '../api/types';
import { LakeDrive, MAX_OPEN_BYTES } from '../models/drive';

const MTIME_NS = 1_767_225_600_123_000_000;

/** A server with a few files in memory, that says what it was asked. */
class FakeServer implements IByteClient {
  readonly files = new Map<string, Uint8Array>();
  readonly asked: string[] = [];
  changes: Partial<api.Change>[] = [];
  pageSize = 2;
  size: number | null = null;

  put(path: string, content: string | number[]): void {
    this.files.set(
      path,
      typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content)
    );
  }

  text(path: string): string {
    return new TextDecoder().decode(this.files.get(path));
  }

  async request<T>(request: IRequest): Promise<T> {
    const { method = 'GET', path, query = {}, body } = request;
    const what = `${method} ${path.join('/')}`;
    this.asked.push(what);
    const place = String(query.path ?? (body as { path?: string })?.path ?? '');
    switch (what) {
      case 'GET drive/files':
        return this._page(place, query) as T;
      case 'GET drive/file':
        return this._file(place) as T;
      case 'PUT drive/content':
        await this._write(place, request.data as BodyInit, query.offset as number | undefined);
        return this._file(place) as T;
      case 'POST drive/folders':
        this.files.set(`${place}/`, new Uint8Array());
        return this._file(place) as T;
      case 'POST drive/renames':
      case 'POST drive/copies': {
        const { new_path: target } = body as { new_path: string };
        if (this.files.has(target)) {
          throw new LakeApiError({ status: 409, kind: 'path-exists', message: 'It is there' });
        }
        this.files.set(target, this._bytes(place));
        if (what.endsWith('renames')) {
          this.files.delete(place);
        }
        return this._file(target) as T;
      }
      case 'DELETE drive/file':
        this.files.delete(place);
        return undefined as T;
      case 'GET sessions/s1/changes':
        return { results: this.changes, has_more: false } as T;
      case 'POST sessions/s1/discards':
        this.asked.push(JSON.stringify(body));
        return undefined as T;
      default:
        throw new Error(`The fake server knows no ${what}`);
    }
  }

  async read(request: IRequest): Promise<ArrayBuffer> {
    const bytes = this._bytes(String(request.query?.path));
    return bytes.slice().buffer as ArrayBuffer;
  }

  urlOf(request: IRequest): string {
    return `http://lake/${request.path.join('/')}?path=${request.query?.path}`;
  }

  private _bytes(path: string): Uint8Array {
    const bytes = this.files.get(path);
    if (!bytes) {
      throw new LakeApiError({ status: 404, kind: 'path-not-found', message: `No ${path}` });
    }
    return bytes;
  }

  private async _write(path: string, data: BodyInit, offset?: number): Promise<void> {
    const added =
      typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data as never);
    const before = offset === undefined ? [] : [...this._bytes(path)];
    const start = offset === undefined || offset < 0 ? before.length : offset;
    this.files.set(path, Uint8Array.from([...before.slice(0, start), ...added]));
  }

  private _page(folder: string, query: IRequest['query'] = {}): api.DriveFilePage {
    const front = folder ? `${folder}/` : '';
    const names = new Set<string>();
    for (const path of this.files.keys()) {
      if (path.startsWith(front) && path !== front) {
        names.add(path.slice(front.length).split('/')[0] ?? '');
      }
    }
    const behind = [...names].sort().filter(name => name > String(query.after ?? ''));
    const shown = behind.slice(0, Math.min(this.pageSize, Number(query.limit ?? Infinity)));
    return {
      results: shown.map(name => this._file(front + name)),
      next: behind.length > shown.length ? (shown.at(-1) ?? null) : null
    };
  }

  private _file(path: string): api.DriveFile {
    const bytes = this.files.get(path);
    const isFolder = path === '' || [...this.files.keys()].some(one => one.startsWith(`${path}/`));
    if (!bytes && !isFolder) {
      this._bytes(path);
    }
    return {
      path,
      name: path.split('/').at(-1) ?? '',
      kind: bytes ? 'file' : 'folder',
      size_bytes: this.size ?? bytes?.length ?? 0,
      mode: 0o644,
      mtime_ns: path ? MTIME_NS : 0,
      is_writable: !path.includes('@'),
      digest: null,
      target: null,
      repo: 'raw',
      ref: 'main',
      commit_id: 'c'.repeat(64),
      session_id: path.includes('@') ? null : 's1'
    };
  }
}

function setUp(options: { maxNames?: number } = {}): {
  server: FakeServer;
  drive: LakeDrive;
  changed: Contents.IChangedArgs[];
} {
  const server = new FakeServer();
  const serverSettings = ServerConnection.makeSettings();
  const drive = new LakeDrive({ client: server, serverSettings, ...options });
  const changed: Contents.IChangedArgs[] = [];
  drive.fileChanged.connect((_, args) => changed.push(args));
  return { server, drive, changed };
}

async function statusOf(action: Promise<unknown>): Promise<number> {
  const reason: unknown = await action.then(
    () => null,
    (one: unknown) => one
  );
  expect(reason).toBeInstanceOf(ServerConnection.ResponseError);
  return (reason as ServerConnection.ResponseError).response.status;
}

describe('reading from the drive', () => {
  it('lists all pages of a folder, without contents', async () => {
    const { server, drive } = setUp();
    for (const name of ['a.csv', 'b.ipynb', 'c/x', 'd', 'é']) {
      server.put(`raw/${name}`, name);
    }
    const folder = await drive.get('raw');
    expect([folder.type, folder.format]).toEqual(['directory', 'json']);
    const children = folder.content as Contents.IModel[];
    expect(children.map(({ name, type }) => [name, type])).toEqual([
      ['a.csv', 'file'],
      ['b.ipynb', 'notebook'],
      ['c', 'directory'],
      ['d', 'file'],
      ['é', 'file']
    ]);
    expect(children[0]).toMatchObject({ path: 'raw/a.csv', content: null, size: 5 });
    expect(children[0]?.last_modified).toBe('2026-01-01T00:00:00.123Z');
    expect((await drive.get('')).last_modified).toBe('');
  });

  it('tells of which folders it does not show all names', async () => {
    const { server, drive } = setUp({ maxNames: 3 });
    const cut: string[] = [];
    drive.listingCut.connect((_, path) => cut.push(path));
    for (const path of ['few/a', 'few/b', 'few/c', 'many/a', 'many/b', 'many/c', 'many/d']) {
      server.put(`raw/${path}`, path);
    }
    const namesIn = async (path: string): Promise<string[]> =>
      ((await drive.get(path)).content as Contents.IModel[]).map(({ name }) => name);
    expect(await namesIn('raw/few')).toEqual(['a', 'b', 'c']);
    expect(cut).toEqual([]);
    expect(await namesIn('raw/many')).toEqual(['a', 'b', 'c']);
    expect(cut).toEqual(['raw/many']);
  });

  it('gives text as text and other bytes as base64', async () => {
    const { server, drive } = setUp();
    server.put('raw/a.csv', 'é,1\n');
    server.put('raw/a.png', [0x89, 0x50, 0, 0xff]);
    expect(await drive.get('raw/a.csv')).toMatchObject({ format: 'text', content: 'é,1\n' });
    const image = await drive.get('raw/a.png');
    expect(image).toMatchObject({ format: 'base64', content: btoa('\x89P\0\xff') });
    const asked = await drive.get('raw/a.csv', { type: 'file', format: 'base64' });
    expect(atob(String(asked.content))).toBe('\xc3\xa9,1\n');
    expect(await statusOf(drive.get('raw/a.png', { type: 'file', format: 'text' }))).toBe(400);
  });

  it('turns large bytes into base64 without loss', async () => {
    const { server, drive } = setUp();
    const bytes = Array.from({ length: 100_001 }, (_, index) => (index * 7) % 256);
    server.put('raw/x', bytes);
    const { content } = await drive.get('raw/x', { format: 'base64' });
    expect([...atob(String(content))].map(one => one.charCodeAt(0))).toEqual(bytes);
  });

  it('parses notebooks, unless their text is wanted', async () => {
    const { server, drive } = setUp();
    server.put('raw/a.ipynb', '{"cells": []}');
    server.put('raw/bad.ipynb', 'no JSON');
    expect(await drive.get('raw/a.ipynb')).toMatchObject({
      type: 'notebook',
      content: { cells: [] }
    });
    const text = await drive.get('raw/a.ipynb', { type: 'file', format: 'text' });
    expect(text).toMatchObject({ type: 'file', content: '{"cells": []}' });
    expect(await statusOf(drive.get('raw/bad.ipynb'))).toBe(400);
  });

  it('says what cannot be had, in the way JupyterLab looks for', async () => {
    const { server, drive } = setUp();
    expect(await statusOf(drive.get('raw/nothing'))).toBe(404);
    server.put('raw/huge', 'x');
    server.size = MAX_OPEN_BYTES + 1;
    expect(await statusOf(drive.get('raw/huge'))).toBe(413);
    expect((await drive.get('raw/huge', { content: false })).size).toBe(MAX_OPEN_BYTES + 1);
    expect(await drive.getDownloadUrl('raw/huge')).toBe('http://lake/drive/content?path=raw/huge');
  });

  it('shows commits read-only', async () => {
    const { server, drive } = setUp();
    server.put('raw/a', 'x');
    server.put('raw@v1/a', 'x');
    expect((await drive.get('raw/a')).writable).toBe(true);
    expect((await drive.get('raw@v1/a')).writable).toBe(false);
  });
});

describe('writing to the drive', () => {
  it('saves text, bytes and notebooks as they are on a disk', async () => {
    const { server, drive, changed } = setUp();
    await drive.save('raw/a.txt', { type: 'file', format: 'text', content: 'é' });
    await drive.save('raw/a.bin', { type: 'file', format: 'base64', content: btoa('\0\xff') });
    await drive.save('raw/a.ipynb', { type: 'notebook', format: 'json', content: { cells: [] } });
    expect(server.text('raw/a.txt')).toBe('é');
    expect([...(server.files.get('raw/a.bin') ?? [])]).toEqual([0, 255]);
    expect(server.text('raw/a.ipynb')).toBe('{\n "cells": []\n}\n');
    expect(changed.map(({ type, newValue }) => [type, newValue?.path])).toEqual([
      ['save', 'raw/a.txt'],
      ['save', 'raw/a.bin'],
      ['save', 'raw/a.ipynb']
    ]);
  });

  it('puts the pieces of an upload together, over what was there', async () => {
    const { server, drive } = setUp();
    server.put('raw/big', 'what was there before, and longer');
    for (const [chunk, text] of [
      [1, 'one '],
      [2, 'two '],
      [-1, 'three']
    ] as const) {
      await drive.save('raw/big', { type: 'file', format: 'base64', content: btoa(text), chunk });
    }
    expect(server.text('raw/big')).toBe('one two three');
  });

  it('finds names for what is new', async () => {
    const { server, drive } = setUp();
    server.put('raw/untitled.txt', '');
    server.put('raw/untitled1.txt', '');
    const file = await drive.newUntitled({ path: 'raw', type: 'file', ext: 'txt' });
    const folder = await drive.newUntitled({ path: 'raw', type: 'directory' });
    const again = await drive.newUntitled({ path: 'raw', type: 'directory' });
    const notebook = await drive.newUntitled({ path: 'raw', type: 'notebook' });
    expect([file.path, folder.path, again.path, notebook.path]).toEqual([
      'raw/untitled2.txt',
      'raw/Untitled Folder',
      'raw/Untitled Folder 1',
      'raw/Untitled.ipynb'
    ]);
    expect((await drive.get('raw/Untitled.ipynb')).content).toMatchObject({ nbformat: 4 });
  });

  it('moves, and leaves the question what to replace to JupyterLab', async () => {
    const { server, drive, changed } = setUp();
    server.put('raw/a', 'a');
    server.put('raw/b', 'b');
    expect(await statusOf(drive.rename('raw/a', 'raw/b'))).toBe(409);
    expect(server.text('raw/b')).toBe('b');
    await drive.rename('raw/a', 'raw/c');
    await drive.delete('raw/b');
    expect([...server.files.keys()]).toEqual(['raw/c']);
    expect(changed.map(({ type, oldValue }) => [type, oldValue?.path])).toEqual([
      ['rename', 'raw/a'],
      ['delete', 'raw/b']
    ]);
  });

  it('copies beside the original under another name, and elsewhere under the same', async () => {
    const { server, drive } = setUp();
    server.put('raw/a.csv', 'a');
    server.put('raw/d/x', 'x');
    expect((await drive.copy('raw/a.csv', 'raw')).path).toBe('raw/a-Copy1.csv');
    expect((await drive.copy('raw/a-Copy1.csv', 'raw')).path).toBe('raw/a-Copy2.csv');
    expect((await drive.copy('raw/a.csv', 'raw/d')).path).toBe('raw/d/a.csv');
  });
});

describe('checkpoints of the drive', () => {
  it('are what the commit has, for files that differ from it', async () => {
    const { server, drive } = setUp();
    server.put('raw/d/a', 'a');
    expect(await drive.listCheckpoints('raw/d/a')).toEqual([]);
    server.changes = [{ path: 'd/a', kind: 'added' }];
    expect(await drive.listCheckpoints('raw/d/a')).toEqual([]);
    server.changes = [{ path: 'd/a', kind: 'modified' }];
    const [checkpoint] = await drive.listCheckpoints('raw/d/a');
    expect(checkpoint?.id).toBe('c'.repeat(64));
    expect((await drive.createCheckpoint('raw/d/a')).id).toBe(checkpoint?.id);
    await drive.restoreCheckpoint('raw/d/a');
    expect(server.asked.slice(-2)).toEqual(['POST sessions/s1/discards', '{"paths":["d/a"]}']);
    expect(await statusOf(drive.deleteCheckpoint())).toBe(400);
  });
});
