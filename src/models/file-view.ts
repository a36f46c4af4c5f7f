/**
 * One file at one commit, as far as it is looked at: pages are loaded when they are scrolled to,
 * and those that were not looked at lately are forgotten.
 */
import { VDomModel } from '@jupyterlab/ui-components';

import type { IByteClient, LakeApiError } from '../api/client';
import { describeFile, diffTable, diffText, getFile, previewFile, readFile } from '../api/files';
import type * as api from '../api/types';
import { asLakeError } from './refreshing';
import type { IUncommitted } from './uncommitted';
import { isStaged, stagedIn, triedIn } from './uncommitted';

/** Rows of one page. */
export const PAGE = 200;
const KEPT_PAGES = 40;
/** Larger images, sounds and notebooks are not loaded into the browser. */
export const MAX_MEDIA_BYTES = 64 * 1024 * 1024;
const DIFF_PAGE = 200;
const MEDIA_TYPES = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
  ['bmp', 'image/bmp'],
  ['svg', 'image/svg+xml'],
  ['wav', 'audio/wav'],
  ['mp3', 'audio/mpeg'],
  ['ogg', 'audio/ogg'],
  ['flac', 'audio/flac']
]);
const TABLES = /\.(csv|tsv|parquet)(\.(gz|bz2|zst))?$/i;

/** What is shown of a file. */
export type FileTab = 'data' | 'statistics' | 'changes';

/** A row of a table, or a line of a text as its only cell. */
export type Row = readonly (string | null)[];

/** How two versions of a file differ. */
export type FileDiff =
  | { kind: 'table'; table: api.TableDiff }
  | { kind: 'text'; text: api.TextDiff }
  | { kind: 'media'; old: IMedia | null; new: IMedia | null }
  | { kind: 'notebook'; old: unknown; new: unknown };

/** The bytes of an image or a sound, at an address of this browser. */
export interface IMedia {
  readonly url: string;
  readonly size_bytes: number;
}

/** One file. */
export class FileViewModel extends VDomModel {
  constructor(options: FileViewModel.IOptions) {
    super();
    this._client = options.client;
    this.repo = options.repo;
    this.ref = options.ref;
    this.path = options.path;
    this._base = options.base ?? null;
    this.session = options.session ?? null;
    this.trial = options.trial ?? null;
    if (this.session !== null) {
      this._uncommitted = stagedIn(
        this._client,
        { repo: this.repo, session: this.session },
        () => this._base ?? undefined
      );
    } else if (this.trial !== null) {
      this._uncommitted = triedIn(this._client, this.trial.id, this.trial.datum);
    }
    this._tab = this.isCommitted ? (options.tab ?? 'data') : 'changes';
    void this.load();
  }

  readonly repo: string;
  readonly ref: string;
  readonly path: string;

  /** The session in which it is staged; null for what a commit has. */
  readonly session: string | null;

  /** The trial that wrote it, and which datum of it; null for what a commit has. */
  readonly trial: { id: string; datum?: number } | null;

  /** Whether a commit has it; of all else only the changes are shown. */
  get isCommitted(): boolean {
    return this._uncommitted === null;
  }

  /** Whether its session holds no change of it any more: that was committed, or discarded. */
  get isSettled(): boolean {
    return this._isSettled;
  }

  /** The first page and what is known of the file; null until it is loaded. */
  get preview(): api.FilePreview | null {
    return this._preview;
  }

  /** Why the file cannot be shown. */
  get error(): LakeApiError | null {
    return this._error;
  }

  /** How many rows or lines there are, as far as that is known. */
  get count(): number {
    return this._count;
  }

  /** Whether it is a sound, as far as that is known. */
  get isAudio(): boolean {
    return this._preview?.kind === 'audio' || this._stagedType?.startsWith('audio/') === true;
  }

  /** Names of the columns of a table that is looked at or compared. */
  get columnNames(): readonly string[] {
    const shown = this._preview?.page.columns.map(column => column.name);
    if (shown || this._diff?.kind !== 'table') {
      return shown ?? [];
    }
    const { key, rows } = this._diff.table;
    const named = rows.flatMap(row =>
      [row.key, row.old, row.new].flatMap(values => Object.keys(values ?? {}))
    );
    return [...new Set([...key, ...named])];
  }

  /** Whether `count` is more than a guess. */
  get isCounted(): boolean {
    return this._isCounted;
  }

  /** What the columns hold; null until that is known. */
  get statistics(): api.TableStatistics | null {
    return this._statistics;
  }

  /** The image or sound; null for others, and until it is loaded. */
  get media(): IMedia | null {
    return this._media;
  }

  /** The notebook as JSON; undefined for others, and until it is loaded. */
  get notebook(): unknown {
    return this._notebook;
  }

  /** How the file differs from `base`; null until that is known. */
  get diff(): FileDiff | null {
    return this._diff;
  }

  /** What failed of statistics or differences. */
  get failure(): LakeApiError | null {
    return this._failure;
  }

  /** Whether statistics or differences are being worked out. */
  get isWorking(): boolean {
    return this._working !== null;
  }

  /** The tabs that make sense for the file. */
  get tabs(): readonly FileTab[] {
    if (!this.isCommitted) {
      return ['changes'];
    }
    return this._preview?.kind === 'table'
      ? ['data', 'statistics', 'changes']
      : ['data', 'changes'];
  }

  get tab(): FileTab {
    return this._tab;
  }
  set tab(tab: FileTab) {
    this._tab = tab;
    this.stateChanged.emit();
    this._fill();
  }

  /** The ref that the file is compared with; null for the commit before. */
  get base(): string | null {
    return this._base;
  }
  set base(base: string | null) {
    this._base = base;
    this._key = undefined;
    this.compareAnew();
  }

  /** Columns that name a row, as chosen; undefined to have them guessed. */
  get key(): string | undefined {
    return this._key;
  }
  set key(key: string | undefined) {
    this._key = key;
    this.compareAnew();
  }

  /** The older address of the comparison. */
  get baseRef(): string {
    return this._base ?? `${this._preview?.commit_id ?? this.ref}^`;
  }

  override dispose(): void {
    this._loads.abort();
    this._working?.abort();
    this._urls.forEach(url => URL.revokeObjectURL(url));
    super.dispose();
  }

  /** Load the first page again. */
  async load(): Promise<void> {
    if (!this.isCommitted) {
      this._fill();
      return;
    }
    this._error = null;
    this.stateChanged.emit();
    try {
      this._preview = await previewFile(
        this._client,
        this.repo,
        this.ref,
        { path: this.path, limit: PAGE },
        this._loads.signal
      );
      this._take(this._preview.page);
    } catch (reason) {
      this._error = asLakeError(reason);
    }
    this._emit();
    this._fill();
  }

  /** Return a row; undefined for one that is not loaded. */
  row(index: number): Row | undefined {
    return this._pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Load the rows of a range, as far as they are not there. */
  want(first: number, last: number): void {
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page++) {
      const rows = this._pages.get(page);
      if (rows) {
        this._pages.delete(page);
        this._pages.set(page, rows);
      }
      const isFull = rows?.length === PAGE || page * PAGE + (rows?.length ?? 0) >= this._count;
      if (!isFull && !this._loading.has(page) && this._preview) {
        void this._loadPage(page, rows?.length ?? 0);
      }
    }
  }

  /** Stop working out statistics or differences. */
  cancel(): void {
    this._working?.abort();
    this._working = null;
    this._emit();
  }

  /** Work out again what the tab shows. */
  retry(): void {
    this._failure = null;
    this._fill();
  }

  private _fill(): void {
    if (this.isDisposed || (!this._preview && this.isCommitted)) {
      return;
    }
    const kind = this._preview?.kind;
    if (this._tab === 'statistics' && !this._statistics) {
      void this._work(async signal => {
        this._statistics = await describeFile(this._client, ...this._place, signal);
      });
    } else if (this._tab === 'changes' && !this._diff) {
      void this._work(async signal => {
        this._diff = await this._compare(signal);
      });
    } else if ((kind === 'image' || kind === 'audio') && !this._media) {
      void this._work(async signal => {
        this._media = await this._mediaAt(this._place[1], signal);
      });
    } else if (kind === 'notebook' && this._notebook === undefined) {
      void this._work(async signal => {
        this._notebook = await this._notebookAt(this._place[1], signal);
      });
    }
  }

  private get _place(): [string, string, { path: string }] {
    return [this.repo, this._preview?.commit_id ?? this.ref, { path: this.path }];
  }

  /** Compare again what is compared. */
  compareAnew(): void {
    this._diff = null;
    this._failure = null;
    this.stateChanged.emit();
    this._fill();
  }

  /**
   * Look again at what its session holds, which has gone on; nothing for what a commit has.
   *
   * #### Notes
   * What was compared stays until there is something else to show. A call during another makes one
   * more follow, however many calls there are.
   */
  async follow(): Promise<void> {
    const { session } = this;
    if (session === null) {
      return;
    }
    this._isOutrun = this._isFollowing;
    if (this._isFollowing) {
      return;
    }
    this._isFollowing = true;
    do {
      this._isOutrun = false;
      this._isSettled = !(await this._isStaged(session));
      if (!this._isSettled) {
        await this._work(async signal => {
          this._diff = await this._compare(signal);
        });
      } else {
        this._emit();
      }
    } while (this._isOutrun && !this.isDisposed);
    this._isFollowing = false;
  }

  private async _isStaged(session: string): Promise<boolean> {
    try {
      return await isStaged(this._client, session, this.path);
    } catch (reason) {
      return asLakeError(reason).kind !== 'session-not-found'; // else nobody knows better
    }
  }

  private async _compare(signal: AbortSignal): Promise<FileDiff> {
    if (this._uncommitted) {
      return this._compareUncommitted(this._uncommitted, signal);
    }
    const [repo, ref] = this._place;
    const kind = this._preview?.kind;
    const query = {
      old: `${repo}@${this.baseRef}/${this.path}`,
      new: `${repo}@${ref}/${this.path}`,
      limit: DIFF_PAGE
    };
    if (kind === 'table' && TABLES.test(this.path)) {
      const table = await diffTable(this._client, { ...query, key: this._key }, signal);
      return { kind: 'table', table };
    }
    if (kind === 'image' || kind === 'audio') {
      const before = await this._mediaAt(this.baseRef, signal);
      return { kind: 'media', old: before, new: await this._mediaAt(ref, signal) };
    }
    if (kind === 'notebook') {
      const before = await this._notebookAt(this.baseRef, signal);
      return { kind: 'notebook', old: before, new: await this._notebookAt(ref, signal) };
    }
    return { kind: 'text', text: await diffText(this._client, query, signal) };
  }

  /** Compare what no commit has with what a branch holds, by what its name says it is. */
  private async _compareUncommitted(files: IUncommitted, signal: AbortSignal): Promise<FileDiff> {
    const { path } = this;
    const query = { path, limit: DIFF_PAGE };
    const type = mediaTypeOf(path);
    const isNotebook = path.toLowerCase().endsWith('.ipynb');
    const isTable = TABLES.test(path);
    if (!isTable && !isNotebook && type === null) {
      return { kind: 'text', text: await files.text(query, signal) };
    }
    const change = await files.change(path);
    if (isTable && (!change || (change.old && change.new))) {
      const table = await files.table({ ...query, key: this._key }, signal);
      return { kind: 'table', table };
    }
    if (isTable) {
      return { kind: 'text', text: await files.text(query, signal) };
    }
    const bytesOf = async (side: 'old' | 'new'): Promise<ArrayBuffer | null> => {
      if (change && !change[side]) {
        return null;
      }
      checkSize(path, change?.[side]?.size_bytes ?? 0);
      return files.read(path, side, signal);
    };
    const [before, now] = await Promise.all([bytesOf('old'), bytesOf('new')]);
    if (isNotebook) {
      return { kind: 'notebook', old: before && jsonOf(before), new: now && jsonOf(now) };
    }
    this._stagedType = type;
    const media = (bytes: ArrayBuffer | null): IMedia | null =>
      bytes && { url: this._urlOf(bytes), size_bytes: bytes.byteLength };
    return { kind: 'media', old: media(before), new: media(now) };
  }

  /** Do what the reader waits for; what was waited for before is given up. */
  private async _work(act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this._working?.abort();
    const working = new AbortController();
    this._working = working;
    this._failure = null;
    this._emit();
    try {
      await act(working.signal);
    } catch (reason) {
      if (this._working === working) {
        this._failure = asLakeError(reason);
      }
    }
    if (this._working === working) {
      this._working = null;
      this._emit();
    }
  }

  private async _loadPage(page: number, have: number): Promise<void> {
    this._loading.add(page);
    const [repo, ref] = this._place;
    try {
      const found = await previewFile(
        this._client,
        repo,
        ref,
        { path: this.path, offset: page * PAGE + have, limit: PAGE - have },
        this._loads.signal
      );
      this._take(found.page);
    } catch (reason) {
      this._failure = asLakeError(reason);
    }
    this._loading.delete(page);
    this._emit();
  }

  /** Keep rows, and what they tell about how many there are. */
  private _take(found: api.PreviewPage): void {
    const rows: Row[] = found.columns.length > 0 ? found.rows : found.lines.map(line => [line]);
    const number = Math.floor(found.offset / PAGE);
    const before = this._pages.get(number)?.slice(0, found.offset % PAGE) ?? [];
    this._pages.set(number, [...before, ...rows]);
    while (this._pages.size > KEPT_PAGES) {
      this._pages.delete([...this._pages.keys()][0] ?? 0);
    }
    const end = found.offset + rows.length;
    if (found.total !== null || !found.has_more) {
      this._count = found.total ?? end;
      this._isCounted = true;
    } else if (!this._isCounted) {
      this._count = Math.max(this._count, end + 1, found.estimated_total ?? 0);
    }
  }

  private async _mediaAt(ref: string, signal: AbortSignal): Promise<IMedia | null> {
    const file = await this._small(ref, signal);
    if (!file) {
      return null;
    }
    const bytes = await readFile(this._client, this.repo, ref, { path: this.path }, signal);
    return { url: this._urlOf(bytes), size_bytes: file.size_bytes };
  }

  private _urlOf(bytes: ArrayBuffer): string {
    const type = this._preview?.media_type ?? this._stagedType ?? '';
    const url = URL.createObjectURL(new Blob([bytes], { type }));
    this._urls.push(url);
    return url;
  }

  private async _notebookAt(ref: string, signal: AbortSignal): Promise<unknown> {
    if (!(await this._small(ref, signal))) {
      return null;
    }
    const bytes = await readFile(this._client, this.repo, ref, { path: this.path }, signal);
    return jsonOf(bytes);
  }

  /** Return a file that is small enough to be loaded; null if there is none. */
  private async _small(ref: string, signal: AbortSignal): Promise<api.File | null> {
    let file: api.File;
    try {
      file = await getFile(this._client, this.repo, ref, { path: this.path }, signal);
    } catch (reason) {
      if (asLakeError(reason).kind === 'path-not-found') {
        return null;
      }
      throw reason;
    }
    checkSize(file.name, file.size_bytes);
    return file;
  }

  private _emit(): void {
    if (!this.isDisposed) {
      this.stateChanged.emit();
    }
  }

  private readonly _client: IByteClient;
  private readonly _pages = new Map<number, readonly Row[]>();
  private readonly _loading = new Set<number>();
  private readonly _loads = new AbortController();
  private readonly _urls: string[] = [];
  private _working: AbortController | null = null;
  private _preview: api.FilePreview | null = null;
  private _statistics: api.TableStatistics | null = null;
  private _media: IMedia | null = null;
  private _notebook: unknown = undefined;
  private _diff: FileDiff | null = null;
  private _error: LakeApiError | null = null;
  private _failure: LakeApiError | null = null;
  private _count = 0;
  private _isCounted = false;
  /** Media type of what is staged, by its name. */
  private _stagedType: string | null = null;
  private readonly _uncommitted: IUncommitted | null = null;
  private _base: string | null;
  private _key: string | undefined;
  private _tab: FileTab;
  private _isSettled = false;
  private _isFollowing = false;
  /** Whether its session went on while it was looked at. */
  private _isOutrun = false;
}

/** Return the media type of an image or sound by its name; null for all else. */
export function mediaTypeOf(path: string): string | null {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  return MEDIA_TYPES.get(ending) ?? null;
}

function jsonOf(bytes: ArrayBuffer): unknown {
  return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
}

function checkSize(name: string, size_bytes: number): void {
  if (size_bytes > MAX_MEDIA_BYTES) {
    throw new Error(`${name} is too large to be shown here. Download it instead.`);
  }
}

/** What a {@link FileViewModel} is made of. */
export namespace FileViewModel {
  export interface IOptions {
    client: IByteClient;
    repo: string;
    ref: string;
    path: string;
    /** The session in which it is staged: then only its changes are shown. */
    session?: string;
    /** The trial that wrote it: then only its changes are shown, too. */
    trial?: { id: string; datum?: number };
    /** What it is compared with; the commit before by default. */
    base?: string;
    tab?: FileTab;
  }
}
