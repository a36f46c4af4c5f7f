/**
 * The folder of the drive that a file browser stands in, as it is now.
 */
import { listMounts } from '../api/mounts';
import type * as api from '../api/types';
import type { ILake } from '../tokens';
import { DRIVE_NAME } from './drive';
import { RefreshingModel } from './refreshing';

/** The root of the drive: in front of its paths, and where it is from anywhere within. */
const PREFIX = `${DRIVE_NAME}:`;
const ROOT = '/';

const CHANGES: ReadonlySet<api.Event['kind']> = new Set([
  'mount.changed',
  'session.changed',
  'ref.moved',
  'repo.deleted'
]);

/** What is needed of the model of JupyterLab's file browser. */
export interface IFolder {
  /** Where it stands: `lake:raw/data`. */
  readonly path: string;
  /** Go to another folder, or list this one anew; what fails is told by the browser. */
  cd(path?: string): Promise<void>;
}

/** What is needed of the drive. */
export interface IListed {
  /** How many times a folder was asked for. */
  readonly listingsBegun: number;
}

/** Keeps a file browser of the drive as the lake is, and out of what is not mounted any more. */
export class DriveFolder extends RefreshingModel {
  constructor(lake: ILake, drive: IListed, folder: IFolder) {
    super(lake);
    this._drive = drive;
    this._folder = folder;
  }

  /** Whether something is mounted in the drive. */
  get isUsed(): boolean {
    return this._isUsed;
  }

  protected async load(): Promise<void> {
    const { results } = await listMounts(this.lake.client);
    const shown = results.flatMap(one => one.contents_path ?? []).filter(isOfDrive);
    this._isUsed = shown.length > 0;
    this.stateChanged.emit();
    if (isGone(this._folder.path, shown)) {
      await this._folder.cd(ROOT);
    } else if (this._isUsed) {
      await this._listAnew();
    }
  }

  protected concerns(event: api.Event): boolean {
    return CHANGES.has(event.kind);
  }

  /** List the folder once more if a listing was joined that is older than what happened. */
  private async _listAnew(): Promise<void> {
    const before = this._drive.listingsBegun;
    await this._folder.cd();
    if (this._drive.listingsBegun === before) {
      await this._folder.cd();
    }
  }

  private readonly _drive: IListed;
  private readonly _folder: IFolder;
  private _isUsed = false;
}

function isOfDrive(path: string): boolean {
  return path.startsWith(PREFIX);
}

/** Whether a folder is in nothing that is mounted: neither in a mount, nor on the way to one. */
function isGone(path: string, mounted: readonly string[]): boolean {
  const isCommit = path.includes('@'); // those are there whether or not they are mounted
  const isThere = mounted.some(one => isWithin(path, one) || isWithin(one, path));
  return !isCommit && !isThere && path !== PREFIX;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(':') ? folder : `${folder}/`);
}
