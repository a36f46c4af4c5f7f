import type { IClient, IRequest } from '../api/client';
import { LakeApiError } from '../api/client';
import type { IUpload } from '../models/uploading';
import { PART_BYTES, pathOf, runUpload, takenBy } from '../models/uploading';

/** A server that remembers what it was asked. */
class Server implements IClient {
  constructor(private readonly _refusing: (request: IRequest) => Error | null = () => null) {}

  readonly asked: string[] = [];

  request<T>({ method = 'GET', path, query, data }: IRequest): Promise<T> {
    const size = data instanceof Blob ? ` ${data.size} B` : '';
    const at = query?.offset === undefined ? '' : ` at ${query.offset}`;
    this.asked.push(`${method} ${path.join('/')} ${query?.path ?? ''}${at}${size}`.trim());
    const error = this._refusing({ method, path, query, data });
    return error ? Promise.reject(error) : Promise.resolve({ id: 'one' } as T);
  }
}

const file = (name: string, size: number): File => new File([new Uint8Array(size)], name);

const upload = (...files: File[]): IUpload => ({
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
  const files = [file('big.bin', 2 * PART_BYTES + 5), file('empty', 0)];
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
  expect(told).toEqual([PART_BYTES, 2 * PART_BYTES, total, total]);
});

it('of what is cancelled nothing stays', async () => {
  const server = new Server();
  const stopping = new AbortController();
  const running = runUpload(server, upload(file('a', 1)), stopping.signal, () => stopping.abort());
  await expect(running).rejects.toThrow();
  expect(server.asked.slice(-1)).toEqual(['DELETE sessions/one']);
  expect(server.asked.some(one => one.includes('commits'))).toBe(false);
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

it('what would be replaced is known before', async () => {
  const isNew = ({ query }: IRequest) => (String(query?.path).endsWith('new') ? missing : null);
  const files = [file('new', 1), file('old', 1)];
  expect(await takenBy(new Server(isNew), upload(...files))).toEqual(['in/2026/old']);
  const refused = new LakeApiError({ status: 403, kind: 'forbidden', message: 'No' });
  await expect(takenBy(new Server(() => refused), upload(...files))).rejects.toBe(refused);
  expect(pathOf({ folder: '' }, file('a', 0))).toBe('a');
});
