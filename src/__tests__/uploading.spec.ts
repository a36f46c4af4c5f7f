import type { IClient, IRequest } from '../api/client';
import { LakeApiError } from '../api/client';
import type { IChosenFile, IUpload } from '../models/uploading';
import {
  PART_BYTES,
  SMALL_BYTES,
  ShrunkError,
  UnreadableError,
  pathOf,
  runUpload,
  takenBy
} from '../models/uploading';

/** A server that remembers what it was asked. */
class Server implements IClient {
  constructor(
    private readonly _refusing: (request: IRequest) => Error | null = () => null,
    private readonly _answer: object = { id: 'one' }
  ) {}

  readonly asked: string[] = [];
  /** Paths at which it has a folder. */
  readonly folders: string[] = [];

  request<T>({ method = 'GET', path, query, data }: IRequest): Promise<T> {
    const size = data instanceof ArrayBuffer ? ` ${data.byteLength} B` : '';
    const at = query?.offset === undefined ? '' : ` at ${query.offset}`;
    this.asked.push(`${method} ${path.join('/')} ${query?.path ?? ''}${at}${size}`.trim());
    const error = this._refusing({ method, path, query, data });
    return error
      ? Promise.reject(error)
      : Promise.resolve(
          (this.folders.includes(String(query?.path)) ? { kind: 'folder' } : this._answer) as T
        );
  }
}

/** Return what a bundle lists, as text: jsdom's blobs cannot be read otherwise. */
async function indexOf(bundle: Blob): Promise<string> {
  const text = await new Promise<string>(resolve => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.readAsText(bundle);
  });
  return text.split('\n')[0] ?? '';
}

const file = (path: string, size: number): IChosenFile => ({
  path,
  file: readable(new File([new Uint8Array(size)], path))
});

/** Give a file of jsdom the way to read it that those of browsers have. */
function readable(one: File): File {
  const read = (begin = 0, end = one.size): Promise<ArrayBuffer> =>
    Promise.resolve(new ArrayBuffer(Math.min(end, one.size) - begin));
  return Object.assign(one, {
    slice: (begin?: number, end?: number) => ({ arrayBuffer: () => read(begin, end) })
  });
}

/** A file that is gone from the disk, or cannot be read any more behind a byte. */
function unreadable(path: string, size: number, from: number): IChosenFile {
  const chosen = file(path, size);
  const { file: one } = chosen;
  const slice = one.slice.bind(one);
  one.slice = (begin = 0, end) =>
    begin >= from
      ? ({ arrayBuffer: () => Promise.reject(new Error('It is gone')) } as unknown as Blob)
      : slice(begin, end);
  return chosen;
}

const upload = (...files: IChosenFile[]): IUpload => ({
  repo: 'raw',
  branch: 'dev',
  folder: '/in/2026/',
  message: 'New',
  files
});

const missing = new LakeApiError({ status: 404, kind: 'path-not-found', message: 'No' });

it('large files are sent in parts, and one commit has them all', async () => {
  const server = new Server();
  const told: number[] = [];
  const files = [file('big.bin', 2 * PART_BYTES + 5), file('empty', 0)]; // which go alone
  await runUpload(server, upload(...files), new AbortController().signal, done => told.push(done));
  expect(server.asked).toEqual([
    'POST sessions',
    `PUT sessions/one/content in/2026/big.bin ${PART_BYTES} B`,
    `PUT sessions/one/content in/2026/big.bin at ${PART_BYTES} ${PART_BYTES} B`,
    `PUT sessions/one/content in/2026/big.bin at ${2 * PART_BYTES} 5 B`,
    'PUT sessions/one/content in/2026/empty 0 B',
    'POST sessions/one/commits',
    'DELETE sessions/one'
  ]);
  const total = 2 * PART_BYTES + 5;
  expect([...new Set(told)]).toEqual([PART_BYTES, 2 * PART_BYTES, total]);
});

it('small files and empty folders go together, and one that is refused is left out', async () => {
  const bundles: Blob[] = [];
  const refused = { path: 'in/2026/f1', kind: 'invalid-path', message: 'Too long' };
  const server = new Server(({ path, data }) => {
    if (path.includes('contents')) {
      bundles.push(data as Blob);
    }
    return null;
  });
  const request = server.request.bind(server);
  const client: IClient = {
    request: async <T>(one: IRequest) => {
      const answer = await request<T>(one);
      const isFirst = one.path.includes('contents') && bundles.length === 1;
      return one.path.includes('contents')
        ? ({ results: isFirst ? [refused] : [], next: null } as T)
        : answer;
    }
  };
  const many = Array.from({ length: 300 }, (_, at) => file(`f${at}`, 2));
  const large = file('large', SMALL_BYTES + 1);
  const wanted = { ...upload(...many, large, unreadable('gone', 1, 0)), folders: ['none'] };
  const told: number[] = [];
  const signal = new AbortController().signal;
  const done = await runUpload(client, wanted, signal, sent => told.push(sent));
  expect(server.asked).toEqual([
    'POST sessions',
    'PUT sessions/one/contents',
    `PUT sessions/one/content in/2026/large ${SMALL_BYTES + 1} B`,
    'PUT sessions/one/contents',
    'POST sessions/one/commits',
    'DELETE sessions/one'
  ]);
  const [first, second] = await Promise.all(bundles.map(indexOf));
  const listed = JSON.parse(first ?? '') as { path: string; size: number | null }[];
  expect(listed.slice(0, 2)).toEqual([
    { path: 'in/2026/none', size: null },
    { path: 'in/2026/f0', size: 2 }
  ]);
  expect(listed).toHaveLength(250);
  expect(JSON.parse(second ?? '')).toHaveLength(51);
  expect(done.count).toBe(301);
  expect(done.leftOut.map(({ path }) => path)).toEqual(['in/2026/f1', 'in/2026/gone']);
  expect(told[told.length - 1]).toBe(600 + SMALL_BYTES + 1 + 1);
});

it('of what is cancelled nothing stays', async () => {
  const server = new Server();
  const stopping = new AbortController();
  const running = runUpload(server, upload(file('a', 1)), stopping.signal, () => stopping.abort());
  await expect(running).rejects.toThrow();
  expect(server.asked.slice(-1)).toEqual(['DELETE sessions/one']);
  expect(server.asked.some(one => one.includes('commits'))).toBe(false);
});

it('a session that the server makes while the upload is cancelled does not stay', async () => {
  const server = new Server();
  const stopping = new AbortController();
  const running = runUpload(server, upload(file('a', 1)), stopping.signal, jest.fn());
  stopping.abort();
  await expect(running).rejects.toThrow('cancelled');
  expect(server.asked).toEqual(['POST sessions', 'DELETE sessions/one']);
});

it('a session whose commit is refused stays, to be decided on', async () => {
  const conflict = new LakeApiError({ status: 409, kind: 'conflict', message: 'Changed too' });
  const server = new Server(({ path }) => (path.includes('commits') ? conflict : null));
  const running = runUpload(server, upload(file('a', 1)), new AbortController().signal, jest.fn());
  await expect(running).rejects.toBe(conflict);
  expect(server.asked.some(one => one.startsWith('DELETE'))).toBe(false);
});

it('a session that somebody looks at is waited for', async () => {
  const busy = new LakeApiError({ status: 409, kind: 'session-busy', message: 'Open' });
  let looks = 2;
  const server = new Server(({ method }) => (method === 'PUT' && looks-- > 0 ? busy : null));
  await runUpload(server, upload(file('a', 1)), new AbortController().signal, jest.fn());
  expect(server.asked.filter(one => one.startsWith('PUT'))).toHaveLength(3);
});

it('without a message, files stay staged', async () => {
  const server = new Server();
  const wanted = { ...upload(file('a', 1)), message: '' };
  const done = await runUpload(server, wanted, new AbortController().signal, jest.fn());
  expect(done).toEqual({ session: { id: 'one' }, commit: null, count: 1, leftOut: [] });
  expect(server.asked).toEqual(['POST sessions', 'PUT sessions/one/content in/2026/a 1 B']);
});

it('what cannot be read or is refused is left out by name, and the others are taken', async () => {
  const invalid = new LakeApiError({ status: 400, kind: 'invalid-path', message: 'Too long' });
  const server = new Server(({ query }) =>
    String(query?.path).endsWith('refused') ? invalid : null
  );
  const size = PART_BYTES + 1;
  const files = [
    file('refused', SMALL_BYTES + 1),
    unreadable('gone', size, PART_BYTES),
    file('good', 1)
  ];
  const told: number[] = [];
  const signal = new AbortController().signal;
  const done = await runUpload(server, upload(...files), signal, sent => told.push(sent));
  expect(done.count).toBe(1);
  expect(done.leftOut).toEqual([
    { path: 'in/2026/refused', reason: invalid },
    { path: 'in/2026/gone', reason: new UnreadableError('It is gone') }
  ]);
  // Of the file that broke off nothing is committed.
  expect(server.asked).toContain('POST sessions/one/discards');
  expect(server.asked).toContain('POST sessions/one/commits');
  expect(told[told.length - 1]).toBe(size + SMALL_BYTES + 2);
});

it('tells a file that lost its end from one that cannot be read', async () => {
  const shrunk = file('shrunk', 5);
  Object.assign(shrunk.file, {
    slice: () => ({ arrayBuffer: () => Promise.resolve(new ArrayBuffer(2)) })
  });
  const signal = new AbortController().signal;
  const server = new Server(undefined, { id: 'one', results: [] });
  const done = await runUpload(server, upload(shrunk, file('good', 1)), signal, jest.fn());
  expect(done.count).toBe(1);
  expect(done.leftOut).toEqual([{ path: 'in/2026/shrunk', reason: new ShrunkError(5) }]);
});

it('where nothing is left to take there is no commit', async () => {
  const server = new Server();
  const done = await runUpload(
    server,
    upload(unreadable('gone', 1, 0)),
    new AbortController().signal,
    jest.fn()
  );
  expect(done.commit).toBeNull();
  expect(server.asked).toEqual(['POST sessions', 'DELETE sessions/one']);
});

it('a lost connection ends the upload, and is no fault of a file', async () => {
  const lost = new LakeApiError({ status: 0, kind: 'unreachable', message: 'Gone' });
  const server = new Server(({ method }) => (method === 'PUT' ? lost : null));
  const running = runUpload(server, upload(file('a', 1)), new AbortController().signal, jest.fn());
  await expect(running).rejects.toBe(lost);
});

it('what would be replaced is known before', async () => {
  const isNew = ({ query }: IRequest) => (String(query?.path).endsWith('new') ? missing : null);
  const files = [file('new', 1), file('old', 1), file('new/below', 1)];
  const server = new Server(isNew, { kind: 'file' });
  server.folders.push('in', 'in/2026');
  expect(await takenBy(server, upload(...files))).toEqual(['in/2026/old']);
  expect(server.asked.some(one => one.endsWith('below'))).toBe(false); // its folder is not there
  const refused = new LakeApiError({ status: 403, kind: 'forbidden', message: 'No' });
  await expect(takenBy(new Server(() => refused), upload(...files))).rejects.toBe(refused);
  expect(pathOf({ folder: '' }, file('a', 0))).toBe('a');
});

it('of many files in one folder the folder is listed, page by page', async () => {
  const files = Array.from({ length: 20 }, (_, at) => file(`f${at}`, 1));
  const pages = [
    { results: [{ path: 'f1', kind: 'file' }], next: 'f1' },
    {
      results: [
        { path: 'f2', kind: 'folder' },
        { path: 'f3', kind: 'symlink' }
      ],
      next: null
    }
  ];
  const client: IClient = { request: <T>() => Promise.resolve(pages.shift() as T) };
  expect(await takenBy(client, { ...upload(...files), folder: '' })).toEqual(['f1', 'f3']);
  expect(pages).toEqual([]);
});
