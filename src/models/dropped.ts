/**
 * What is dropped from the desktop: files, and folders with all that is below them.
 */
import type { IChosenFile, ILeftOut } from './uploading';
import { UnreadableError } from './uploading';

/** What was dropped. */
export interface IDropped {
  files: readonly IChosenFile[];
  /** Folders in which nothing is. */
  folders: readonly string[];
  /** What could not be looked at. */
  leftOut: readonly ILeftOut[];
}

/**
 * Return the files that are dropped, with those in folders, by path.
 *
 * #### Notes
 * Call it while the event is handled: a browser forgets what was dropped behind it.
 */
export async function filesOf(transfer: DataTransfer): Promise<IDropped> {
  const roots = [...transfer.items]
    .filter(({ kind }) => kind === 'file')
    .map(item => item.webkitGetAsEntry() ?? item.getAsFile());
  const files: IChosenFile[] = [];
  const folders: string[] = [];
  const leftOut: ILeftOut[] = [];
  for (const root of roots) {
    if (root instanceof File) {
      files.push({ path: root.name, file: root });
    } else if (root !== null) {
      await collect(root, { files, folders, leftOut });
    }
  }
  return { files, folders, leftOut };
}

/** Return files of a form's field: those of a folder have its name in front. */
export function filesIn(list: FileList | null): IChosenFile[] {
  return [...(list ?? [])].map(file => ({ path: file.webkitRelativePath || file.name, file }));
}

async function collect(
  root: FileSystemEntry,
  found: { files: IChosenFile[]; folders: string[]; leftOut: ILeftOut[] }
): Promise<void> {
  const waiting = [root];
  for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
    const path = entry.fullPath.replace(/^\/+/, '');
    try {
      if (isFolder(entry)) {
        const children = await childrenOf(entry);
        waiting.push(...children.reverse());
        if (children.length === 0) {
          found.folders.push(path);
        }
      } else {
        found.files.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
      }
    } catch (reason) {
      const message = reason instanceof Error ? reason.message : String(reason);
      found.leftOut.push({ path, reason: new UnreadableError(message) });
    }
  }
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** Return all children of a folder: a browser hands them over a hundred at a time. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    );
    if (some.length === 0) {
      return children.sort((one, other) => (one.name < other.name ? -1 : 1));
    }
    children.push(...some);
  }
}
