/**
 * The repos of the lake.
 */
import { createRepo, deleteRepo, listRepos, updateRepo } from '../api/repos';
import type * as api from '../api/types';
import { loadAll } from './paging';
import { RefreshingModel } from './refreshing';

/** All repos by name, and the text they are searched by. */
export class ReposModel extends RefreshingModel {
  /** All repos. */
  get repos(): readonly api.Repo[] {
    return this._repos;
  }

  /** What the names are searched for. */
  get search(): string {
    return this._search;
  }
  set search(value: string) {
    if (value !== this._search) {
      this._search = value;
      this.stateChanged.emit();
    }
  }

  /** The repos that the search finds. */
  get found(): readonly api.Repo[] {
    const wanted = this._search.trim().toLowerCase();
    return wanted
      ? this._repos.filter(
          repo => repo.name.includes(wanted) || repo.description.toLowerCase().includes(wanted)
        )
      : this._repos;
  }

  /** Return a repo by name, if it is loaded. */
  get(name: string): api.Repo | undefined {
    return this._repos.find(repo => repo.name === name);
  }

  /** Create a repo. */
  create(name: string, description: string): Promise<api.Repo> {
    return this.perform(name, () => createRepo(this.lake.client, { name, description }));
  }

  /** Replace what is said of a repo. */
  describe(name: string, description: string): Promise<api.Repo> {
    return this.perform(name, () => updateRepo(this.lake.client, name, { description }));
  }

  /** Remove a repo with its history. */
  delete(name: string): Promise<void> {
    return this.perform(name, () => deleteRepo(this.lake.client, name));
  }

  protected async load(): Promise<void> {
    this._repos = await loadAll((after, limit) => listRepos(this.lake.client, { after, limit }));
  }

  protected concerns(event: api.Event): boolean {
    return event.kind.startsWith('repo.') || event.kind === 'ref.moved';
  }

  private _repos: api.Repo[] = [];
  private _search = '';
}
