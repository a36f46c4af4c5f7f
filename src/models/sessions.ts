/**
 * What is written to mounted branches and not yet committed.
 *
 * A mount tells the lake of some writes only when it is asked, so this is the one model that
 * polls: while somebody looks, and only the sessions that are mounted.
 */
import { Poll } from '@lumino/polling';

import {
  commitSession,
  deleteSession,
  diffSession,
  discardSession,
  listChanged,
  listDrafts,
  listSessions,
  recoverSession
} from '../api/sessions';
import type * as api from '../api/types';
import type { ILake } from '../tokens';
import type { MountsModel } from './mounts';
import { loadUpTo, WHOLE_PAGE } from './paging';
import { asLakeError, RefreshingModel } from './refreshing';

const POLL_MS = 2500;
const LONGEST_POLL_MS = 60_000;
const PAGE = 500;
const MAX_CHANGES = 20_000;

/** Whose version of a path is committed that others changed too. */
export type Whose = 'mine' | 'theirs';

/** Paths of a session that others changed too, and whose version of each is wanted. */
export interface ISessionConflict {
  /** The first of them. */
  paths: readonly string[];
  count: number;
  /** What the session is based on, and what the branch has now. */
  base: string;
  head: string;
  choices: ReadonlyMap<string, Whose>;
}

/** One session and what is staged in it. */
export interface ISessionChanges {
  session: api.Session;
  changes: readonly api.Change[];
  /** Whether there are more changes than these. */
  hasMore: boolean;
  /** Whether {@link SessionsModel.loadMore} can load some of these. */
  canLoadMore: boolean;
  /** Why the changes could not be looked at, or the commit could not be made. */
  error: api.Error | null;
  /** The paths that the last commit was refused for; null if it was not. */
  conflict: ISessionConflict | null;
  /** The commit message that is being written. */
  message: string;
}

/** How many paths are staged, and whether there are more than that. */
export interface IStagedCount {
  count: number;
  hasMore: boolean;
}

/** The open sessions with their changes. */
export class SessionsModel extends RefreshingModel {
  constructor(options: SessionsModel.IOptions) {
    super(options.lake);
    this._mounts = options.mounts;
    this._poll = new Poll({
      auto: false,
      factory: () => this._look(),
      frequency: {
        interval: POLL_MS,
        backoff: true,
        max: LONGEST_POLL_MS
      },
      name: 'jupyter_datalake:changes',
      standby: 'when-hidden'
    });
  }

  /** Sessions in which something is staged, or could not be looked at; oldest first. */
  get changed(): readonly ISessionChanges[] {
    return this._sessions
      .map(session => this._stateOf(session))
      .filter(one => one.changes.length > 0 || one.error !== null);
  }

  /** How many paths are staged, over all sessions. */
  get count(): number {
    return this._sessions.reduce((sum, { id }) => sum + (this._changes.get(id)?.length ?? 0), 0);
  }

  /** All open sessions, oldest first. */
  get sessions(): readonly api.Session[] {
    return this._sessions;
  }

  /** Return how many paths are staged in a session, as far as they are loaded. */
  countOf(session: string): { count: number; hasMore: boolean } {
    return {
      count: this._changes.get(session)?.length ?? 0,
      hasMore: this._hasMore.get(session) ?? false
    };
  }

  /** What sessions held that are gone, newest first. */
  get lost(): readonly api.SessionDraft[] {
    return this._lost;
  }

  /** Return a session that writes to a branch, if one is open. */
  of(repo: string, branch?: string): api.Session | undefined {
    return this._sessions.find(
      one => one.repo === repo && (branch === undefined || one.branch === branch)
    );
  }

  /** Time between two looks at what is staged. */
  get interval_ms(): number {
    return this._poll.frequency.interval;
  }
  set interval_ms(interval: number) {
    this._poll.frequency = { ...this._poll.frequency, interval };
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._poll.dispose();
    }
    super.dispose();
  }

  /** Keep the commit message that is being written. */
  setMessage(session: string, message: string): void {
    this._messages.set(session, message);
    this.stateChanged.emit();
  }

  /**
   * Commit what is staged in a session.
   *
   * @param message - by default the one that was written.
   */
  async commit(session: api.Session, message?: string): Promise<api.Commit> {
    const text = (message ?? this._messages.get(session.id) ?? '').trim();
    const { id, base_commit_id } = session;
    const chosen = this._choices.get(id);
    const choices = chosen && Object.fromEntries(chosen);
    const commit = await this._act(id, () =>
      commitSession(this.lake.client, id, { message: text, choices }, base_commit_id)
    );
    this._messages.delete(id);
    this._choices.delete(id);
    this.stateChanged.emit();
    return commit;
  }

  /**
   * Return how many paths are staged in a session.
   *
   * What is not loaded is counted by the server, folder by folder; where it cannot be asked, or has
   * too many, `hasMore` says that there are more than that.
   */
  async total(one: ISessionChanges): Promise<IStagedCount> {
    if (!one.hasMore) {
      return { count: one.changes.length, hasMore: false };
    }
    const { id } = one.session;
    const children = await loadUpTo(MAX_CHANGES, (after: string | undefined, limit) =>
      listChanged(this.lake.client, id, { after, limit })
    ).catch(() => null);
    if (!children) {
      return { count: one.changes.length, hasMore: true };
    }
    const count = children.results.reduce((sum, child) => sum + child.count, 0);
    return { count, hasMore: children.next !== null };
  }

  /** Choose whose version of some paths the next commit of a session takes. */
  choose(session: string, paths: readonly string[], whose: Whose): void {
    const choices = new Map(this._choices.get(session));
    for (const path of paths) {
      choices.set(path, whose);
    }
    this._choices.set(session, choices);
    this.stateChanged.emit();
  }

  /** Load more of what is staged in a session, if there is more. */
  async loadMore(session: api.Session): Promise<void> {
    const loaded = this._changes.get(session.id)?.length ?? 0;
    const wanted = Math.min(loaded + WHOLE_PAGE, MAX_CHANGES);
    if (this._hasMore.get(session.id) && (this._wanted.get(session.id) ?? PAGE) < wanted) {
      this._wanted.set(session.id, wanted);
      await this._diff(session);
      if (!this.isDisposed) {
        this.stateChanged.emit();
      }
    }
  }

  /** Drop what is staged in a session, everywhere or at and below some paths. */
  discard(session: api.Session, paths?: string[]): Promise<void> {
    return this._act(session.id, () => discardSession(this.lake.client, session.id, { paths }));
  }

  /** Remove a session that is not mounted. */
  delete(session: api.Session): Promise<void> {
    return this._act(session.id, () => deleteSession(this.lake.client, session.id));
  }

  /** Return why the last act on a session, or on its draft, failed. */
  failureOf(id: string): api.Error | null {
    return this._failed.get(id) ?? null;
  }

  /** Begin a session with what a draft holds. */
  recover(draft: api.SessionDraft): Promise<api.Session> {
    const id = draft.session_id;
    return this._act(id, () => recoverSession(this.lake.client, id));
  }

  protected async load(): Promise<void> {
    const [sessions, drafts] = await Promise.all([
      listSessions(this.lake.client),
      listDrafts(this.lake.client)
    ]);
    this._sessions = sessions.results;
    this._lost = drafts.results.filter(draft => !draft.has_session);
    const open = new Set(this._sessions.map(session => session.id));
    for (const map of [
      this._choices,
      this._changes,
      this._errors,
      this._messages,
      this._hasMore,
      this._wanted
    ]) {
      for (const id of map.keys()) {
        if (!open.has(id)) {
          map.delete(id);
        }
      }
    }
    await Promise.all(this._sessions.map(session => this._diff(session)));
  }

  protected concerns(event: api.Event): boolean {
    return event.kind === 'session.changed' || event.kind === 'mount.changed';
  }

  protected override onActiveChanged(): void {
    void (this.isActive ? this._poll.start() : this._poll.stop());
  }

  /** Do something to a session or its draft; why it failed is thrown, and shown with it. */
  private _act<T>(id: string, action: () => Promise<T>): Promise<T> {
    this._failed.delete(id);
    return this.perform(id, async () => {
      try {
        return await action();
      } catch (reason) {
        this._failed.set(id, asLakeError(reason));
        throw reason;
      }
    });
  }

  /** Look at the sessions whose files can change without the lake being told. */
  private async _look(): Promise<void> {
    const mounted = this._sessions.filter(({ id }) => this._mounts.ofSession(id));
    this._looks++;
    // What is loaded far is looked at more seldom: it is a page for each look.
    const due = mounted.filter(
      ({ id }) => this._looks % Math.ceil((this._wanted.get(id) ?? PAGE) / PAGE) === 0
    );
    const changed = await Promise.all(due.map(session => this._diff(session)));
    if (!this.isDisposed && changed.includes(true)) {
      this.stateChanged.emit();
    }
    if (mounted.some(({ id }) => this._errors.has(id))) {
      throw new Error('A session could not be looked at'); // the poll backs off
    }
  }

  /** Look at what is staged in a session; return whether something else is there than before. */
  private async _diff({ id }: api.Session): Promise<boolean> {
    const before = this._fingerprint(id);
    try {
      const { results, next } = await loadUpTo(
        this._wanted.get(id) ?? PAGE,
        (after: string | undefined, limit) => diffSession(this.lake.client, id, { after, limit })
      );
      this._changes.set(id, results);
      this._hasMore.set(id, next !== null);
      this._errors.delete(id);
    } catch (reason) {
      this._errors.set(id, asLakeError(reason));
    }
    return this._fingerprint(id) !== before;
  }

  private _stateOf(session: api.Session): ISessionChanges {
    const changes = this._changes.get(session.id) ?? [];
    const hasMore = this._hasMore.get(session.id) ?? false;
    return {
      session,
      changes,
      hasMore,
      canLoadMore: hasMore && changes.length < MAX_CHANGES,
      conflict: this._conflictOf(session.id),
      error: this._failed.get(session.id) ?? this._errors.get(session.id) ?? null,
      message: this._messages.get(session.id) ?? ''
    };
  }

  private _conflictOf(id: string): ISessionConflict | null {
    const failed = this._failed.get(id);
    const { paths, count, base, head } = (failed?.details ?? {}) as Partial<ISessionConflict>;
    return failed?.kind === 'paths-conflict' && paths && base && head
      ? {
          paths,
          count: count ?? paths.length,
          base,
          head,
          choices: this._choices.get(id) ?? new Map()
        }
      : null;
  }

  private _fingerprint(id: string): string {
    return JSON.stringify([
      this._changes.get(id),
      this._hasMore.get(id),
      this._errors.get(id)?.message
    ]);
  }

  private readonly _mounts: MountsModel;
  private readonly _poll: Poll;
  private readonly _changes = new Map<string, api.Change[]>();
  private readonly _hasMore = new Map<string, boolean>();
  private readonly _errors = new Map<string, api.Error & Error>();
  private readonly _choices = new Map<string, ReadonlyMap<string, Whose>>();
  private readonly _failed = new Map<string, api.Error & Error>();
  private readonly _messages = new Map<string, string>();
  /** How many changes are loaded, where that is more than a page. */
  private readonly _wanted = new Map<string, number>();
  private _looks = 0;
  private _sessions: api.Session[] = [];
  private _lost: api.SessionDraft[] = [];
}

/** What a {@link SessionsModel} is made of. */
export namespace SessionsModel {
  export interface IOptions {
    lake: ILake;
    mounts: MountsModel;
  }
}
