/**
 * The event stream: one websocket, resumed behind the last event seen.
 */
import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { NAMESPACE } from './client';
import type * as api from './types';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

/** Follows the lake's events, and finds its way back after a broken connection. */
export class EventStream implements IDisposable {
  constructor(options: EventStream.IOptions) {
    this._settings = options.serverSettings;
  }

  /** Emitted for every event, in order, each once. */
  get happened(): ISignal<this, api.Event> {
    return this._happened;
  }

  /** Emitted when the connection is made or lost. */
  get stateChanged(): ISignal<this, EventStream.State> {
    return this._stateChanged;
  }

  /** Whether events arrive now. */
  get state(): EventStream.State {
    return this._state;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Begin to follow. Safe to call again: the first call counts.
   *
   * @param after - the number of the last event that is known already.
   */
  start(after: number): void {
    if (this._isDisposed || this._isStarted) {
      return;
    }
    this._isStarted = true;
    this._last = after;
    this._connect();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    this._drop();
    Signal.clearData(this);
  }

  private _connect(): void {
    const { wsUrl, appendToken, token, WebSocket } = this._settings;
    const query = new URLSearchParams({ after: String(this._last) });
    if (appendToken && token) {
      query.set('token', token);
    }
    const socket = new WebSocket(`${URLExt.join(wsUrl, NAMESPACE, 'events', 'stream')}?${query}`);
    this._socket = socket;
    socket.onopen = () => {
      this._delay_ms = FIRST_DELAY_MS;
      this._enter('open');
    };
    socket.onmessage = message => this._receive(message.data);
    socket.onclose = () => this._retry();
  }

  private _receive(data: unknown): void {
    const event = JSON.parse(String(data)) as api.Event;
    if (event.number > this._last) {
      this._last = event.number;
      this._happened.emit(event);
    }
  }

  private _retry(): void {
    this._drop();
    if (this._isDisposed) {
      return;
    }
    this._enter('lost');
    // A random part keeps the browsers of a restarted server from coming back all at once.
    const delay = this._delay_ms * (0.75 + Math.random() / 2);
    this._delay_ms = Math.min(this._delay_ms * 2, LONGEST_DELAY_MS);
    this._timer = window.setTimeout(() => this._connect(), delay);
  }

  private _drop(): void {
    const socket = this._socket;
    this._socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private _enter(state: EventStream.State): void {
    if (state !== this._state) {
      this._state = state;
      this._stateChanged.emit(state);
    }
  }

  private readonly _settings: ServerConnection.ISettings;
  private readonly _happened = new Signal<this, api.Event>(this);
  private readonly _stateChanged = new Signal<this, EventStream.State>(this);
  private _state: EventStream.State = 'connecting';
  private _socket: WebSocket | null = null;
  private _last = 0;
  private _delay_ms = FIRST_DELAY_MS;
  private _timer = 0;
  private _isStarted = false;
  private _isDisposed = false;
}

/** What an {@link EventStream} is made of. */
export namespace EventStream {
  export interface IOptions {
    serverSettings: ServerConnection.ISettings;
  }

  /** `connecting` until the first connection; `lost` while there is none. */
  export type State = 'connecting' | 'open' | 'lost';
}
