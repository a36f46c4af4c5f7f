/**
 * The history of the selected repo.
 */
import type { LakeApiError } from '../api/client';
import { diffCommits, listCommits } from '../api/commits';
import type * as api from '../api/types';
import type { ILake, ILakeSelection } from '../tokens';
import { FilesModel } from './files';
import { loadUpTo } from './paging';
import { asLakeError, RefreshingModel } from './refreshing';

const PAGE = 30;
const MAX_CHANGES = 200;

/** What an opened commit shows. */
export interface ICommitDetails {
  commit: api.Commit;
  /** What it changed against its first parent; null until loaded. */
  changes: api.ChangePage | null;
  error: LakeApiError | null;
  files: FilesModel;
}

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

  /** Load the next older commits. */
  loadMore(): Promise<void> {
    this._wanted += PAGE;
    return this.refresh();
  }

  override dispose(): void {
    this._close();
    super.dispose();
  }

  protected async load(): Promise<void> {
    const { repo, ref } = this._selection;
    const page =
      repo === null
        ? { results: [], next: null }
        : await loadUpTo(this._wanted, (after: string | undefined, limit) =>
            listCommits(this.lake.client, repo, ref, { after, limit })
          );
    if (repo === this._selection.repo && ref === this._selection.ref) {
      this._commits = page.results;
      this._next = page.next;
    }
  }

  protected concerns(event: api.Event): boolean {
    return event.kind === 'ref.moved' && event.subject === this._selection.repo;
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
    this._wanted = PAGE;
    this.stateChanged.emit();
    this.invalidate();
  }

  private readonly _selection: ILakeSelection;
  private readonly _opened = new Map<string, ICommitDetails>();
  private _commits: api.Commit[] = [];
  private _next: string | null = null;
  private _wanted = PAGE;
}

/** What a {@link CommitsModel} is made of. */
export namespace CommitsModel {
  export interface IOptions {
    lake: ILake;
    selection: ILakeSelection;
  }
}
