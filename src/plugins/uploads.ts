/**
 * The command that puts files of this computer into a branch that need not be mounted.
 */
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { fileUploadIcon } from '@jupyterlab/ui-components';

import { CommandIDs, ARGUMENTS } from '../commands';
import { describeError } from '../components/errors';
import { formatBytes, shortId } from '../components/formats';
import { confirm } from '../dialogs/confirm';
import { showFieldsDialog } from '../dialogs/fields-dialog';
import { asLakeError } from '../models/refreshing';
import { DEFAULT_BRANCH } from '../models/selection';
import type { IUpload } from '../models/uploading';
import { runUpload, takenBy } from '../models/uploading';
import type { ILake } from '../tokens';
import { refOf, repoOf } from './arguments';
import { attempt } from './reporting';
import type { IRepoCommandOptions } from './repos';

const NAMED = 3;

/** Add the command. */
export function addUploadCommand(options: IRepoCommandOptions & { lake: ILake }): void {
  const { app, selection, trans } = options;
  const meant = (args: Parameters<typeof repoOf>[0]) => repoOf(args, app) ?? selection.repo;
  app.commands.addCommand(CommandIDs.writeSession, {
    label: trans.__('Upload Files…'),
    caption: trans.__('Commit files of this computer to a branch'),
    icon: fileUploadIcon,
    describedBy: ARGUMENTS[CommandIDs.writeSession],
    isEnabled: args => meant(args) !== null,
    execute: async args => {
      const repo = meant(args);
      const files = repo === null ? [] : await chooseFiles();
      if (repo === null || files.length === 0) {
        return;
      }
      const shown = repo === selection.repo ? selection.ref : DEFAULT_BRANCH;
      const wanted = await ask(repo, refOf(args, app) ?? shown, files, trans);
      if (wanted && (await mayReplace(options, wanted))) {
        await send(options, wanted);
      }
    }
  });
}

/** Let people choose files; none if they do not. */
function chooseFiles(): Promise<File[]> {
  return new Promise(resolve => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.addEventListener('change', () => resolve([...(input.files ?? [])]));
    input.addEventListener('cancel', () => resolve([]));
    input.click();
  });
}

function ask(
  repo: string,
  branch: string,
  files: readonly File[],
  trans: TranslationBundle
): Promise<IUpload | null> {
  const size = formatBytes(files.reduce((sum, file) => sum + file.size, 0));
  const names = files.slice(0, NAMED).map(file => file.name);
  const more = files.length - names.length;
  const named = more > 0 ? trans.__('%1 and %2 more', names.join(', '), more) : names.join(', ');
  return showFieldsDialog({
    title: trans.__('Upload to %1', repo),
    accept: trans.__('Upload'),
    fields: {
      branch: { label: trans.__('Branch'), value: branch, pattern: /\S/ },
      folder: {
        label: trans.__('Folder'),
        help: trans.__('Of the repo; it is made if it is not there'),
        placeholder: '/'
      },
      message: {
        label: trans.__('Message'),
        help: trans._n('%1 file, %2', '%1 files, %2', files.length, size),
        value: trans.__('Upload %1', named),
        pattern: /\S/
      }
    },
    trans,
    act: values =>
      Promise.resolve({
        repo,
        files,
        branch: values.branch.trim(),
        folder: values.folder.trim(),
        message: values.message.trim()
      })
  });
}

/** Ask whether files may be replaced, if any would be. */
async function mayReplace(
  { lake, trans }: IRepoCommandOptions & { lake: ILake },
  upload: IUpload
): Promise<boolean> {
  const taken = await attempt(trans, () => takenBy(lake.client, upload));
  if (taken === null || taken.length === 0) {
    return taken !== null;
  }
  return confirm(
    trans.__('Replace files of %1', `${upload.repo}@${upload.branch}`),
    trans._n(
      '%2 is there already. Its versions until now stay in the history.',
      '%1 of these files are there already, %2 among them. Their versions until now stay in the history.',
      taken.length,
      taken[0]
    ),
    trans.__('Replace'),
    trans
  );
}

/** Upload, and tell how far it is. */
async function send(
  { app, lake, trans }: IRepoCommandOptions & { lake: ILake },
  upload: IUpload
): Promise<void> {
  const place = `${upload.repo}@${upload.branch}`;
  const stopping = new AbortController();
  const said = trans._n(
    'Uploading %1 file to %2',
    'Uploading %1 files to %2',
    upload.files.length,
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
    const commit = await runUpload(lake.client, upload, stopping.signal, (done, total) => {
      const message = `${said}: ${formatBytes(done)} / ${formatBytes(total)}`;
      Notification.update({ id, message, progress: total === 0 ? 1 : done / total });
    });
    Notification.update({
      id,
      message: trans.__('Uploaded to %1, commit %2.', place, shortId(commit.id)),
      type: 'success',
      autoClose: 10_000,
      actions: [
        {
          label: trans.__('Show the history'),
          callback: () =>
            void app.commands.execute(CommandIDs.openHistory, {
              repo: upload.repo,
              ref: upload.branch
            })
        }
      ]
    });
  } catch (reason) {
    const message = stopping.signal.aborted
      ? trans.__('The upload to %1 was cancelled; nothing of it is kept.', place)
      : describeError(asLakeError(reason), trans);
    const type = stopping.signal.aborted ? 'info' : 'error';
    Notification.update({ id, message, type, autoClose: false, actions: [] });
  }
}
