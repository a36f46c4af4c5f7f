/**
 * Operations on sessions: what is written to a mounted branch and not yet committed.
 */
import type { Body, IByteClient, IClient, Query } from './client';
import type * as api from './types';

/** Return the open sessions, oldest first. */
export function listSessions(
  client: IClient,
  query: Query<'listSessions'> = {}
): Promise<api.SessionPage> {
  return client.request({ path: ['sessions'], query });
}

/** Begin a session on a branch. */
export function createSession(client: IClient, body: Body<'createSession'>): Promise<api.Session> {
  return client.request({ method: 'POST', path: ['sessions'], body });
}

/**
 * Stage a file, or a part of it.
 *
 * @param query - where in the file the bytes go; by default it holds nothing else.
 */
export function writeSession(
  client: IClient,
  session: string,
  query: Query<'writeSession'>,
  data: BodyInit,
  signal?: AbortSignal
): Promise<api.File> {
  return client.request({
    method: 'PUT',
    path: ['sessions', session, 'content'],
    query,
    data,
    signal
  });
}

/** Stage many small files: a line of JSON that lists them, and behind it their bytes. */
export function writeAll(
  client: IClient,
  session: string,
  data: BodyInit,
  signal?: AbortSignal
): Promise<api.LeftOutPage> {
  return client.request({ method: 'PUT', path: ['sessions', session, 'contents'], data, signal });
}

/** Remove a session that is not mounted, with everything staged in it. */
export function deleteSession(client: IClient, session: string): Promise<void> {
  return client.request({ method: 'DELETE', path: ['sessions', session] });
}

/** Return what is staged in a session, by path. */
export function diffSession(
  client: IClient,
  session: string,
  query: Query<'diffSession'> = {}
): Promise<api.ChangePage> {
  return client.request({ path: ['sessions', session, 'changes'], query });
}

/** Return the children of a folder in which something is staged, by name. */
export function listChanged(
  client: IClient,
  session: string,
  query: Query<'listChanged'> = {}
): Promise<api.ChangedChildPage> {
  return client.request({ path: ['sessions', session, 'changed'], query });
}

/**
 * Commit what is staged; the session goes on from the new commit.
 *
 * @param base - the commit the caller believes the session to be based on; if it is not, the
 * answer is an error of kind `branch-moved` and nothing is committed.
 */
export function commitSession(
  client: IClient,
  session: string,
  body: Body<'commitSession'>,
  base?: string
): Promise<api.Commit> {
  return client.request({
    method: 'POST',
    path: ['sessions', session, 'commits'],
    body,
    headers: base === undefined ? {} : { 'If-Match': base }
  });
}

/** Drop what is staged, everywhere or at and below some paths. */
export function discardSession(
  client: IClient,
  session: string,
  body: Body<'discardSession'> = {}
): Promise<void> {
  return client.request({ method: 'POST', path: ['sessions', session, 'discards'], body });
}

/** Return what sessions held when they were saved last, newest first. */
export function listDrafts(
  client: IClient,
  query: Query<'listDrafts'> = {}
): Promise<api.SessionDraftPage> {
  return client.request({ path: ['drafts'], query });
}

/** Begin a session that holds what the draft of another one has. */
export function recoverSession(client: IClient, session: string): Promise<api.Session> {
  return client.request({ method: 'POST', path: ['drafts', session, 'recoveries'] });
}

/** Return how a staged table differs from the commit below it. */
export function diffSessionTable(
  client: IClient,
  id: string,
  query: Query<'diffSessionTable'>,
  signal?: AbortSignal
): Promise<api.TableDiff> {
  return client.request({ path: ['sessions', id, 'diff', 'table'], query, signal });
}

/** Return the bytes of a file in a session, committed or not. */
export function readSession(
  client: IByteClient,
  id: string,
  query: Query<'readSession'>,
  signal?: AbortSignal
): Promise<ArrayBuffer> {
  return client.read({ path: ['sessions', id, 'content'], query, signal });
}

/** Return one session. */
export function getSession(client: IClient, id: string): Promise<api.Session> {
  return client.request({ path: ['sessions', id] });
}

/** Return how a staged file differs, as a text, from the commit below it. */
export function diffSessionText(
  client: IClient,
  id: string,
  query: Query<'diffSessionText'>,
  signal?: AbortSignal
): Promise<api.TextDiff> {
  return client.request({ path: ['sessions', id, 'diff', 'text'], query, signal });
}
