/**
 * The drive `lake:`: what is mounted without a folder, and any ref of any repo, as JupyterLab
 * wants contents. What is saved here is staged in the session of its mount.
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import { ServerConnection } from '@jupyterlab/services';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IByteClient } from '../api/client';
import {
  copyDriveFile,
  deleteDriveFile,
  driveFileUrl,
  getDriveFile,
  listDriveFiles,
  makeFolder,
  putDriveFile,
  readDriveFile,
  renameDriveFile
} from '../api/drive';
import { diffSession, discardSession } from '../api/sessions';
import type * as api from '../api/types';
import { loadUpTo } from './paging';
import { asLakeError } from './refreshing';

/** Name of the drive, in front of its paths: `lake:raw/x.csv`. */
export const DRIVE_NAME = 'lake';

/** A file above it is not loaded into the browser as a whole. */
export const MAX_OPEN_BYTES = 256 * 1024 * 1024;

/** More names of one folder are not shown: JupyterLab asks for all at once. */
export const MAX_NAMES = 100_000;

const EMPTY_NOTEBOOK = { cells: [], metadata: {}, nbformat: 4, nbformat_minor: 5 };
const UNTITLED = { directory: 'Untitled Folder', notebook: 'Untitled', file: 'untitled' };

/** Files of the lake, over REST. */
export class LakeDrive implements Contents.IDrive {
  constructor(options: LakeDrive.IOptions) {
    this._client = options.client;
    this.serverSettings = options.serverSettings;
    this._maxNames = options.maxNames ?? MAX_NAMES;
  }

  readonly name = DRIVE_NAME;

  readonly serverSettings: ServerConnection.ISettings;

  get fileChanged(): ISignal<this, Contents.IChangedArgs> {
    return this._fileChanged;
  }

  /** Emits the path of a folder that has more names than are shown. */
  get listingCut(): ISignal<this, string> {
    return this._listingCut;
  }

  /** How many times a folder was asked for. */
  get listingsBegun(): number {
    return this._listingsBegun;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  async get(path: string, options: Contents.IFetchOptions = {}): Promise<Contents.IModel> {
    return told(async () => {
      const file = await getDriveFile(this._client, path);
      if (options.content === false) {
        return modelOf(file);
      }
      if (file.kind === 'folder') {
        return { ...modelOf(file), content: await this._children(path), format: 'json' };
      }
      const bytes = await this._bytes(file);
      return { ...modelOf(file), ...contentOf(file, bytes, options) };
    });
  }

  getDownloadUrl(path: string): Promise<string> {
    return Promise.resolve(driveFileUrl(this._client, path));
  }

  async newUntitled(options: Contents.ICreateOptions = {}): Promise<Contents.IModel> {
    const type =
      options.type === 'directory' || options.type === 'notebook' ? options.type : 'file';
    const ending = type === 'notebook' ? '.ipynb' : dotted(options.ext ?? '');
    return told(async () => {
      const folder = options.path ?? '';
      const taken = await this._namesIn(folder);
      const name = freeName(taken, number =>
        type === 'directory'
          ? `${UNTITLED[type]}${number ? ` ${number}` : ''}`
          : `${UNTITLED[type]}${number || ''}${ending}`
      );
      const path = PathExt.join(folder, name);
      const file = await this._create(path, type);
      return this._changed('new', null, modelOf(file));
    });
  }

  async delete(path: string): Promise<void> {
    await told(() => deleteDriveFile(this._client, path));
    this._fileChanged.emit({ type: 'delete', oldValue: { path }, newValue: null });
  }

  async rename(path: string, newPath: string): Promise<Contents.IModel> {
    const file = await told(() =>
      renameDriveFile(this._client, { path, new_path: newPath, replace: false })
    );
    return this._changed('rename', { path }, modelOf(file));
  }

  async save(path: string, options: Partial<Contents.IModel> = {}): Promise<Contents.IModel> {
    const file = await told(() =>
      options.type === 'directory' ? makeFolder(this._client, path) : this._put(path, options)
    );
    return this._changed('save', null, modelOf(file));
  }

  async copy(path: string, toFolder: string): Promise<Contents.IModel> {
    const file = await told(async () => {
      const taken = await this._namesIn(toFolder);
      const ending = PathExt.extname(path);
      const stem = PathExt.basename(path, ending).replace(/-Copy\d*$/, '');
      const name = freeName(taken, number => `${stem}${number ? `-Copy${number}` : ''}${ending}`);
      const body = { path, new_path: PathExt.join(toFolder, name) };
      return copyDriveFile(this._client, body);
    });
    return this._changed('new', null, modelOf(file));
  }

  /** Return the one checkpoint of a file: what the commit has that the session is based on. */
  async createCheckpoint(path: string): Promise<Contents.ICheckpointModel> {
    return checkpointOf(await told(() => getDriveFile(this._client, path)));
  }

  async listCheckpoints(path: string): Promise<Contents.ICheckpointModel[]> {
    return told(async () => {
      const file = await getDriveFile(this._client, path);
      const query = { path: withinRepo(file), limit: 1 };
      const staged = file.session_id && (await diffSession(this._client, file.session_id, query));
      // What is as the commit has it, and what is new, cannot be put back.
      const isThere = staged && staged.results[0]?.kind === 'modified';
      return isThere ? [checkpointOf(file)] : [];
    });
  }

  /** Discard what is staged for a file. */
  async restoreCheckpoint(path: string): Promise<void> {
    await told(async () => {
      const file = await getDriveFile(this._client, path);
      if (file.session_id) {
        await discardSession(this._client, file.session_id, { paths: [withinRepo(file)] });
      }
    });
  }

  deleteCheckpoint(): Promise<void> {
    return Promise.reject(refusal(400, 'The checkpoint of a file is the commit below it'));
  }

  private async _children(path: string): Promise<Contents.IModel[]> {
    this._listingsBegun++;
    const { results, next } = await loadUpTo(this._maxNames, (after, limit) =>
      listDriveFiles(this._client, { path, after, limit })
    );
    if (next !== null) {
      this._listingCut.emit(path);
    }
    return results.map(file => modelOf(file));
  }

  private async _namesIn(path: string): Promise<Set<string>> {
    return new Set((await this._children(path)).map(({ name }) => name));
  }

  private _bytes(file: api.DriveFile): Promise<ArrayBuffer> {
    if (file.size_bytes > MAX_OPEN_BYTES) {
      throw refusal(413, `${file.name} is too large to be opened here. Download it instead.`);
    }
    return readDriveFile(this._client, file.path);
  }

  private _create(path: string, type: keyof typeof UNTITLED): Promise<api.DriveFile> {
    if (type === 'directory') {
      return makeFolder(this._client, path);
    }
    const content = type === 'notebook' ? JSON.stringify(EMPTY_NOTEBOOK, null, 1) + '\n' : '';
    return putDriveFile(this._client, path, content);
  }

  /** Put a file, or one of the pieces in which JupyterLab uploads large ones. */
  private async _put(path: string, options: Partial<Contents.IModel>): Promise<api.DriveFile> {
    const data = dataOf(options);
    const isFirst = options.chunk === undefined || options.chunk === 1;
    const offset = isFirst ? undefined : (this._uploaded.get(path) ?? -1);
    const file = await putDriveFile(this._client, path, data, offset);
    if (options.chunk === undefined || options.chunk === -1) {
      this._uploaded.delete(path);
    } else {
      this._uploaded.set(path, file.size_bytes);
    }
    return file;
  }

  private _changed(
    type: Contents.IChangedArgs['type'],
    oldValue: Partial<Contents.IModel> | null,
    newValue: Contents.IModel
  ): Contents.IModel {
    this._fileChanged.emit({ type, oldValue, newValue });
    return newValue;
  }

  private readonly _client: IByteClient;
  private readonly _maxNames: number;
  private readonly _listingCut = new Signal<this, string>(this);
  private readonly _fileChanged = new Signal<this, Contents.IChangedArgs>(this);
  private readonly _uploaded = new Map<string, number>();
  private _listingsBegun = 0;
  private _isDisposed = false;
}

/** What a {@link LakeDrive} is made of. */
export namespace LakeDrive {
  export interface IOptions {
    client: IByteClient;
    serverSettings: ServerConnection.ISettings;
    /** How many names of one folder are shown at most. */
    maxNames?: number;
  }
}

/** Return a file of the drive as JupyterLab knows it, without its content. */
export function modelOf(file: api.DriveFile): Contents.IModel {
  const isFolder = file.kind === 'folder';
  const time = file.mtime_ns ? new Date(file.mtime_ns / 1e6).toISOString() : '';
  return {
    name: file.name,
    path: file.path,
    type: isFolder ? 'directory' : file.name.endsWith('.ipynb') ? 'notebook' : 'file',
    writable: file.is_writable,
    created: time,
    last_modified: time,
    mimetype: '',
    content: null,
    format: null,
    size: isFolder ? undefined : file.size_bytes
  };
}

type IContent = Pick<Contents.IModel, 'content' | 'format' | 'mimetype' | 'type'>;

/** Return a file's content in the form that is asked for, or the one that suits it. */
function contentOf(
  file: api.DriveFile,
  bytes: ArrayBuffer,
  { type, format }: Contents.IFetchOptions
): IContent {
  const isNotebook = type === 'notebook' || (!type && !format && file.name.endsWith('.ipynb'));
  const text = format === 'base64' ? null : textOf(bytes);
  if (isNotebook || format === 'json') {
    return { type: 'notebook', format: 'json', content: notebookOf(file, text), mimetype: '' };
  }
  if (text !== null) {
    return { type: 'file', format: 'text', content: text, mimetype: 'text/plain' };
  }
  if (format === 'text') {
    throw refusal(400, `${file.name} is not text: it is not encoded as UTF-8`);
  }
  const mimetype = 'application/octet-stream';
  return { type: 'file', format: 'base64', content: base64Of(bytes), mimetype };
}

function notebookOf(file: api.DriveFile, text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw refusal(400, `${file.name} is not a notebook: it is no JSON`);
  }
}

/** Return bytes as text; null for what is none. */
function textOf(bytes: ArrayBuffer): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

const PIECE = 0x8000; // arguments of one call

function base64Of(bytes: ArrayBuffer): string {
  const view = new Uint8Array(bytes);
  let binary = '';
  for (let start = 0; start < view.length; start += PIECE) {
    binary += String.fromCharCode(...view.subarray(start, start + PIECE));
  }
  return btoa(binary);
}

/** Return the bytes that JupyterLab wants to be saved. */
function dataOf({ type, format, content }: Partial<Contents.IModel>): BodyInit {
  if (format === 'base64') {
    return Uint8Array.from(atob(String(content)), one => one.charCodeAt(0));
  }
  if (type === 'notebook' || format === 'json') {
    return JSON.stringify(content, null, 1) + '\n';
  }
  return typeof content === 'string' ? content : '';
}

function dotted(ending: string): string {
  return !ending || ending.startsWith('.') ? ending : `.${ending}`;
}

/** Return the first name that is not taken, from number 0 on. */
function freeName(taken: ReadonlySet<string>, nameOf: (number: number) => string): string {
  let number = 0;
  while (taken.has(nameOf(number))) {
    number++;
  }
  return nameOf(number);
}

function checkpointOf(file: api.DriveFile): Contents.ICheckpointModel {
  return { id: file.commit_id ?? 'none', last_modified: modelOf(file).last_modified };
}

/** Return a file's path within its repo: the name of a mount has as many parts as its repo's. */
function withinRepo(file: api.DriveFile): string {
  const depth = (file.repo ?? '').split('/').length;
  return file.path.split('/').slice(depth).join('/');
}

/** Do something, and fail as JupyterLab expects it of a drive. */
async function told<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (reason) {
    if (reason instanceof ServerConnection.ResponseError) {
      throw reason;
    }
    const { status, message } = asLakeError(reason);
    throw refusal(status, message);
  }
}

const UNAVAILABLE = 503;

function refusal(status: number, message: string): ServerConnection.ResponseError {
  const response = new Response(null, { status: status || UNAVAILABLE });
  return new ServerConnection.ResponseError(response, message);
}
