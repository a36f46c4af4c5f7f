/**
 * One job in full: its datums, and what they print.
 */
import { Poll } from '@lumino/polling';

import { getFile } from '../api/files';
import { getJob, getLogs, listCells, listDatums, listKernels, searchLogs } from '../api/jobs';
import { listObserved } from '../api/lineage';
import { getPipeline } from '../api/pipelines';
import type * as api from '../api/types';
import type { ILogSearch } from '../logs';
import { codeOf } from '../specs';
import type { ILake } from '../tokens';
import { isLive } from './jobs';
import { loadUpTo } from './paging';
import { asLakeError, RefreshingModel } from './refreshing';

const PAGE = 100;
const MAX_OPENED = 200;
const LOG_POLL_MS = 1000;

/** One job, its datums and logs. */
export class JobModel extends RefreshingModel {
  constructor(options: JobModel.IOptions) {
    super(options.lake);
    this.id = options.id;
    this._poll = new Poll({
      auto: false,
      factory: () => this._look(),
      frequency: { interval: LOG_POLL_MS, backoff: true, max: 10 * LOG_POLL_MS },
      name: `jupyter_datalake:log-${options.id}`,
      standby: 'when-hidden'
    });
  }

  /** The job's id. */
  readonly id: string;

  /** The job; null until it is loaded. */
  get job(): api.Job | null {
    return this._job;
  }

  /** The datums that are loaded, by position. */
  get datums(): readonly api.Datum[] {
    return this._datums;
  }

  /** Whether there are more. */
  get hasMoreDatums(): boolean {
    return this._next !== null;
  }

  /** Whether datums leave executed notebooks: those of a notebook do. */
  get hasNotebooks(): boolean {
    return this._hasNotebooks;
  }

  /** Whether datums have folders that can be worked in. */
  get hasFolders(): boolean {
    return this._hasFolders;
  }

  /** Kernels in which datums of the job failed that are kept, by the datum's position. */
  get kernels(): ReadonlyMap<number, api.KeptKernel> {
    return this._kernels;
  }

  /** What the chosen datum printed; null until it is loaded. */
  get log(): api.DatumLog | null {
    return this._log;
  }

  /** Input name to its repo, as the loaded datums tell. */
  get inputRepos(): ReadonlyMap<string, string> {
    const repos = new Map<string, string>();
    for (const { name, repo } of this._datums.flatMap(datum => datum.inputs)) {
      if (repo !== null) {
        repos.set(name, repo);
      }
    }
    return repos;
  }

  /** What the chosen datum was seen to open, newest first. */
  get opened(): readonly api.Observation[] {
    return this._opened;
  }

  /** Tell whether a file, not a folder, is at a path of a commit. */
  async isFile(repo: string, ref: string, path: string): Promise<boolean> {
    if (path === '') {
      return false;
    }
    const found = await getFile(this.lake.client, repo, ref, { path }).catch(() => null);
    return found?.kind === 'file';
  }

  /** The cells of the chosen datum's notebook; none of what is no notebook, or has not begun. */
  get cells(): readonly api.ExecutedCell[] {
    return this._cells;
  }

  /** Show datums in this state only; all for null. */
  get state(): api.DatumState | null {
    return this._state;
  }
  set state(value: api.DatumState | null) {
    if (value !== this._state) {
      this._state = value;
      this._wanted = PAGE;
      this._choice = null;
      this.stateChanged.emit();
      this.invalidate();
    }
  }

  /** Position of the datum whose log is shown: a failed or running one at first. */
  get choice(): number | null {
    return this._choice;
  }
  set choice(value: number | null) {
    this._line = null;
    if (value !== this._choice) {
      this._choice = value;
      this._log = null;
      this._cells = [];
      this._opened = [];
      this.stateChanged.emit();
      this.invalidate();
    }
  }

  /** The line of that log that was asked for, from 1; null for none. */
  get line(): number | null {
    return this._line;
  }

  /** What was searched for in the logs, and found; null while nothing is. */
  get search(): ILogSearch | null {
    return this._search;
  }

  /** Show a line where it stands in the log of its datum. */
  goTo(line: api.LogLine): void {
    this.choice = line.position;
    this._line = line.line;
    this.stateChanged.emit();
  }

  /** Search the logs of all datums for a text; for nothing, if it is empty. */
  async searchFor(text: string): Promise<void> {
    this._search =
      text === '' ? null : { text, lines: [], hasMore: false, isBusy: false, problem: '' };
    this._searchedTo = null;
    await this.searchOn();
  }

  /** Look for more lines that hold the text. */
  async searchOn(): Promise<void> {
    const before = this._search;
    if (before === null || before.isBusy) {
      this.stateChanged.emit();
      return;
    }
    const busy = (this._search = { ...before, isBusy: true });
    this.stateChanged.emit();
    const after = await this._found(before).catch((reason: unknown) => ({
      ...before,
      problem: asLakeError(reason).message
    }));
    if (!this.isDisposed && this._search === busy) {
      this._search = after; // else something else is searched for by now
      this.stateChanged.emit();
    }
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._poll.dispose();
    }
    super.dispose();
  }

  /** Load the next datums. */
  loadMore(): Promise<void> {
    this._wanted += PAGE;
    return this.refresh();
  }

  protected async load(): Promise<void> {
    const state = this._state ?? undefined;
    const [job, datums] = await Promise.all([
      getJob(this.lake.client, this.id),
      loadUpTo(this._wanted, (after: number | undefined, limit) =>
        listDatums(this.lake.client, this.id, { state, after, limit })
      )
    ]);
    if (this._job === null) {
      const pipeline = await getPipeline(this.lake.client, job.pipeline);
      const { kind } = codeOf(pipeline.spec);
      this._hasNotebooks = kind === 'notebook';
      this._hasFolders = kind !== 'ingest';
    }
    this._job = job;
    this._datums = datums.results;
    this._next = datums.next;
    this._choice ??= chooseDatum(this._datums);
    await Promise.all([
      this._loadLog(),
      this._loadCells(),
      this._loadKernels(),
      this._loadOpened()
    ]);
    this._setPolling();
  }

  protected concerns(event: api.Event): boolean {
    return (
      (event.kind === 'job.changed' || event.kind === 'datum.changed') && event.subject === this.id
    );
  }

  protected override onActiveChanged(): void {
    this._setPolling();
  }

  /** Return what is found with one page more. */
  private async _found(search: ILogSearch): Promise<ILogSearch> {
    const page = await searchLogs(this.lake.client, {
      text: search.text,
      job: this.id,
      ignore_case: true,
      after: this._searchedTo ?? undefined,
      limit: PAGE
    });
    const lines = [...search.lines, ...page.results];
    this._searchedTo = page.next;
    return { ...search, lines, hasMore: page.next !== null, problem: '' };
  }

  /** Look at what a running job printed: no event tells of a line in a log. */
  private async _look(): Promise<void> {
    const before = [this._log?.text, JSON.stringify(this._cells)];
    await Promise.all([this._loadLog(), this._loadCells()]);
    const now = [this._log?.text, JSON.stringify(this._cells)];
    if (!this.isDisposed && now.join() !== before.join()) {
      this.stateChanged.emit();
    }
  }

  /** Load how far the chosen datum's notebook is. */
  private async _loadCells(): Promise<void> {
    const choice = this._choice;
    if (choice !== null && this._hasNotebooks) {
      const { results } = await listCells(this.lake.client, this.id, choice);
      if (choice === this._choice) {
        this._cells = results;
      }
    }
  }

  /** Load which kernels of datums that failed are kept. */
  private async _loadKernels(): Promise<void> {
    if (this._hasNotebooks && (this._job?.datum_counts.failed ?? 0) > 0) {
      const { results } = await listKernels(this.lake.client, { job: this.id });
      this._kernels = new Map(results.map(kernel => [kernel.position, kernel]));
    }
  }

  /** Load what the chosen datum was seen to open. */
  private async _loadOpened(): Promise<void> {
    const choice = this._choice;
    if (choice !== null) {
      const query = { job: this.id, datum: choice, limit: MAX_OPENED };
      const { results } = await listObserved(this.lake.client, query);
      if (choice === this._choice) {
        this._opened = results;
      }
    }
  }

  /** Load what the chosen datum has printed since the last look. */
  private async _loadLog(): Promise<void> {
    const choice = this._choice;
    if (choice === null) {
      return;
    }
    const known = this._log;
    const read = async (offset: number): Promise<api.DatumLog | null> =>
      (await getLogs(this.lake.client, this.id, { datum: choice, offset })).results[0] ?? null;
    let log = await read(known?.end ?? 0);
    if (log !== null && log.begin > 0) {
      const goesOn = log.tries === known?.tries;
      log = goesOn ? { ...log, begin: 0, text: known.text + log.text } : await read(0);
    }
    // Another datum may have been chosen meanwhile, or another look may have come first.
    if (choice === this._choice && known === this._log) {
      this._log = log;
    }
  }

  private _setPolling(): void {
    if (this.isDisposed) {
      return;
    }
    const wanted = this.isActive && this._job !== null && isLive(this._job);
    if (wanted !== this._isPolling) {
      this._isPolling = wanted;
      void (wanted ? this._poll.start() : this._poll.stop());
    }
  }

  private readonly _poll: Poll;
  private _isPolling = false;
  private _hasNotebooks = false;
  private _hasFolders = false;
  private _job: api.Job | null = null;
  private _datums: api.Datum[] = [];
  private _kernels: ReadonlyMap<number, api.KeptKernel> = new Map();
  private _log: api.DatumLog | null = null;
  private _opened: readonly api.Observation[] = [];
  private _cells: readonly api.ExecutedCell[] = [];
  private _next: number | null = null;
  private _state: api.DatumState | null = null;
  private _choice: number | null = null;
  private _line: number | null = null;
  private _search: ILogSearch | null = null;
  private _searchedTo: string | null = null;
  private _wanted = PAGE;
}

/** Return the datum that is worth looking at first. */
function chooseDatum(datums: readonly api.Datum[]): number | null {
  const worth = (state: api.DatumState) => datums.find(datum => datum.state === state);
  return (worth('failed') ?? worth('running') ?? datums[0])?.position ?? null;
}

/** What a {@link JobModel} is made of. */
export namespace JobModel {
  export interface IOptions {
    lake: ILake;
    id: string;
  }
}
