/**
 * Putting files of this computer into a branch: staged part by part, then committed together.
 */
import type { IClient } from '../api/client';
import { LakeApiError } from '../api/client';
import { getFile } from '../api/files';
import { commitSession, createSession, deleteSession, writeSession } from '../api/sessions';
import type * as api from '../api/types';

/** So much of a file is one request. */
export const PART_BYTES = 16 * 1024 * 1024;
const LOOKED_AT_ONCE = 8;
/** Whoever looks at what is staged has the session for moments only. */
const PAUSE_MS = 200;
const TRIES = 50;

/** What goes where. */
export interface IUpload {
  repo: string;
  branch: string;
  /** Folder of the repo; empty for the whole. */
  folder: string;
  message: string;
  files: readonly File[];
}

/** Return where a file of an upload goes. */
export function pathOf({ folder }: Pick<IUpload, 'folder'>, file: File): string {
  const below = folder.replace(/^\/+|\/+$/g, '');
  return below ? `${below}/${file.name}` : file.name;
}

/** Return the paths of an upload at which the branch has something. */
export async function takenBy(client: IClient, upload: IUpload): Promise<string[]> {
  const paths = upload.files.map(file => pathOf(upload, file));
  const taken: string[] = [];
  for (let start = 0; start < paths.length; start += LOOKED_AT_ONCE) {
    const some = paths.slice(start, start + LOOKED_AT_ONCE);
    const found = await Promise.all(some.map(path => isThere(client, upload, path)));
    taken.push(...some.filter((_, at) => found[at]));
  }
  return taken;
}

/**
 * Stage files in a session of their own and commit them.
 *
 * #### Notes
 * Given up or failed before the commit, nothing stays. If the commit itself is refused, because
 * others changed the same paths meanwhile, the session stays, to be decided on.
 *
 * @param onProgress - told how many bytes are there, of all.
 */
export async function runUpload(
  client: IClient,
  upload: IUpload,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void
): Promise<api.Commit> {
  const { repo, branch } = upload;
  const session = await createSession(client, { repo, branch }, signal);
  try {
    await stage(client, session.id, upload, signal, onProgress);
  } catch (reason) {
    await patiently(() => deleteSession(client, session.id));
    throw reason;
  }
  const { message } = upload;
  const commit = await patiently(() => commitSession(client, session.id, { message }));
  await patiently(() => deleteSession(client, session.id));
  return commit;
}

async function stage(
  client: IClient,
  session: string,
  upload: IUpload,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void
): Promise<void> {
  const total = upload.files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const file of upload.files) {
    const path = pathOf(upload, file);
    let at = 0;
    do {
      const part = file.slice(at, at + PART_BYTES);
      const query = at === 0 ? { path } : { path, offset: at };
      await patiently(() => writeSession(client, session, query, part, signal));
      at += part.size;
      done += part.size;
      onProgress(done, total);
    } while (at < file.size);
  }
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

async function isThere(client: IClient, { repo, branch }: IUpload, path: string): Promise<boolean> {
  try {
    await getFile(client, repo, branch, { path });
    return true;
  } catch (reason) {
    if (reason instanceof LakeApiError && reason.status === 404) {
      return false;
    }
    throw reason;
  }
}
