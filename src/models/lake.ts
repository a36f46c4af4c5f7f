/**
 * The lake as the front end holds it: a client, the event stream, and how both are doing.
 */
import { VDomModel } from '@jupyterlab/ui-components';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { LakeApiError, LakeClient } from '../api/client';
import { EventStream } from '../api/events';
import { getStatus } from '../api/maintenance';
import type * as api from '../api/types';
import type { ILake } from '../tokens';
import { asLakeError, GATHER_MS } from './refreshing';

const RETRY_MS = 10_000;

/** The lake, and whether it can be reached. */
export class LakeModel extends VDomModel implements ILake {
  constructor(options: LakeModel.IOptions) {
    super();
    this.client = options.client;
    this._stream =
      options.stream ?? new EventStream({ serverSettings: options.client.serverSettings });
    this._stream.happened.connect(this._onHappened, this);
    this._stream.stateChanged.connect(this._onStateChanged, this);
  }

  readonly client: LakeClient;

  get happened(): ISignal<this, api.Event> {
    return this._happened;
  }

  get outdated(): ISignal<this, void> {
    return this._outdated;
  }

  get status(): api.Status | null {
    return this._status;
  }

  get error(): LakeApiError | null {
    return this._error;
  }

  get isCutOff(): boolean {
    return this._stream.state === 'lost';
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    window.clearTimeout(this._timer);
    this._stream.dispose();
    super.dispose();
  }

  /** Ask how the lake is doing, and follow its events from the first answer on. */
  async refresh(): Promise<void> {
    window.clearTimeout(this._timer);
    this._timer = 0;
    try {
      this._status = await getStatus(this.client);
      this._error = null;
      this._stream.start(this._status.last_event);
    } catch (reason) {
      this._error = asLakeError(reason);
      if (this._error.retryable) {
        this._refreshIn(RETRY_MS);
      }
    }
    if (!this.isDisposed) {
      this.stateChanged.emit();
    }
  }

  private _refreshIn(delay_ms: number): void {
    if (this._timer === 0 && !this.isDisposed) {
      this._timer = window.setTimeout(() => void this.refresh(), delay_ms);
    }
  }

  private _onHappened(_: EventStream, event: api.Event): void {
    if (event.kind === 'job.changed') {
      this._refreshIn(GATHER_MS);
    }
    this._happened.emit(event);
  }

  private _onStateChanged(_: EventStream, state: EventStream.State): void {
    if (state === 'open' && this._wasCutOff) {
      void this.refresh();
      this._outdated.emit();
    }
    this._wasCutOff = state === 'lost';
    this.stateChanged.emit();
  }

  private readonly _stream: EventStream;
  private readonly _happened = new Signal<this, api.Event>(this);
  private readonly _outdated = new Signal<this, void>(this);
  private _status: api.Status | null = null;
  private _error: LakeApiError | null = null;
  private _wasCutOff = false;
  private _timer = 0;
}

/** What a {@link LakeModel} is made of. */
export namespace LakeModel {
  export interface IOptions {
    client: LakeClient;
    /** The events; a stream of the client's server by default. */
    stream?: EventStream;
  }
}
