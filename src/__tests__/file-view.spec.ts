import type { IByteClient, IRequest } from '../api/client';
import { LakeApiError } from '../api/client';
import type * as api from '../api/types';
import { FileViewModel, PAGE } from '../models/file-view';

const COMMIT = 'c'.repeat(64);
const TOTAL = 100_000;

/** A server with one table, whose pages are at most `most` rows. */
class Server implements IByteClient {
  constructor(private readonly _most = 1000) {}

  readonly asked: IRequest[] = [];
  fails = false;

  async request<T>(request: IRequest): Promise<T> {
    this.asked.push(request);
    await Promise.resolve();
    if (this.fails) {
      throw new LakeApiError({ status: 400, kind: 'invalid-request', message: 'no table' });
    }
    if (request.path.includes('statistics')) {
      return { rows: TOTAL, columns: [] } as T;
    }
    if (request.path[0] === 'diff') {
      return { is_equal: true, rows: [] } as T;
    }
    return this._preview(request) as T;
  }

  read(): Promise<ArrayBuffer> {
    return Promise.reject(new Error('not asked for'));
  }

  urlOf(): string {
    return '';
  }

  private _preview({ query }: IRequest): api.FilePreview {
    const offset = Number(query?.offset ?? 0);
    const count = Math.min(Number(query?.limit), this._most, TOTAL - offset);
    return {
      path: 't.csv',
      commit_id: COMMIT,
      size_bytes: 1,
      kind: 'table',
      media_type: 'text/csv',
      facts: [],
      page: {
        columns: [{ name: 'n', type: 'int64' }],
        column_count: 1,
        rows: Array.from({ length: count }, (_, n) => [String(offset + n)]),
        lines: [],
        offset,
        total: TOTAL,
        estimated_total: null,
        has_more: offset + count < TOTAL,
        is_cut: false
      }
    };
  }
}

function settled(model: FileViewModel, until: () => boolean): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      if (until()) {
        model.stateChanged.disconnect(look);
        resolve();
      }
    };
    model.stateChanged.connect(look);
    look();
  });
}

function viewOf(client: IByteClient): FileViewModel {
  return new FileViewModel({ client, repo: 'raw', ref: 'main', path: 't.csv' });
}

describe('a file that is looked at', () => {
  it('loads the pages that are scrolled to, at the commit of the first one', async () => {
    const server = new Server();
    const model = viewOf(server);
    await settled(model, () => model.preview !== null);
    expect(model.count).toBe(TOTAL);
    expect(model.row(70_000)).toBeUndefined();
    model.want(70_000, 70_030);
    model.want(70_000, 70_030);
    await settled(model, () => model.row(70_030) !== undefined);
    expect(model.row(70_000)).toEqual(['70000']);
    expect(server.asked).toHaveLength(2);
    expect(server.asked[1]?.path).toContain(COMMIT);
  });

  it('asks on where a page came short', async () => {
    const server = new Server(70);
    const model = viewOf(server);
    await settled(model, () => model.preview !== null);
    expect(model.row(69)).toEqual(['69']);
    expect(model.row(70)).toBeUndefined();
    model.want(0, 80);
    await settled(model, () => model.row(80) !== undefined);
    model.want(0, PAGE - 1);
    await settled(model, () => model.row(PAGE - 1) !== undefined);
    expect(model.row(PAGE - 1)).toEqual([String(PAGE - 1)]);
  });

  it('forgets what was not looked at lately', async () => {
    const model = viewOf(new Server());
    await settled(model, () => model.preview !== null);
    for (let page = 1; page <= 45; page++) {
      model.want(page * PAGE, page * PAGE);
      await settled(model, () => model.row(page * PAGE) !== undefined);
    }
    expect(model.row(0)).toBeUndefined();
    expect(model.row(45 * PAGE)).toBeDefined();
  });

  it('works statistics and differences out once they are asked for', async () => {
    const server = new Server();
    const model = viewOf(server);
    await settled(model, () => model.preview !== null);
    model.tab = 'statistics';
    await settled(model, () => model.statistics !== null);
    model.tab = 'changes';
    await settled(model, () => model.diff !== null);
    expect(server.asked[server.asked.length - 1]?.query).toMatchObject({
      old: `raw@${COMMIT}^/t.csv`,
      new: `raw@${COMMIT}/t.csv`
    });
    model.base = 'v1';
    await settled(model, () => model.diff !== null);
    expect(server.asked[server.asked.length - 1]?.query?.old).toBe('raw@v1/t.csv');
    model.key = '"n"';
    await settled(model, () => model.diff !== null);
    expect(server.asked[server.asked.length - 1]?.query?.key).toBe('"n"');
  });

  it('stops what takes too long, and says what failed', async () => {
    const server = new Server();
    const model = viewOf(server);
    await settled(model, () => model.preview !== null);
    model.tab = 'statistics';
    const { signal } = server.asked[server.asked.length - 1] ?? {};
    model.cancel();
    expect(signal?.aborted).toBe(true);
    expect(model.isWorking).toBe(false);
    server.fails = true;
    model.tab = 'changes';
    await settled(model, () => model.failure !== null);
    expect(model.failure?.message).toBe('no table');
    model.dispose();
  });

  it('of a session goes on with it, and keeps what was compared once nothing is staged', async () => {
    const server = new Session();
    const place = { repo: 'raw', ref: 'main', path: 'a.py', session: 's1' };
    const model = new FileViewModel({ client: server, ...place });
    await settled(model, () => model.diff !== null);
    expect(textOf(model)).toBe('one');
    server.staged = 'two';
    await model.follow();
    expect([textOf(model), model.isSettled]).toEqual(['two', false]);
    server.staged = null;
    await Promise.all([model.follow(), model.follow(), model.follow()]);
    expect([textOf(model), model.isSettled]).toEqual(['two', true]);
    server.staged = 'three';
    await model.follow();
    expect([textOf(model), model.isSettled]).toEqual(['three', false]);
    server.isGone = true;
    await model.follow();
    expect([textOf(model), model.isSettled]).toEqual(['three', true]);
  });
});

/** A server with one session, in which one text is staged or nothing. */
class Session implements IByteClient {
  staged: string | null = 'one';
  isGone = false;

  async request<T>({ path }: IRequest): Promise<T> {
    await Promise.resolve();
    if (this.isGone) {
      throw new LakeApiError({ status: 404, kind: 'session-not-found', message: 'gone' });
    }
    return (
      path.includes('text')
        ? { hunks: [{ lines: [this.staged] }] }
        : { results: this.staged === null ? [] : [{ path: 'a.py' }], next: null }
    ) as T;
  }

  read(): Promise<ArrayBuffer> {
    return Promise.reject(new Error('not asked for'));
  }

  urlOf(): string {
    return '';
  }
}

function textOf({ diff }: FileViewModel): string | undefined {
  return diff?.kind === 'text' ? diff.text.hunks[0]?.lines[0] : undefined;
}
