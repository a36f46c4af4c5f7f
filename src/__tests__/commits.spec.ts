import type { IRequest } from '../api/client';
import { LakeApiError } from '../api/client';
import type * as api from '../api/types';
import { CommitsModel } from '../models/commits';
import { LakeSelection } from '../models/selection';
import type { ILake } from '../tokens';

/** A history of so many commits, which is looked at 500 at a time, as by a server. */
class Server {
  constructor(public size: number) {}

  readonly asked: IRequest[] = [];
  /** How many answers there may be; then requests wait until they are given up. */
  answers = Infinity;

  request<T>(request: IRequest): Promise<T> {
    this.asked.push(request);
    return new Promise((resolve, reject) => {
      const refuse = () =>
        reject(new LakeApiError({ status: 0, kind: 'unreachable', message: 'aborted' }));
      if (request.signal?.aborted) {
        refuse();
      } else if (this.answers-- > 0) {
        resolve(this._page(request) as T);
      } else {
        request.signal?.addEventListener('abort', refuse);
      }
    });
  }

  private _page({ query = {} }: IRequest): api.CommitLogPage {
    const { after, limit, text } = query;
    const all = Array.from({ length: this.size }, (_, at) => this.size - 1 - at);
    const from = after === undefined ? 0 : all.indexOf(Number(after)) + 1;
    const results: api.Commit[] = [];
    let looked = 0;
    let last: number | undefined;
    for (const number of all.slice(from)) {
      if (looked === 500 || results.length === Number(limit)) {
        return { results, next: String(last), looked };
      }
      looked++;
      last = number;
      if (text === undefined || `commit ${number}`.endsWith(String(text))) {
        results.push({ id: String(number), repo: 'raw', parents: [] } as unknown as api.Commit);
      }
    }
    return { results, next: null, looked };
  }
}

function made(size: number) {
  const server = new Server(size);
  const signal = { connect: () => true, disconnect: () => true };
  const lake = {
    client: server,
    happened: signal,
    outdated: signal
  } as unknown as ILake;
  const selection = new LakeSelection();
  const model = new CommitsModel({ lake, selection });
  selection.select('raw');
  return { server, selection, model };
}

const ids = (model: CommitsModel) => model.commits.map(({ id }) => Number(id));

describe('the commits of a history', () => {
  it('come page by page, each asked for once', async () => {
    const { server, model } = made(200);
    await model.refresh();
    expect(ids(model)).toEqual(Array.from({ length: 60 }, (_, at) => 199 - at));
    await model.loadMore();
    expect(ids(model)).toHaveLength(120);
    expect(server.asked.map(({ query }) => query?.after)).toEqual([undefined, '140']);
  });

  it('stay loaded when new ones come in on a line', async () => {
    const { server, model } = made(200);
    model.allParents = false;
    await model.refresh();
    await model.loadMore();
    server.size = 203;
    const before = server.asked.length;
    await model.refresh();
    expect(ids(model)).toEqual(Array.from({ length: 123 }, (_, at) => 202 - at));
    expect(server.asked).toHaveLength(before + 1);
  });

  it('are those behind an older head once a branch was reset to it', async () => {
    const { server, model } = made(200);
    model.allParents = false;
    await model.refresh();
    server.size = 190;
    await model.refresh();
    expect(ids(model)[0]).toBe(189);
    expect(model.hasMore).toBe(true);
  });

  it('are looked for over all of a long history, and it is told how far', async () => {
    const { model } = made(10_000);
    const seen: number[] = [];
    model.stateChanged.connect(() => seen.push(model.looking.looked));
    model.filter = { path: '', author: '', text: ' commit 7 ' };
    await model.refresh();
    expect(ids(model)).toEqual([7]);
    expect(model.looking).toEqual({ looked: 10_000, isLooking: false, isStopped: false });
    expect([...new Set(seen)].length).toBe(21);
  });

  it('are looked for no further once that is stopped, and from there when it goes on', async () => {
    const { server, model } = made(10_000);
    model.filter = { path: '', author: '', text: 'commit 7' };
    server.answers = 4;
    const search = model.refresh();
    while (model.looking.looked < 2000) {
      await new Promise(resolve => setTimeout(resolve));
    }
    model.stop();
    await search;
    expect(model.looking).toEqual({ looked: 2000, isLooking: false, isStopped: true });
    expect(model.error).toBeNull();
    server.answers = Infinity;
    const before = server.asked.length;
    await model.loadMore();
    expect(ids(model)).toEqual([7]);
    expect(model.looking.looked).toBe(10_000);
    expect(server.asked).toHaveLength(before + 16);
  });

  it('are given up when others are asked for, and another repo begins without filters', async () => {
    const { server, selection, model } = made(10_000);
    server.answers = 2;
    model.filter = { path: 'a', author: '', text: 'commit 7' };
    const search = model.refresh();
    while (model.looking.looked < 1000) {
      await new Promise(resolve => setTimeout(resolve));
    }
    const waiting = server.asked.at(-1);
    server.answers = Infinity;
    selection.select('other');
    expect(waiting?.signal?.aborted).toBe(true);
    await Promise.all([search, model.refresh()]);
    expect(model.isFiltered).toBe(false);
    expect(server.asked.at(-1)?.path).toContain('other');
    expect(ids(model)).toHaveLength(60);
    expect(model.error).toBeNull();
  });
});
