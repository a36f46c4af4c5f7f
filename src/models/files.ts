/**
 * The files of one commit, as a tree whose folders are loaded when they are opened.
 */
import { VDomModel } from '@jupyterlab/ui-components';

import type { IClient } from '../api/client';
import { listFiles } from '../api/files';
import type * as api from '../api/types';
import { asLakeError } from './refreshing';

const PAGE = 100;

/** One folder, as far as it is loaded. */
export interface IFolder {
  files: readonly api.File[];
  /** What to ask for the next page; null when all is there. */
  next: string | null;
  isLoading: boolean;
  error: Error | null;
}

/** The files of one commit. */
export class FilesModel extends VDomModel {
  constructor(options: FilesModel.IOptions) {
    super();
    this._options = options;
  }

  /** The folders that are open, by path; the root is the empty path. */
  get folders(): ReadonlyMap<string, IFolder> {
    return this._folders;
  }

  /** Open a folder, or close it. */
  toggle(path: string): void {
    if (this._folders.delete(path)) {
      this.stateChanged.emit();
    } else {
      void this.loadMore(path);
    }
  }

  /** Load the next page of a folder. */
  async loadMore(path: string): Promise<void> {
    const before = this._folders.get(path);
    if (before?.isLoading) {
      return;
    }
    const files = before?.files ?? [];
    this._put(path, { files, next: null, isLoading: true, error: null });
    const { client, repo, ref } = this._options;
    try {
      const page = await listFiles(client, repo, ref, {
        path,
        after: before?.next ?? undefined,
        limit: PAGE
      });
      this._put(path, {
        files: [...files, ...page.results],
        next: page.next,
        isLoading: false,
        error: null
      });
    } catch (reason) {
      const error = asLakeError(reason);
      this._put(path, { files, next: before?.next ?? null, isLoading: false, error });
    }
  }

  private _put(path: string, folder: IFolder): void {
    if (!this.isDisposed) {
      this._folders.set(path, folder);
      this.stateChanged.emit();
    }
  }

  private readonly _options: FilesModel.IOptions;
  private readonly _folders = new Map<string, IFolder>();
}

/** What a {@link FilesModel} is made of. */
export namespace FilesModel {
  export interface IOptions {
    client: IClient;
    repo: string;
    ref: string;
  }
}
