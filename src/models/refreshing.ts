/**
 * What every model of the lake shares: loading that never overlaps, only while somebody looks,
 * set off by the events that concern it.
 */
import { VDomModel } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import { DisposableDelegate } from '@lumino/disposable';

import { LakeApiError } from '../api/client';
import type * as api from '../api/types';
import type { ILake } from '../tokens';

/** Time in which events are collected into one refresh. */
export const GATHER_MS = 150;

/** Data of the lake that follows what happens. */
export abstract class RefreshingModel extends VDomModel {
  constructor(lake: ILake) {
    super();
    this.lake = lake;
    lake.happened.connect(this._onHappened, this);
    lake.outdated.connect(this._onOutdated, this);
  }

  /** Why the data is not what it should be; null if it is. */
  get error(): LakeApiError | null {
    return this._error;
  }

  /** Whether there is data to show. */
  get isReady(): boolean {
    return this._isReady;
  }

  /** Whether somebody looks: only then does the model load. */
  get isActive(): boolean {
    return this._watchers > 0;
  }

  /** Look at the model until the result is disposed. */
  watch(): IDisposable {
    this._watchers++;
    if (this._watchers === 1) {
      this.onActiveChanged();
      if (this._isStale) {
        void this.refresh();
      }
    }
    return new DisposableDelegate(() => {
      this._watchers--;
      if (this._watchers === 0) {
        this.onActiveChanged();
      }
    });
  }

  /** Whether an action on a thing is under way. */
  isBusy(key: string): boolean {
    return this._busy.has(key);
  }

  override dispose(): void {
    window.clearTimeout(this._timer);
    super.dispose();
  }

  /** Load anew. A call during a refresh makes one more follow, however many calls there are. */
  refresh(): Promise<void> {
    this._isStale = false;
    if (this._refreshing) {
      this._isOutrun = true;
      return this._refreshing;
    }
    this._refreshing = this._refresh().finally(() => {
      this._refreshing = null;
    });
    return this._refreshing;
  }

  /** Load anew soon, or as soon as somebody looks. */
  invalidate(): void {
    this._isStale = true;
    if (this.isActive && this._timer === 0) {
      this._timer = window.setTimeout(() => {
        this._timer = 0;
        if (this.isActive && this._isStale) {
          void this.refresh();
        }
      }, GATHER_MS);
    }
  }

  /**
   * Do something that changes the lake, and load anew.
   *
   * @param key - what is busy meanwhile.
   */
  async perform<T>(key: string, action: () => Promise<T>): Promise<T> {
    this._busy.add(key);
    this.stateChanged.emit();
    try {
      return await action();
    } finally {
      this._busy.delete(key);
      if (!this.isDisposed) {
        await this.refresh();
      }
    }
  }

  /** Fetch the data; the caller deals with errors and tells the views. */
  protected abstract load(): Promise<void>;

  /** Whether an event makes the data out of date. */
  protected abstract concerns(event: api.Event): boolean;

  /** Called when somebody begins to look, and when nobody does any more. */
  protected onActiveChanged(): void {
    // for models that do more than load
  }

  /** Where the data is. */
  protected readonly lake: ILake;

  private async _refresh(): Promise<void> {
    do {
      this._isOutrun = false;
      try {
        await this.load();
        this._error = null;
        this._isReady = true;
      } catch (reason) {
        this._error = asLakeError(reason);
      }
      if (this.isDisposed) {
        return;
      }
      this.stateChanged.emit();
    } while (this._isOutrun);
  }

  private _onHappened(_: ILake, event: api.Event): void {
    if (this.concerns(event)) {
      this.invalidate();
    }
  }

  private _onOutdated(): void {
    this.invalidate();
  }

  private readonly _busy = new Set<string>();
  private _error: LakeApiError | null = null;
  private _refreshing: Promise<void> | null = null;
  private _isOutrun = false;
  private _isReady = false;
  private _isStale = true;
  private _timer = 0;
  private _watchers = 0;
}

/** Return a failure as a {@link LakeApiError}; what is none is a bug of ours, and shown as such. */
export function asLakeError(reason: unknown): LakeApiError {
  if (reason instanceof LakeApiError) {
    return reason;
  }
  return new LakeApiError({
    status: 0,
    kind: LakeApiError.UNEXPECTED,
    message: reason instanceof Error ? reason.message : String(reason)
  });
}
