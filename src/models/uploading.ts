/**
 * Putting files of this computer into a branch: staged part by part, then committed together, or
 * left as changes that are not committed.
 */
import type { IClient } from '../api/client';
import { LakeApiError } from '../api/client';
import { getFile, listFiles } from '../api/files';
import {
  commitSession,
  createSession,
  deleteSession,
  discardSession,
  writeAll,
  writeSession
} from '../api/sessions';
import type * as api from '../api/types';
import { WHOLE_PAGE } from './paging';

/** So much of a file is one request. */
export const PART_BYTES = 16 * 1024 * 1024;
/** Files up to this size are sent together, as many as are one request. */
export const SMALL_BYTES = 1024 * 1024;
const TOGETHER_BYTES = 8 * SMALL_BYTES;
const TOGETHER = 250;
const LOOKED_AT_ONCE = 8;
/** Whoever looks at what is staged has the session for moments only. */
const PAUSE_MS = 200;
const TRIES = 50;

/** A file of this computer. */
export interface IChosenFile {
  /** Its name, below the names of the folders that it was chosen with. */
  path: string;
  file: File;
}

/** What goes where. */
export interface IUpload {
  repo: string;
  branch: string;
  /** Folder of the repo; empty for the whole. */
  folder: string;
  /** Of the commit; empty to leave the files staged. */
  message: string;
  files: readonly IChosenFile[];
  /** Folders in which nothing is, by path as files have them. */
  folders?: readonly string[];
}

/** A file that was not taken, and why. */
export interface ILeftOut {
  path: string;
  reason: unknown;
}

/** What came of an upload. */
export interface IUploaded {
  /** The session in which the files are staged. */
  session: api.Session;
  /** Null where nothing is committed. */
  commit: api.Commit | null;
  /** How many files were taken. */
  count: number;
  leftOut: readonly ILeftOut[];
}

/** A file of this computer that cannot be read. */
export class UnreadableError extends Error {}

/** A file that lost its end while it was read. */
export class ShrunkError extends UnreadableError {
  /**
   * @param size - how many bytes it had when it was chosen.
   */
  constructor(readonly size: number) {
    super(`It has fewer than ${size} bytes now`); // people read the words of the dialog
  }
}

/** Return where a file of an upload goes. */
export function pathOf(
  { folder }: Pick<IUpload, 'folder'>,
  { path }: Pick<IChosenFile, 'path'>
): string {
  const below = folder.replace(/^\/+|\/+$/g, '');
  return below ? `${below}/${path}` : path;
}

/** Return the paths of an upload at which the branch has a file, by folder. */
export async function takenBy(client: IClient, upload: IUpload): Promise<string[]> {
  const folders = new Map<string, string[]>();
  for (const file of upload.files) {
    const path = pathOf(upload, file);
    const folder = parentOf(path);
    const paths = folders.get(folder);
    if (paths) {
      paths.push(path);
    } else {
      folders.set(folder, [path]);
    }
  }
  const known = new Map<string, Promise<boolean>>();
  const taken: string[] = [];
  for (const [folder, paths] of folders) {
    if (await hasFolder(client, upload, folder, known)) {
      taken.push(...(await takenIn(client, upload, folder, paths)));
    }
  }
  return taken;
}

/**
 * Stage files in a session of their own, and commit them if there is a message.
 *
 * #### Notes
 * A file that cannot be read, or whose path is refused, is left out; the others are taken. Given up
 * or failed before the commit, nothing stays. If the commit itself is refused, because others
 * changed the same paths meanwhile, the session stays, to be decided on.
 *
 * @param onProgress - told how many bytes are there, of all.
 */
export async function runUpload(
  client: IClient,
  upload: IUpload,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void
): Promise<IUploaded> {
  const { repo, branch, message, files, folders = [] } = upload;
  // Not given up on its way: nobody would know the session that the server makes all the same.
  const session = await createSession(client, { repo, branch });
  let leftOut: ILeftOut[];
  try {
    leftOut = await stage(client, session.id, upload, signal, onProgress);
  } catch (reason) {
    await patiently(() => deleteSession(client, session.id));
    throw reason;
  }
  const count = files.length + folders.length - leftOut.length;
  if (count > 0 && message === '') {
    return { session, commit: null, count, leftOut };
  }
  const commit =
    count > 0 ? await patiently(() => commitSession(client, session.id, { message })) : null;
  await patiently(() => deleteSession(client, session.id));
  return { session, commit, count, leftOut };
}

async function stage(
  client: IClient,
  session: string,
  upload: IUpload,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void
): Promise<ILeftOut[]> {
  const total = upload.files.reduce((sum, { file }) => sum + file.size, 0);
  const leftOut: ILeftOut[] = [];
  let before = 0;
  check(signal);
  for (const some of portions(upload)) {
    const told = (done: number): void => onProgress(before + done, total);
    const [alone] = some;
    if (some.length === 1 && alone?.file) {
      leftOut.push(...(await stageAlone(client, session, alone.path, alone.file, signal, told)));
    } else {
      leftOut.push(...(await stageTogether(client, session, some, signal)));
    }
    before += some.reduce((sum, { file }) => sum + (file?.size ?? 0), 0);
    told(0);
  }
  check(signal);
  return leftOut;
}

/** A file, or a folder that may stay empty, with its path in the repo. */
interface IStaged {
  path: string;
  file: File | null;
}

/** Return what goes in one request each: files of some size alone, small ones together. */
function* portions(upload: IUpload): Generator<IStaged[]> {
  let some: IStaged[] = [];
  let bytes = 0;
  const all = [...(upload.folders ?? []).map(path => ({ path, file: null })), ...upload.files];
  for (const { path, file } of all) {
    const one = { path: pathOf(upload, { path }), file };
    const size = file?.size ?? 0;
    if (size > SMALL_BYTES) {
      yield [one];
      continue;
    }
    if (some.length === TOGETHER || bytes + size > TOGETHER_BYTES) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(one);
    bytes += size;
  }
  if (some.length > 0) {
    yield some;
  }
}

/** Stage one file by itself; return it if it is left out. */
async function stageAlone(
  client: IClient,
  session: string,
  path: string,
  file: File,
  signal: AbortSignal,
  onProgress: (done: number) => void
): Promise<ILeftOut[]> {
  try {
    await stageFile(client, { session, path, file }, signal, onProgress);
    return [];
  } catch (reason) {
    check(signal);
    if (!isOfFile(reason)) {
      throw reason;
    }
    return [{ path, reason }];
  }
}

/** Stage small files in one request; return those that are left out. */
async function stageTogether(
  client: IClient,
  session: string,
  some: readonly IStaged[],
  signal: AbortSignal
): Promise<ILeftOut[]> {
  check(signal);
  const leftOut: ILeftOut[] = [];
  const index: { path: string; size: number | null }[] = [];
  const contents: ArrayBuffer[] = [];
  for (const { path, file } of some) {
    try {
      const content = file && (await readPart(file, 0));
      index.push({ path, size: content && content.byteLength });
      if (content) {
        contents.push(content);
      }
    } catch (reason) {
      if (!isOfFile(reason)) {
        throw reason;
      }
      leftOut.push({ path, reason });
    }
  }
  check(signal);
  if (index.length === 0) {
    return leftOut;
  }
  const bundle = new Blob([`${JSON.stringify(index)}\n`, ...contents]);
  const { results } = await patiently(() => writeAll(client, session, bundle, signal));
  const refused = results.map(({ path, kind, message }) => ({
    path,
    reason: new LakeApiError({ status: 400, kind, message })
  }));
  return [...leftOut, ...refused];
}

/** Stage one file whole, or nothing of it. */
async function stageFile(
  client: IClient,
  { session, path, file }: { session: string; path: string; file: File },
  signal: AbortSignal,
  onProgress: (done: number) => void
): Promise<void> {
  let at = 0;
  do {
    check(signal);
    const query = at === 0 ? { path } : { path, offset: at };
    try {
      const part = await readPart(file, at);
      await patiently(() => writeSession(client, session, query, part, signal));
      at += part.byteLength;
    } catch (reason) {
      if (at > 0 && isOfFile(reason)) {
        await patiently(() => discardSession(client, session, { paths: [path] }));
      }
      throw reason;
    }
    onProgress(at);
  } while (at < file.size);
}

/** Read a part of a file: here, so that one that cannot be read is told from a lost connection. */
async function readPart(file: File, at: number): Promise<ArrayBuffer> {
  const wanted = Math.min(PART_BYTES, file.size - at);
  let part: ArrayBuffer;
  try {
    part = await file.slice(at, at + wanted).arrayBuffer();
  } catch (reason) {
    throw new UnreadableError(reason instanceof Error ? reason.message : String(reason));
  }
  if (part.byteLength < wanted) {
    throw new ShrunkError(file.size);
  }
  return part;
}

/** Return whether something is wrong with one file, and others may be taken all the same. */
function isOfFile(reason: unknown): boolean {
  return (
    reason instanceof UnreadableError ||
    (reason instanceof LakeApiError && (reason.status === 400 || reason.kind === 'path-exists'))
  );
}

/** Stop here if the upload is given up. */
function check(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new DOMException('The upload was cancelled', 'AbortError');
  }
}

/** Do something with a session as soon as nobody else has it open. */
async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (reason) {
      const isBusy = reason instanceof LakeApiError && reason.kind === 'session-busy';
      if (!isBusy || tries === TRIES) {
        throw reason;
      }
    }
    await new Promise(resolve => window.setTimeout(resolve, PAUSE_MS));
  }
}

/** Return whether a branch has a folder; what is not there has none below it. */
function hasFolder(
  client: IClient,
  place: IUpload,
  folder: string,
  known: Map<string, Promise<boolean>>
): Promise<boolean> {
  if (folder === '') {
    return Promise.resolve(true);
  }
  const found =
    known.get(folder) ??
    hasFolder(client, place, parentOf(folder), known).then(
      async isThere => isThere && (await kindAt(client, place, folder)) === 'folder'
    );
  known.set(folder, found);
  return found;
}

/** Return which paths of one folder are files; of many, by the list of the folder. */
async function takenIn(
  client: IClient,
  place: IUpload,
  folder: string,
  paths: readonly string[]
): Promise<string[]> {
  if (paths.length <= LOOKED_AT_ONCE) {
    const kinds = await Promise.all(paths.map(path => kindAt(client, place, path)));
    return paths.filter((_, at) => kinds[at] !== null && kinds[at] !== 'folder');
  }
  const wanted = new Set(paths);
  const taken: string[] = [];
  let after: string | undefined;
  do {
    const query = { path: folder, after, limit: WHOLE_PAGE };
    const page = await listFiles(client, place.repo, place.branch, query);
    taken.push(
      ...page.results
        .filter(({ path, kind }) => kind !== 'folder' && wanted.has(path))
        .map(({ path }) => path)
    );
    after = page.next ?? undefined;
  } while (after !== undefined && taken.length < wanted.size);
  return taken;
}

/** Return what a branch has at a path; null for nothing, also where there can be nothing. */
async function kindAt(
  client: IClient,
  { repo, branch }: IUpload,
  path: string
): Promise<api.File['kind'] | null> {
  try {
    return (await getFile(client, repo, branch, { path })).kind;
  } catch (reason) {
    const isNothing =
      reason instanceof LakeApiError && (reason.status === 404 || reason.kind === 'invalid-path');
    if (isNothing) {
      return null;
    }
    throw reason;
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
