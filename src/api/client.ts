/**
 * Requests to the lake's REST interface: one place for addresses, JSON and errors.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type * as api from './types';

/** Where the server extension lives below the base URL. */
export const NAMESPACE = 'datalake';

/** The shape of one operation's parameters in the query. */
export type Query<O extends keyof api.operations> = NonNullable<
  api.operations[O]['parameters']['query']
>;

/** The shape of one operation's JSON body. */
export type Body<O extends keyof api.operations> = api.operations[O] extends {
  requestBody?: { content: { 'application/json': infer T } };
}
  ? T
  : never;

/** One request, in terms of the contract. */
export interface IRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Segments of the path, not yet encoded: names may hold slashes. */
  path: readonly (string | number)[];
  /** Parameters; those that are undefined are left out. */
  query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, in place of `body`. */
  data?: BodyInit;
  headers?: Readonly<Record<string, string>>;
  /** Gives the request up. */
  signal?: AbortSignal;
}

/** What the functions of the API need: something that answers requests. */
export interface IClient {
  /**
   * Return the answer to a request.
   *
   * @throws LakeApiError for every failure, also of the connection.
   */
  request<T>(request: IRequest): Promise<T>;
}

/** Something that also hands out bytes that are no JSON. */
export interface IByteClient extends IClient {
  /** Return the bytes that answer a request; fails as `request` does. */
  read(request: IRequest): Promise<ArrayBuffer>;

  /** Return the address of a request. */
  urlOf(request: IRequest): string;
}

/** A request that failed, in the terms of the contract's `Error`. */
export class LakeApiError extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Stable code of what happened; see {@link LakeApiError.UNREACHABLE} and its siblings. */
  readonly kind: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** Values worth showing or handling. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(options: LakeApiError.IOptions) {
    super(options.message);
    this.name = 'LakeApiError';
    this.status = options.status;
    this.kind = options.kind;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** What a {@link LakeApiError} is made of, and the kinds that the browser itself adds. */
export namespace LakeApiError {
  export interface IOptions {
    status: number;
    kind: string;
    message: string;
    retryable?: boolean;
    details?: Record<string, unknown>;
  }

  /** No answer came. */
  export const UNREACHABLE = 'unreachable';
  /** The server does not know the extension's addresses. */
  export const EXTENSION_MISSING = 'extension-missing';
  /** The server refuses this user. */
  export const FORBIDDEN = 'forbidden';
  /** A datum that was chosen is none any more. */
  export const DATUM_GONE = 'datum-gone';
  /** An answer that is not in the contract. */
  export const UNEXPECTED = 'unexpected';
}

/** Asks a Jupyter server. */
export class LakeClient implements IByteClient {
  /** The connection all requests go over. */
  readonly serverSettings: ServerConnection.ISettings;

  constructor(options: LakeClient.IOptions = {}) {
    this.serverSettings = options.serverSettings ?? ServerConnection.makeSettings();
  }

  request<T>(request: IRequest): Promise<T> {
    return this._ask(request, async response => parse(await response.text()) as T);
  }

  read(request: IRequest): Promise<ArrayBuffer> {
    return this._ask(request, response => response.arrayBuffer());
  }

  urlOf(request: IRequest): string {
    return (
      URLExt.join(this.serverSettings.baseUrl, NAMESPACE, encodePath(request.path)) +
      encodeQuery(request.query)
    );
  }

  private async _ask<T>(
    request: IRequest,
    answerOf: (response: Response) => Promise<T>
  ): Promise<T> {
    const init: RequestInit = {
      // 'no-store' would make JupyterLab add a parameter that is not in the contract.
      cache: 'no-cache',
      method: request.method ?? 'GET',
      signal: request.signal ?? null,
      headers: { ...request.headers }
    };
    if (request.body !== undefined) {
      init.body = JSON.stringify(request.body);
    } else if (request.data !== undefined) {
      init.body = request.data;
    }
    try {
      const response = await ServerConnection.makeRequest(
        this.urlOf(request),
        init,
        this.serverSettings
      );
      if (response.ok) {
        return await answerOf(response);
      }
      throw errorOf(response.status, parse(await response.text()));
    } catch (reason) {
      if (reason instanceof LakeApiError) {
        throw reason;
      }
      throw new LakeApiError({
        status: 0,
        kind: LakeApiError.UNREACHABLE,
        message: reason instanceof Error ? reason.message : String(reason),
        retryable: true
      });
    }
  }
}

/** What a {@link LakeClient} is made of. */
export namespace LakeClient {
  export interface IOptions {
    serverSettings?: ServerConnection.ISettings;
  }
}

/** Return the path of some segments; slashes within a segment are encoded. */
export function encodePath(segments: readonly (string | number)[]): string {
  return segments.map(segment => encodeURIComponent(segment)).join('/');
}

function encodeQuery(query: IRequest['query']): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) {
      parameters.set(name, String(value));
    }
  }
  const text = parameters.toString();
  return text ? `?${text}` : '';
}

function parse(text: string): unknown {
  if (!text) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(status: number, answer: unknown): LakeApiError {
  if (isError(answer)) {
    return new LakeApiError({ status, ...answer });
  }
  const said = (answer as { message?: unknown } | undefined)?.message;
  const message = typeof said === 'string' && said ? said : `HTTP ${status}`;
  if (status === 404) {
    return new LakeApiError({ status, kind: LakeApiError.EXTENSION_MISSING, message });
  }
  if (status === 401 || status === 403) {
    return new LakeApiError({ status, kind: LakeApiError.FORBIDDEN, message });
  }
  return new LakeApiError({
    status,
    kind: LakeApiError.UNEXPECTED,
    message,
    retryable: status === 502 || status === 503 || status === 504
  });
}

function isError(answer: unknown): answer is api.Error {
  const candidate = answer as Partial<api.Error> | undefined | null;
  return typeof candidate?.kind === 'string' && typeof candidate.message === 'string';
}
