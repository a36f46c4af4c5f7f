import { PromiseDelegate } from '@lumino/coreutils';

import type { IRequest } from '../api/client';
import { DriveFolder } from '../models/drive-folder';
import type { ILake } from '../tokens';

/** A lake whose mounts can be changed, with a browser that asks for folders as JupyterLab does. */
class Browser {
  path = 'lake:';
  /** Contents paths of what is mounted. */
  mounted: (string | null)[] = [];
  /** What the browser shows: the mounts that were there when it asked. */
  shown: (string | null)[] = [];
  listingsBegun = 0;
  readonly visited: string[] = [];
  /** Who waits for the answer to a listing. */
  private _pending: Promise<void> | null = null;

  constructor(public answered: Promise<void> = Promise.resolve()) {}

  request<T>(request: IRequest): Promise<T> {
    expect(request.path).toEqual(['mounts']);
    return Promise.resolve({
      results: this.mounted.map(contents_path => ({ contents_path })),
      next: null
    } as T);
  }

  /** Go somewhere, or list anew: who asks while a listing is on its way is given that one. */
  cd(path?: string): Promise<void> {
    if (path !== undefined) {
      this.path = path === '/' ? 'lake:' : path;
      this.visited.push(this.path);
    }
    this._pending ??= this._list().finally(() => (this._pending = null));
    return this._pending;
  }

  private async _list(): Promise<void> {
    this.listingsBegun++;
    const found = [...this.mounted];
    await this.answered;
    this.shown = found;
  }
}

function made(browser: Browser): DriveFolder {
  const signal = { connect: () => true, disconnect: () => true };
  const lake = { client: browser, happened: signal, outdated: signal };
  return new DriveFolder(lake as unknown as ILake, browser, browser);
}

describe('the folder that a browser of the drive stands in', () => {
  it('is listed when something is mounted in the drive, not when it is elsewhere', async () => {
    const browser = new Browser();
    const folder = made(browser);
    browser.mounted = ['lakes/raw', null];
    await folder.refresh();
    expect([folder.isUsed, browser.listingsBegun]).toEqual([false, 0]);
    browser.mounted = ['lake:raw'];
    await folder.refresh();
    expect([folder.isUsed, browser.shown]).toEqual([true, ['lake:raw']]);
    expect(browser.listingsBegun).toBe(1);
  });

  it('is listed once more if the answer on its way is older than what happened', async () => {
    const slow = new PromiseDelegate<void>();
    const browser = new Browser(slow.promise);
    const folder = made(browser);
    void browser.cd(); // the browser's own first look, while nothing is mounted
    browser.mounted = ['lake:raw'];
    const refreshed = folder.refresh();
    slow.resolve();
    await refreshed;
    expect(browser.shown).toEqual(['lake:raw']);
  });

  it('is listed once more for what happens while it is listed', async () => {
    const slow = new PromiseDelegate<void>();
    const browser = new Browser(slow.promise);
    const folder = made(browser);
    browser.mounted = ['lake:raw'];
    const refreshed = folder.refresh();
    while (browser.listingsBegun === 0) {
      await Promise.resolve();
    }
    browser.mounted = ['lake:raw', 'lake:sales'];
    void folder.refresh();
    slow.resolve();
    await refreshed;
    expect(browser.shown).toEqual(['lake:raw', 'lake:sales']);
    expect(browser.listingsBegun).toBe(2);
  });

  it.each([
    ['lake:raw/data', ['lake:raw']],
    ['lake:raw', ['lake:raw', 'lake:sales']],
    ['lake:team', ['lake:team/raw']],
    ['lake:raw@v1/data', ['lake:sales']],
    ['lake:raw@v1/data', []],
    ['lake:', []]
  ])('stays %s while %j is mounted', async (path, mounted) => {
    const browser = new Browser();
    browser.path = path;
    browser.mounted = mounted;
    await made(browser).refresh();
    expect(browser.visited).toEqual([]);
  });

  it.each([
    ['lake:raw/data', []],
    ['lake:raw', ['lake:sales']],
    ['lake:raw', ['lake:rawer']],
    ['lake:team', ['lake:teams/raw']],
    ['lake:raw', ['lakes/raw']]
  ])('is left for the root when it is %s and only %j is mounted', async (path, mounted) => {
    const browser = new Browser();
    browser.path = path;
    browser.mounted = mounted;
    await made(browser).refresh();
    expect(browser.visited).toEqual(['lake:']);
    expect(browser.shown).toEqual(mounted);
  });
});
