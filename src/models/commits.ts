/**
 * The history of the selected repo.
 */
import type { LakeApiError } from '../api/client';
import { diffCommits, listCommits } from '../api/commits';
import type * as api from '../api/types';
import type { ILake, ILakeSelection } from '../tokens';
import { FilesModel } from './files';
import { asLakeError, RefreshingModel } from './refreshing';

const PAGE = 60;
const LONGEST_PAGE = 1000;
const MAX_CHANGES = 200;

/** What an opened commit shows. */
export interface ICommitDetails {
  commit: api.Commit;
  /** What it changed against its first parent; null until loaded. */
  changes: api.ChangePage | null;
  error: LakeApiError | null;
  files: FilesModel;
}

/** Which commits are shown; what is empty does not count. */
export interface ICommitFilter {
  /** Only those that changed what is at or below it. */
  path: string;
  /** Part of the name or address of who made them. */
  author: string;
  /** Part of the message. */
  text: string;
}

/** How far commits were looked for. */
export interface ILooking {
  /** How many were looked at, those that do not fit included. */
  looked: number;
  isLooking: boolean;
  /** Whether somebody has stopped it. */
  isStopped: boolean;
}

const ALL: ICommitFilter = { path: '', author: '', text: '' };

/** The commits that the selected ref leads back to, newest first. */
export class CommitsModel extends RefreshingModel {
  constructor(options: CommitsModel.IOptions) {
    super(options.lake);
    this._selection = options.selection;
    this._selection.changed.connect(this._onSelectionChanged, this);
  }

  /** The commits that are loaded. */
  get commits(): readonly api.Commit[] {
    return this._commits;
  }

  /** Whether there are older ones. */
  get hasMore(): boolean {
    return this._next !== null;
  }

  /** Return what an opened commit shows; undefined for one that is closed. */
  detailsOf(commit: string): ICommitDetails | undefined {
    return this._opened.get(commit);
  }

  /** Open a commit, or close it. */
  toggle(commit: api.Commit): void {
    const opened = this._opened.get(commit.id);
    if (opened) {
      opened.files.dispose();
      this._opened.delete(commit.id);
      this.stateChanged.emit();
    } else {
      void this._open(commit);
    }
  }

  /** Which commits are shown. */
  get filter(): ICommitFilter {
    return this._filter;
  }
  set filter(filter: ICommitFilter) {
    const isOther = JSON.stringify(asked(filter)) !== JSON.stringify(asked(this._filter));
    this._filter = filter;
    if (isOther) {
      this._askAnew();
    }
    this.stateChanged.emit();
  }

  /** Whether only some commits are shown. */
  get isFiltered(): boolean {
    return Object.keys(asked(this._filter)).length > 0;
  }

  /** Whether what was merged in is shown too, and not the line of first parents alone. */
  get allParents(): boolean {
    return this._allParents;
  }
  set allParents(allParents: boolean) {
    if (allParents !== this._allParents) {
      this._allParents = allParents;
      this._askAnew();
      this.stateChanged.emit();
    }
  }

  /** The commit that is selected to compare others with. */
  get selected(): { repo: string; id: string } | null {
    return this._selected;
  }

  /** Select a commit to compare others with, or no more if it is. */
  select(repo: string, id: string): void {
    const isSelected = this._selected?.repo === repo && this._selected.id === id;
    this._selected = isSelected ? null : { repo, id };
    this.stateChanged.emit();
  }

  /** How far commits were looked for. */
  get looking(): ILooking {
    return {
      looked: this._looked,
      isLooking: this._isLooking,
      isStopped: this._search.signal.aborted
    };
  }

  /** Look no further. */
  stop(): void {
    this._search.abort();
    this.stateChanged.emit();
  }

  /** Load the next older commits, or go on where it was stopped. */
  loadMore(): Promise<void> {
    if (this._search.signal.aborted) {
      this._search = new AbortController();
    }
    this._wanted = this._commits.length + PAGE;
    return super.refresh();
  }

  override refresh(): Promise<void> {
    this._isFresh = false;
    return super.refresh();
  }

  override dispose(): void {
    this._search.abort();
    this._close();
    super.dispose();
  }

  protected async load(): Promise<void> {
    const search = this._search;
    if (search.signal.aborted) {
      return;
    }
    this._isLooking = true;
    this.stateChanged.emit();
    try {
      await this._look(search.signal);
    } catch (reason) {
      // What was asked for is wanted no more: something else is, or nothing.
      if (!search.signal.aborted) {
        throw reason;
      }
    } finally {
      this._isLooking = false;
    }
  }

  protected concerns(event: api.Event): boolean {
    return event.kind === 'ref.moved' && event.subject === this._selection.repo;
  }

  /** Load the newest commits if there may be others than before, and then up to those wanted. */
  private async _look(signal: AbortSignal): Promise<void> {
    const { repo, ref } = this._selection;
    if (repo === null) {
      return;
    }
    const pageBehind = async (after: string | null, limit: number) => {
      const query = {
        ...asked(this._filter),
        first_parent: !this._allParents,
        after: after ?? undefined,
        limit: Math.min(limit, LONGEST_PAGE)
      };
      const page = await listCommits(this.lake.client, repo, ref, query, signal);
      if (signal.aborted) {
        throw new Error('Nobody waits for this page');
      }
      return page;
    };
    if (!this._isFresh) {
      this._isFresh = true;
      try {
        await this._lookAnew(pageBehind);
      } catch (reason) {
        this._isFresh = false;
        throw reason;
      }
    }
    while (this._next !== null && this._commits.length < this._wanted) {
      const page = await pageBehind(this._next, this._wanted - this._commits.length);
      this._commits = [...this._commits, ...page.results];
      this._next = page.next;
      this._looked += page.looked;
      this.stateChanged.emit();
    }
  }

  /** Load what is new before the commits that are known, or as much as was loaded before. */
  private async _lookAnew(
    pageBehind: (after: string | null, limit: number) => Promise<api.CommitLogPage>
  ): Promise<void> {
    const known = this._isOther ? [] : this._commits;
    const wanted = Math.max(known.length, PAGE);
    // Behind a commit of a line stands what stood there; of several lines others come between.
    const places = new Map(this._allParents ? [] : known.map(({ id }, place) => [id, place]));
    const found: api.Commit[] = [];
    let looked = 0;
    let next: string | null = null;
    do {
      const page: api.CommitLogPage = await pageBehind(next, wanted - found.length);
      for (const commit of page.results) {
        const place = places.get(commit.id);
        if (place !== undefined) {
          this._commits = [...found, ...known.slice(place)];
          return;
        }
        found.push(commit);
      }
      looked += page.looked;
      next = page.next;
    } while (known.length > 0 && next !== null && found.length < wanted);
    this._isOther = false;
    this._commits = found;
    this._next = next;
    this._looked = looked;
    this.stateChanged.emit();
  }

  /** Give up what is looked for, and look for what is wanted now. */
  private _askAnew(): void {
    this._search.abort();
    this._search = new AbortController();
    this._isOther = true;
    this._isFresh = false;
    this._looked = 0;
    this._wanted = PAGE;
    this.invalidate();
  }

  private async _open(commit: api.Commit): Promise<void> {
    const files = new FilesModel({
      client: this.lake.client,
      repo: commit.repo,
      ref: commit.id
    });
    files.stateChanged.connect(() => this.stateChanged.emit(), this);
    const details: ICommitDetails = { commit, changes: null, error: null, files };
    this._opened.set(commit.id, details);
    this.stateChanged.emit();
    const parent = commit.parents[0];
    try {
      details.changes = parent
        ? await diffCommits(this.lake.client, commit.repo, {
            old: parent,
            new: commit.id,
            limit: MAX_CHANGES
          })
        : { results: [], has_more: false, next: null };
    } catch (reason) {
      details.error = asLakeError(reason);
    }
    if (!this.isDisposed) {
      this.stateChanged.emit();
    }
  }

  private _close(): void {
    for (const details of this._opened.values()) {
      details.files.dispose();
    }
    this._opened.clear();
  }

  private _onSelectionChanged(): void {
    this._close();
    this._commits = [];
    this._next = null;
    if (this._selection.repo !== this._repo) {
      this._repo = this._selection.repo;
      this._filter = ALL; // it was of another repo's paths and people
    }
    this._askAnew();
    this.stateChanged.emit();
  }

  private readonly _selection: ILakeSelection;
  private readonly _opened = new Map<string, ICommitDetails>();
  private _repo: string | null = null;
  private _filter = ALL;
  private _selected: { repo: string; id: string } | null = null;
  private _allParents = true;
  private _commits: readonly api.Commit[] = [];
  private _next: string | null = null;
  private _wanted = PAGE;
  private _looked = 0;
  private _isLooking = false;
  /** Whether the newest commits are among those that are known. */
  private _isFresh = false;
  /** Whether what is known is the answer to another question. */
  private _isOther = true;
  private _search = new AbortController();
}

/** Return what of a filter is asked for. */
function asked(filter: ICommitFilter): Partial<ICommitFilter> {
  return Object.fromEntries(
    Object.entries(filter)
      .map(([name, value]: [string, string]) => [name, value.trim()])
      .filter(([, value]) => value !== '')
  );
}

/** What a {@link CommitsModel} is made of. */
export namespace CommitsModel {
  export interface IOptions {
    lake: ILake;
    selection: ILakeSelection;
  }
}
