/**
 * What is staged, as far as file browsers show it: asked for folder by folder, and only for those
 * that somebody looks at.
 *
 * A mount tells the lake of some writes only when it is asked, so beside the events there is a poll
 * of the folders that are shown; it costs the server what is staged below them.
 */
import { Poll } from '@lumino/polling';

import { listChanged } from '../api/sessions';
import type * as api from '../api/types';
import type { ILake } from '../tokens';
import { DRIVE_NAME } from './drive';
import type { MountsModel } from './mounts';
import { loadUpTo } from './paging';
import { RefreshingModel } from './refreshing';

const POLL_MS = 2500;
const LONGEST_POLL_MS = 60_000;
/** More children of one folder are not marked. */
const MAX_MARKS = 20_000;

/** Where in the lake a path of the file browser leads. */
export interface IShownPlace {
  mount: api.Mount;
  /** Within the repo; empty for its root. */
  path: string;
}

/** The marks of the folders that are shown. */
export class FolderMarks extends RefreshingModel {
  constructor(options: FolderMarks.IOptions) {
    super(options.lake);
    this._mounts = options.mounts;
    this._shown = options.shown;
    this._mounts.stateChanged.connect(this.invalidate, this);
    this._poll = new Poll({
      auto: false,
      factory: () => this._look(),
      frequency: { interval: POLL_MS, backoff: true, max: LONGEST_POLL_MS },
      name: 'jupyter_datalake:marks',
      standby: 'when-hidden'
    });
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._mounts.stateChanged.disconnect(this.invalidate, this);
      this._poll.dispose();
    }
    super.dispose();
  }

  /** Return where a path leads; null for one that no mount shows. */
  placeOf(contentsPath: string): IShownPlace | null {
    let found: IShownPlace | null = null;
    let longest = -1;
    for (const mount of this._mounts.mounts) {
      const root = mount.contents_path;
      if (root === null || root.length <= longest) {
        continue;
      }
      if (contentsPath === root || contentsPath.startsWith(`${root}/`)) {
        found = { mount, path: contentsPath.slice(root.length + 1) };
        longest = root.length;
      }
    }
    return found;
  }

  /** Return what is staged at and below a path that is shown; null for nothing. */
  markOf(contentsPath: string): api.ChangedChild | null {
    const end = contentsPath.lastIndexOf('/');
    const folder =
      end >= 0
        ? contentsPath.slice(0, end)
        : contentsPath.startsWith(DRIVE_PREFIX)
          ? DRIVE_PREFIX
          : '';
    const name = contentsPath.slice(folder === DRIVE_PREFIX ? folder.length : end + 1);
    return this._marks.get(folder)?.get(name) ?? null;
  }

  protected async load(): Promise<void> {
    const marks = new Map<string, ReadonlyMap<string, api.ChangedChild>>();
    const folders = new Set(this._shown());
    await Promise.all(
      [...folders].map(async folder => {
        const children = await this._children(folder);
        if (children.length > 0) {
          marks.set(folder, new Map(children.map(child => [child.name, child])));
        }
      })
    );
    this._marks = marks;
  }

  protected concerns(event: api.Event): boolean {
    // A commit of others can make a conflict of what is staged.
    return ['session.changed', 'mount.changed', 'ref.moved'].includes(event.kind);
  }

  protected override onActiveChanged(): void {
    void (this.isActive ? this._poll.start() : this._poll.stop());
  }

  private async _children(folder: string): Promise<api.ChangedChild[]> {
    const place = this.placeOf(folder);
    if (!place) {
      return this._mountsIn(folder);
    }
    const session = place.mount.session_id;
    if (session === null) {
      return [];
    }
    const { results } = await loadUpTo(MAX_MARKS, (after: string | undefined, limit) =>
      listChanged(this.lake.client, session, { path: place.path, after, limit })
    );
    return results;
  }

  /** Return marks for the mounts in a folder that is none itself. */
  private async _mountsIn(folder: string): Promise<api.ChangedChild[]> {
    const prefix = folder === '' || folder === DRIVE_PREFIX ? folder : `${folder}/`;
    const found = await Promise.all(
      this._mounts.mounts.map(async ({ contents_path: root, session_id: session }) => {
        const name = root?.startsWith(prefix) === true ? root.slice(prefix.length) : '';
        if (session === null || name === '' || name.includes('/')) {
          return [];
        }
        const { results } = await listChanged(this.lake.client, session, { limit: MOUNT_PAGE });
        return results.length === 0 ? [] : [markOfMount(name, results)];
      })
    );
    return found.flat();
  }

  /** Look again where the lake is not told of every write. */
  private async _look(): Promise<void> {
    if (this._shown().some(folder => this._isWatched(folder))) {
      await this.refresh();
      if (this.error) {
        throw this.error; // the poll backs off
      }
    }
  }

  private _isWatched(folder: string): boolean {
    const prefix = folder === '' || folder === DRIVE_PREFIX ? folder : `${folder}/`;
    return (
      this.placeOf(folder) !== null ||
      this._mounts.mounts.some(mount => mount.contents_path?.startsWith(prefix))
    );
  }

  private readonly _mounts: MountsModel;
  private readonly _shown: () => readonly string[];
  private readonly _poll: Poll;
  private _marks = new Map<string, ReadonlyMap<string, api.ChangedChild>>();
}

const DRIVE_PREFIX = `${DRIVE_NAME}:`;
const MOUNT_PAGE = 1000;

/** Return one mark for a repo in which children of its root changed. */
function markOfMount(name: string, children: readonly api.ChangedChild[]): api.ChangedChild {
  return {
    name,
    kind: 'modified',
    count: children.reduce((sum, child) => sum + child.count, 0),
    is_conflict: children.some(child => child.is_conflict)
  };
}

/** What {@link FolderMarks} are made of. */
export namespace FolderMarks {
  export interface IOptions {
    lake: ILake;
    mounts: MountsModel;
    /** Returns the folders that are shown, as JupyterLab names them. */
    shown: () => readonly string[];
  }
}
