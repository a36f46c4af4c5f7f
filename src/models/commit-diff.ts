/**
 * What differs between any two commits of a repo, or a commit and what is staged.
 */
import { diffCommits, getCommit } from '../api/commits';
import { listRefs } from '../api/refs';
import { diffSession, listSessions } from '../api/sessions';
import type * as api from '../api/types';
import type { ILake } from '../tokens';
import { RefreshingModel } from './refreshing';

const PAGE = 500;
const MAX_REFS = 500;

/** A version of a repo: a commit by a ref expression, or what is staged in a session. */
export type Version = { ref: string } | { session: string };

/** What the versions of a repo may be chosen from. */
export interface IVersions {
  refs: readonly api.Ref[];
  sessions: readonly api.Session[];
}

/** Two versions and the paths on which they differ, page by page. */
export class CommitDiffModel extends RefreshingModel {
  constructor(options: CommitDiffModel.IOptions) {
    super(options.lake);
    this.repo = options.repo;
    this._old = options.old;
    this._new = options.new;
    this._staged = options.session ?? null;
  }

  readonly repo: string;

  /** Ref expressions of what is compared. */
  get old(): string {
    return this._old;
  }
  get new(): string {
    return this._new;
  }

  /** The session whose staged files stand in place of the newer commit; null for a commit. */
  get staged(): string | null {
    return this._staged;
  }

  /** That session; null for a commit, and until it is known. */
  get session(): api.Session | null {
    return this._versions.sessions.find(({ id }) => id === this._staged) ?? null;
  }

  /** Branches, tags and sessions to choose from. */
  get versions(): IVersions {
    return this._versions;
  }

  /** The commits that these mean; null until it is known. With a session, what that began with. */
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

  /** Compare them the other way round; what is staged is always the newer one. */
  swap(): void {
    if (this._staged === null) {
      [this._old, this._new] = [this._new, this._old];
      void this.refresh();
    }
  }

  /** Choose the older commit. */
  chooseOld(ref: string): void {
    this._old = ref;
    void this.refresh();
  }

  /** Choose the newer version. */
  chooseNew(version: Version): void {
    if ('session' in version) {
      this._staged = version.session;
    } else {
      this._staged = null;
      this._new = version.ref;
    }
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
    const { _old: old, _new: now, _staged: staged } = this;
    const { client } = this.lake;
    const [refs, { results: sessions }] = await Promise.all([
      listRefs(client, this.repo, { limit: MAX_REFS }),
      listSessions(client, { repo: this.repo })
    ]);
    this._versions = { refs: refs.results, sessions };
    const base = this.session?.base_commit_id;
    const commits = await Promise.all([
      getCommit(client, this.repo, old),
      getCommit(client, this.repo, base ?? now)
    ]);
    const page = await this._page(commits, undefined);
    if (old === this._old && now === this._new && staged === this._staged) {
      this._commits = commits;
      this._changes = page.results;
      this._next = page.next;
    }
  }

  protected concerns(event: api.Event): boolean {
    return (
      (event.kind === 'ref.moved' || event.kind === 'session.changed') &&
      (event.subject === this.repo || event.subject === this._staged)
    );
  }

  private _page(
    [old, now]: readonly [api.Commit, api.Commit],
    after: string | undefined
  ): Promise<api.ChangePage> {
    if (this._staged !== null) {
      return diffSession(this.lake.client, this._staged, { old: old.id, after, limit: PAGE });
    }
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
  private _staged: string | null;
  private _versions: IVersions = { refs: [], sessions: [] };
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
    /** A session, to compare what is staged in it in place of `new`. */
    session?: string;
  }
}
