/**
 * Branches and tags of the selected repo.
 */
import { createBranch, createTag, deleteBranch, deleteTag, listRefs } from '../api/refs';
import type * as api from '../api/types';
import type { ILake, ILakeSelection } from '../tokens';
import { loadAll } from './paging';
import { RefreshingModel } from './refreshing';

/** The refs of the selected repo. */
export class RefsModel extends RefreshingModel {
  constructor(options: RefsModel.IOptions) {
    super(options.lake);
    this._selection = options.selection;
    this._selection.changed.connect(this._onSelectionChanged, this);
  }

  /** The branches, by name. */
  get branches(): readonly api.Ref[] {
    return this._refs.filter(ref => ref.kind === 'branch');
  }

  /** The tags, by name. */
  get tags(): readonly api.Ref[] {
    return this._refs.filter(ref => ref.kind === 'tag');
  }

  /** Return the refs that point to a commit. */
  at(commit: string): readonly api.Ref[] {
    return this._refs.filter(ref => ref.commit_id === commit);
  }

  /** Create a branch or a tag. */
  create(kind: api.RefKind, repo: string, name: string, at: string): Promise<api.Ref> {
    const make = kind === 'branch' ? createBranch : createTag;
    return this.perform(name, () => make(this.lake.client, repo, { name, at }));
  }

  /** Remove a branch or a tag. */
  delete(kind: api.RefKind, repo: string, name: string): Promise<void> {
    const remove = kind === 'branch' ? deleteBranch : deleteTag;
    return this.perform(name, () => remove(this.lake.client, repo, name));
  }

  protected async load(): Promise<void> {
    const { repo } = this._selection;
    const refs =
      repo === null
        ? []
        : await loadAll((after, limit) => listRefs(this.lake.client, repo, { after, limit }));
    if (repo === this._selection.repo) {
      this._repo = repo;
      this._refs = refs;
    }
  }

  protected concerns(event: api.Event): boolean {
    return event.kind === 'ref.moved' && event.subject === this._selection.repo;
  }

  private _onSelectionChanged(): void {
    if (this._selection.repo !== this._repo) {
      this._refs = [];
      this.invalidate();
    }
  }

  private readonly _selection: ILakeSelection;
  private _repo: string | null = null;
  private _refs: api.Ref[] = [];
}

/** What a {@link RefsModel} is made of. */
export namespace RefsModel {
  export interface IOptions {
    lake: ILake;
    selection: ILakeSelection;
  }
}
