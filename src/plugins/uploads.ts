/**
 * Putting files of this computer into a branch that need not be mounted: by a command, or by dropping.
 */
import { Notification } from '@jupyterlab/apputils';
import { fileUploadIcon } from '@jupyterlab/ui-components';

import { CommandIDs, ARGUMENTS } from '../commands';
import { describeError } from '../components/errors';
import { formatBytes, shortId } from '../components/formats';
import type { IUploadPlace } from '../dialogs/upload';
import { confirmReplace, leftOutText, showLeftOut, showUpload } from '../dialogs/upload';
import type { IDropped } from '../models/dropped';
import { filesIn, filesOf } from '../models/dropped';
import { asLakeError } from '../models/refreshing';
import { DEFAULT_BRANCH } from '../models/selection';
import type { IUpload, IUploaded } from '../models/uploading';
import { runUpload, takenBy } from '../models/uploading';
import type { ILake } from '../tokens';
import { refOf, repoOf } from './arguments';
import { attempt, tellEnd } from './reporting';
import type { IRepoCommandOptions } from './repos';

type Options = IRepoCommandOptions & { lake: ILake };

/** Takes what is dropped onto a place; one without repo has it chosen. */
export type Drop = (transfer: DataTransfer, place: Partial<IUploadPlace>) => void;

/** Add the command; return what takes files that are dropped. */
export function addUploadCommand(options: Options): Drop {
  const { app, selection, trans } = options;
  const meant = (args: Parameters<typeof repoOf>[0]) => repoOf(args, app) ?? selection.repo;
  app.commands.addCommand(CommandIDs.writeSession, {
    label: args =>
      args.isFolder === true ? trans.__('Upload Folder…') : trans.__('Upload Files…'),
    caption: trans.__('Put files of this computer into a branch'),
    icon: fileUploadIcon,
    describedBy: ARGUMENTS[CommandIDs.writeSession],
    isEnabled: args => meant(args) !== null,
    execute: async args => {
      const repo = meant(args);
      if (repo !== null) {
        const files = await chooseFiles(args.isFolder === true);
        await upload(
          options,
          { files, folders: [], leftOut: [] },
          { repo, branch: refOf(args, app) }
        );
      }
    }
  });
  return (transfer, place) => {
    const dropped = filesOf(transfer); // now: behind the event there is nothing to read
    void attempt(trans, async () => upload(options, await dropped, place));
  };
}

/** Let people choose files, or a folder with all that is below it; none if they do not. */
function chooseFiles(isFolder: boolean): Promise<IDropped['files']> {
  return new Promise(resolve => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.webkitdirectory = isFolder;
    input.addEventListener('change', () => resolve(filesIn(input.files)));
    input.addEventListener('cancel', () => resolve([]));
    input.click();
  });
}

/** Ask where files go, and send them there. */
async function upload(
  options: Options,
  { files, folders, leftOut }: IDropped,
  place: Partial<IUploadPlace>
): Promise<void> {
  const { lake, repos, selection, trans } = options;
  if (leftOut.length > 0) {
    tellLeftOut(leftOut, options);
  }
  if (files.length + folders.length === 0) {
    return;
  }
  const repo = place.repo ?? selection.repo ?? '';
  const branch = place.branch ?? (repo === selection.repo ? selection.ref : DEFAULT_BRANCH);
  const writable = repos.repos.filter(({ kind }) => kind === 'user').map(({ name }) => name);
  const isStaged = place.isStaged ?? false;
  const wanted = await showUpload({ files, folders }, { repo, branch, isStaged }, writable, trans);
  if (!wanted) {
    return;
  }
  const taken = await attempt(trans, () => takenBy(lake.client, wanted));
  if (taken && (taken.length === 0 || (await confirmReplace(wanted, taken, trans)))) {
    await send(options, wanted);
  }
}

/** Upload, and tell how far it is. */
async function send(options: Options, wanted: IUpload): Promise<void> {
  const { lake, sessions, trans } = options;
  const place = `${wanted.repo}@${wanted.branch}`;
  const stopping = new AbortController();
  const said = trans._n(
    'Uploading %1 file to %2',
    'Uploading %1 files to %2',
    wanted.files.length,
    place
  );
  const id = Notification.emit(said, 'in-progress', {
    autoClose: false,
    progress: 0,
    actions: [
      {
        label: trans.__('Cancel'),
        callback: event => {
          event.preventDefault(); // it stays until the upload has ended
          stopping.abort();
        }
      }
    ]
  });
  try {
    const done = await runUpload(lake.client, wanted, stopping.signal, (sent, total) => {
      const message = `${said}: ${formatBytes(sent)} / ${formatBytes(total)}`;
      Notification.update({ id, message, progress: total === 0 ? 1 : sent / total });
    });
    tellUploaded(id, wanted, done, options);
    void sessions.refresh();
  } catch (reason) {
    const message = stopping.signal.aborted
      ? trans.__('The upload to %1 was cancelled; nothing of it is kept.', place)
      : describeError(asLakeError(reason), trans);
    const type = stopping.signal.aborted ? 'info' : 'error';
    tellEnd(id, message, type, { autoClose: false });
  }
}

/** Tell what came of an upload, and lead to it. */
function tellUploaded(id: string, wanted: IUpload, done: IUploaded, options: Options): void {
  const { app, trans } = options;
  const { repo, branch } = wanted;
  const place = `${repo}@${branch}`;
  const { commit, count, leftOut, session } = done;
  if (leftOut.length > 0) {
    tellLeftOut(leftOut, options);
  }
  if (count === 0) {
    const message = trans.__('Nothing was uploaded to %1.', place);
    tellEnd(id, message, 'error', { autoClose: false });
    return;
  }
  const show = (command: string, args: Record<string, string>) => () =>
    void app.commands.execute(command, args);
  const changes = commit
    ? show(CommandIDs.openComparison, { repo, old: session.base_commit_id, new: commit.id })
    : show(CommandIDs.openPanel, { section: 'changes' });
  const message = commit
    ? trans.__('Uploaded to %1, commit %2.', place, shortId(commit.id))
    : trans._n(
        '%1 file for %2 is uploaded, and not committed yet.',
        '%1 files for %2 are uploaded, and not committed yet.',
        count,
        place
      );
  const history = {
    label: trans.__('Show the history'),
    callback: show(CommandIDs.openHistory, { repo, ref: branch })
  };
  tellEnd(id, message, 'success', {
    autoClose: commit ? 10_000 : false,
    actions: [
      { label: trans.__('Show the changes'), callback: changes },
      ...(commit ? [history] : [])
    ]
  });
}

function tellLeftOut(leftOut: IDropped['leftOut'], { trans }: Options): void {
  Notification.warning(leftOutText(leftOut, trans), {
    autoClose: false,
    actions: [{ label: trans.__('Show why'), callback: () => void showLeftOut(leftOut, trans) }]
  });
}
