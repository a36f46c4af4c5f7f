/**
 * Operations on the drive: files by the paths of the mount point, without its folder.
 */
import type { Body, IByteClient, IClient, Query } from './client';
import type * as api from './types';

/** Return a page of a folder's children, by name. */
export function listDriveFiles(
  client: IClient,
  query: Query<'listDriveFiles'>
): Promise<api.DriveFilePage> {
  return client.request({ path: ['drive', 'files'], query });
}

/** Return what is at a path. */
export function getDriveFile(client: IClient, path: string): Promise<api.DriveFile> {
  return client.request({ path: ['drive', 'file'], query: { path } });
}

/** Return a file's present bytes. */
export function readDriveFile(client: IByteClient, path: string): Promise<ArrayBuffer> {
  return client.read({ path: ['drive', 'content'], query: { path } });
}

/** Return where a file's present bytes can be downloaded. */
export function driveFileUrl(client: IByteClient, path: string): string {
  return client.urlOf({ path: ['drive', 'content'], query: { path } });
}

/**
 * Stage a file.
 *
 * @param offset - where in the file the bytes go; by default it holds nothing else.
 */
export function putDriveFile(
  client: IClient,
  path: string,
  data: BodyInit,
  offset?: number
): Promise<api.DriveFile> {
  return client.request({
    method: 'PUT',
    path: ['drive', 'content'],
    query: { path, offset },
    data
  });
}

/** Stage a folder. */
export function makeFolder(client: IClient, path: string): Promise<api.DriveFile> {
  return client.request({ method: 'POST', path: ['drive', 'folders'], body: { path } });
}

/** Stage a move of a file or folder within its mount. */
export function renameDriveFile(
  client: IClient,
  body: Body<'renameDriveFile'>
): Promise<api.DriveFile> {
  return client.request({ method: 'POST', path: ['drive', 'renames'], body });
}

/** Stage a copy of a file or folder, also from another mount or a commit. */
export function copyDriveFile(
  client: IClient,
  body: Body<'copyDriveFile'>
): Promise<api.DriveFile> {
  return client.request({ method: 'POST', path: ['drive', 'copies'], body });
}

/** Stage the removal of a file, or of a folder with everything in it. */
export function deleteDriveFile(client: IClient, path: string): Promise<void> {
  return client.request({ method: 'DELETE', path: ['drive', 'file'], query: { path } });
}
