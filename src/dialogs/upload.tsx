/**
 * Asking where files of this computer go, whether they may replace others, and which were left out.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { describeError } from '../components/errors';
import { formatBytes } from '../components/formats';
import { asLakeError } from '../models/refreshing';
import type { ILeftOut, IUpload } from '../models/uploading';
import { ShrunkError, UnreadableError } from '../models/uploading';
import { confirm } from './confirm';
import { showFieldsDialog } from './fields-dialog';

const NAMED = 3;
const NAME_LENGTH = 24;
const LISTED = 200;

/** Where an upload goes unless somebody says otherwise. */
export interface IUploadPlace {
  /** Empty to have it chosen. */
  repo: string;
  branch: string;
  /** Whether the files are to stay changes that are not committed. */
  isStaged: boolean;
}

/**
 * Ask where files go; return null if they are to go nowhere.
 *
 * @param repos - those that can be chosen.
 */
export function showUpload(
  { files, folders = [] }: Pick<IUpload, 'files' | 'folders'>,
  place: IUploadPlace,
  repos: readonly string[],
  trans: TranslationBundle
): Promise<IUpload | null> {
  const size = formatBytes(files.reduce((sum, { file }) => sum + file.size, 0));
  const names = namesOf([...files.map(({ path }) => path), ...folders.map(path => `${path}/`)]);
  const more = names.length - NAMED;
  const shown = names.slice(0, NAMED).join(', ');
  const named = more > 0 ? trans.__('%1 and %2 more', shown, more) : shown;
  const repo = {
    label: trans.__('Repo'),
    value: repos[0] ?? '',
    pattern: /\S/,
    choices: repos.map(value => ({ value, label: value }))
  };
  return showFieldsDialog<string, IUpload>({
    title: place.repo ? trans.__('Upload to %1', place.repo) : trans.__('Upload'),
    accept: trans.__('Upload'),
    fields: {
      ...(place.repo ? {} : { repo }),
      branch: { label: trans.__('Branch'), value: place.branch, pattern: /\S/ },
      folder: {
        label: trans.__('Folder'),
        help: trans.__('Of the repo; it is made if it is not there'),
        placeholder: '/'
      },
      message: {
        label: trans.__('Message'),
        help: [
          trans._n('%1 file, %2.', '%1 files, %2.', files.length, size),
          folders.length > 0 && trans._n('%1 empty folder.', '%1 empty folders.', folders.length),
          trans.__('Without a message they stay in Changes, to be looked at and committed there.')
        ]
          .filter(Boolean)
          .join(' '),
        value: place.isStaged ? '' : trans.__('Upload %1', named)
      }
    },
    trans,
    act: values =>
      Promise.resolve({
        repo: place.repo || (values.repo ?? '').trim(),
        files,
        folders,
        branch: (values.branch ?? '').trim(),
        folder: (values.folder ?? '').trim(),
        message: (values.message ?? '').trim()
      })
  });
}

/** Ask whether files may be replaced. */
export function confirmReplace(
  upload: IUpload,
  taken: readonly string[],
  trans: TranslationBundle
): Promise<boolean> {
  return confirm(
    trans.__('Replace files of %1', `${upload.repo}@${upload.branch}`),
    trans._n(
      '%2 is there already. Its versions until now stay in the history.',
      '%1 of these files are there already, %2 among them. Their versions until now stay in the history.',
      taken.length,
      taken[0] ?? ''
    ),
    trans.__('Replace'),
    trans
  );
}

/** Return which files were not taken, as far as a notification has room. */
export function leftOutText(leftOut: readonly ILeftOut[], trans: TranslationBundle): string {
  const names = leftOut.slice(0, NAMED).map(({ path }) => path.replace(/^.*\//, ''));
  const short = names.map(name =>
    name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH)}…` : name
  );
  const more = leftOut.length - names.length;
  const shown = short.join(', ');
  return trans._n(
    '%1 file was left out: %2',
    '%1 files were left out: %2',
    leftOut.length,
    more > 0 ? trans.__('%1 and %2 more', shown, more) : shown
  );
}

/** Show which files were not taken, and why. */
export async function showLeftOut(
  leftOut: readonly ILeftOut[],
  trans: TranslationBundle
): Promise<void> {
  const more = leftOut.length - LISTED;
  await showDialog({
    title: trans.__('Files that were left out'),
    body: (
      <div className="jp-DatalakeLeftOut" tabIndex={0}>
        <ul aria-label={trans.__('Files that were left out')}>
          {leftOut.slice(0, LISTED).map(one => (
            <li key={one.path}>{reasonOf(one, trans)}</li>
          ))}
        </ul>
        {more > 0 && <p className="jp-DatalakeNote">{trans.__('%1 more', more)}</p>}
      </div>
    ),
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}

function reasonOf({ path, reason }: ILeftOut, trans: TranslationBundle): string {
  if (reason instanceof ShrunkError) {
    return trans.__('%1 cannot be read: it has fewer than %2 bytes now', path, reason.size);
  }
  return reason instanceof UnreadableError
    ? trans.__('%1 cannot be read: %2', path, reason.message)
    : trans.__('%1: %2', path, describeError(asLakeError(reason), trans));
}

/** Return the names of what was chosen: of files in a folder, that of the folder. */
function namesOf(paths: readonly string[]): string[] {
  return [...new Set(paths.map(path => path.replace(/\/.*$/, '/')))];
}
