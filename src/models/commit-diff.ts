/**
 * What differs between any two commits of a repo.
 */
import { diffCommits, getCommit } from '../api/commits';
import type * as api from '../api/types';
import type { ILake } from '../tokens';
import { RefreshingModel } from './refreshing';

const PAGE = 500;

/** Two commits and the paths on which they differ, page by page. */
export class CommitDiffModel extends RefreshingModel {
  constructor(options: CommitDiffModel.IOptions) {
    super(options.lake);
    this.repo = options.repo;
    this._old = options.old;
    this._new = options.new;
  }

  readonly repo: string;

  /** Ref expressions of what is compared. */
  get old(): string {
    return this._old;
  }
  get new(): string {
    return this._new;
  }

  /** The commits that these mean; null until it is known. */
  get commits(): readonly [api.Commit, api.Commit] | null {
    return this._commits;
  }

  /** The differences that are loaded, by path. */
  get changes(): readonly api.Change[] {
    return this._changes;
  }

  /** Whether there are more. */
  get hasMore(): boolean {
    return this._next !== null;
  }

  /** Whether what is at another path counts as one change. */
  get renames(): boolean {
    return this._renames;
  }
  set renames(renames: boolean) {
    this._renames = renames;
    void this.refresh();
  }

  /** Compare them the other way round. */
  swap(): void {
    [this._old, this._new] = [this._new, this._old];
    void this.refresh();
  }

  /** Load the next differences. */
  async loadMore(): Promise<void> {
    if (this._next !== null && this._commits && !this._isLoading) {
      const { _commits: commits } = this;
      this._isLoading = true;
      try {
        const page = await this._page(commits, this._next);
        if (commits === this._commits) {
          this._changes = [...this._changes, ...page.results];
          this._next = page.next;
        }
      } finally {
        this._isLoading = false;
      }
      this.stateChanged.emit();
    }
  }

  protected async load(): Promise<void> {
    const { _old: old, _new: now } = this;
    const commits = await Promise.all([
      getCommit(this.lake.client, this.repo, old),
      getCommit(this.lake.client, this.repo, now)
    ]);
    const page = await this._page(commits, undefined);
    if (old === this._old && now === this._new) {
      this._commits = commits;
      this._changes = page.results;
      this._next = page.next;
    }
  }

  protected concerns(event: api.Event): boolean {
    return event.kind === 'ref.moved' && event.subject === this.repo;
  }

  private _page(
    [old, now]: readonly [api.Commit, api.Commit],
    after: string | undefined
  ): Promise<api.ChangePage> {
    return diffCommits(this.lake.client, this.repo, {
      old: old.id,
      new: now.id,
      renames: this._renames,
      after,
      limit: PAGE
    });
  }

  private _old: string;
  private _new: string;
  private _renames = false;
  private _commits: readonly [api.Commit, api.Commit] | null = null;
  private _changes: readonly api.Change[] = [];
  private _next: string | null = null;
  private _isLoading = false;
}

/** What a {@link CommitDiffModel} is made of. */
export namespace CommitDiffModel {
  export interface IOptions {
    lake: ILake;
    repo: string;
    old: string;
    new: string;
  }
}
