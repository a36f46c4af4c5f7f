/**
 * What is mounted, and how the mount point is doing.
 */
import { createMount, deleteMount, listMountpoints, listMounts, switchMount } from '../api/mounts';
import type * as api from '../api/types';
import { RefreshingModel } from './refreshing';
import { DEFAULT_BRANCH } from './selection';

/** The mounts below the server's mount point. */
export class MountsModel extends RefreshingModel {
  /** Everything that is mounted. */
  get mounts(): readonly api.Mount[] {
    return this._mounts;
  }

  /** The folders below which repos are shown, by path. */
  get points(): readonly api.Mountpoint[] {
    return this._points;
  }

  /** Return the mounts of a repo, the one of a branch first. */
  of(repo: string): readonly api.Mount[] {
    return this._byRepo.get(repo) ?? [];
  }

  /** Return the mount that shows a session, if one does. */
  ofSession(session: string): api.Mount | undefined {
    return this._mounts.find(mount => mount.session_id === session);
  }

  /** Return the folder below which a mount is shown. */
  pointOf(mount: api.Mount): api.Mountpoint | undefined {
    return this._points.find(point => point.path === mount.mountpoint);
  }

  /**
   * Mount a ref of a repo, unless it is mounted already.
   *
   * @param ref - when left out, whatever the folder of the repo shows will do.
   * @param writable - by default what the server thinks right for the repo and the ref.
   */
  async create(repo: string, ref?: string, writable?: boolean): Promise<api.Mount> {
    const there = this.of(repo).find(mount =>
      ref === undefined ? mount.name === repo : mount.ref === ref
    );
    const body = { repo, ref: ref ?? DEFAULT_BRANCH, writable };
    return there ?? this.perform(repo, () => createMount(this.lake.client, body));
  }

  /** Show another ref in the folder of a mount. */
  switch(mount: api.Mount, ref: string, writable?: boolean): Promise<api.Mount> {
    return this.perform(mount.repo, () =>
      switchMount(this.lake.client, mount.name, { ref, writable })
    );
  }

  /** Mount again what is mounted, in the same folder; what is staged stays. */
  remount(mount: api.Mount): Promise<api.Mount> {
    const { repo, ref, is_writable: writable } = mount;
    return this.perform(repo, async () => {
      await deleteMount(this.lake.client, mount.name);
      return createMount(this.lake.client, { repo, ref, writable });
    });
  }

  /** Unmount; what is staged stays, unless it is to be discarded. */
  delete(mount: api.Mount, discard = false): Promise<void> {
    return this.perform(mount.repo, () => deleteMount(this.lake.client, mount.name, { discard }));
  }

  protected async load(): Promise<void> {
    const [mounts, points] = await Promise.all([
      listMounts(this.lake.client),
      listMountpoints(this.lake.client)
    ]);
    this._mounts = mounts.results;
    this._points = points.results;
    this._byRepo = new Map();
    for (const mount of this._mounts) {
      const others = this._byRepo.get(mount.repo) ?? [];
      const isPlain = mount.name === mount.repo;
      this._byRepo.set(mount.repo, isPlain ? [mount, ...others] : [...others, mount]);
    }
  }

  protected concerns(event: api.Event): boolean {
    return (
      event.kind === 'mount.changed' ||
      event.kind === 'repo.deleted' ||
      // What is mounted at a commit is further behind now.
      (event.kind === 'ref.moved' && this._byRepo.has(event.subject))
    );
  }

  private _mounts: api.Mount[] = [];
  private _points: api.Mountpoint[] = [];
  private _byRepo = new Map<string, api.Mount[]>();
}
