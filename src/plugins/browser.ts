/**
 * JupyterLab's own file browsers: what is staged is marked, and files have a menu of the lake.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard } from '@jupyterlab/apputils';
import type { FileBrowser } from '@jupyterlab/filebrowser';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { copyIcon, historyIcon } from '@jupyterlab/ui-components';

import { getCommit, listCommits } from '../api/commits';
import { getFile } from '../api/files';
import { listRefs } from '../api/refs';
import { ARGUMENTS, CommandIDs } from '../commands';
import { showOpenAt } from '../dialogs/open-at';
import { DRIVE_NAME } from '../models/drive';
import { FolderMarks } from '../models/folder-marks';
import type { IFile } from '../models/lineage-sheet';
import { MountsModel } from '../models/mounts';
import { markRows } from '../panels/listing-marks';
import { ILake } from '../tokens';
import { fileOf, textOf } from './arguments';
import { attempt } from './reporting';

const CHOICES = 50;
/** Digits of a commit's id in the path of a file: enough to be the only one. */
const ID_DIGITS = 16;

/** Marks files in file browsers, and opens them as they were. */
export const browserPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:browser',
  description: 'Marks and menus of the lake in JupyterLab’s own file browsers.',
  autoStart: true,
  requires: [ILake],
  optional: [IFileBrowserFactory, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    factory: IFileBrowserFactory | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands } = app;
    commands.addCommand(CommandIDs.openFileAt, {
      label: trans.__('Open at Commit…'),
      caption: trans.__('Open this file, read-only, as it is at another branch, tag or commit'),
      icon: historyIcon,
      describedBy: ARGUMENTS[CommandIDs.openFileAt],
      isEnabled: args => fileOf(args, app) !== undefined,
      execute: async args => {
        const file = fileOf(args, app);
        const ref = textOf(args, 'ref');
        const open = async (at: string): Promise<true> => {
          await commands.execute('docmanager:open', { path: await pathAt(lake, file!, at) });
          return true;
        };
        if (!file) {
          return;
        }
        if (ref !== undefined) {
          await attempt(trans, () => open(ref));
          return;
        }
        const choices = await attempt(trans, () => choicesOf(lake, file));
        if (choices) {
          await showOpenAt(file, choices, trans, open);
        }
      }
    });
    commands.addCommand(CommandIDs.copyAddress, {
      label: trans.__('Copy the Address'),
      caption: trans.__('Copy the address by which code and commands name this file'),
      icon: copyIcon,
      describedBy: ARGUMENTS[CommandIDs.copyAddress],
      isEnabled: args => fileOf(args, app) !== undefined,
      execute: args => {
        const file = fileOf(args, app);
        if (file) {
          Clipboard.copyToSystem(`${file.repo}@${file.ref}/${file.path}`);
        }
      }
    });
    if (!factory) {
      return;
    }
    const mounts = new MountsModel(lake);
    const shown = new Set<FileBrowser>();
    const marks = new FolderMarks({
      lake,
      mounts,
      shown: () => [...shown].filter(one => one.isVisible).map(one => one.model.path)
    });
    const follow = (browser: FileBrowser) => {
      if (shown.has(browser)) {
        return;
      }
      shown.add(browser);
      browser.disposed.connect(() => shown.delete(browser));
      browser.model.pathChanged.connect(marks.invalidate, marks);
      browser.model.refreshed.connect(marks.invalidate, marks);
      markRows(browser, marks, trans);
    };
    void app.restored.then(() => {
      mounts.watch();
      marks.watch();
      factory.tracker.forEach(follow);
      factory.tracker.widgetAdded.connect((_, browser) => follow(browser));
      factory.tracker.currentChanged.connect(marks.invalidate, marks);
    });
  }
};

/** Return the path of a file at a ref in the drive; fails if there is none. */
async function pathAt(lake: ILake, file: IFile, ref: string): Promise<string> {
  const commit = await getCommit(lake.client, file.repo, ref);
  await getFile(lake.client, file.repo, commit.id, { path: file.path });
  return `${DRIVE_NAME}:${file.repo}@${commit.id.slice(0, ID_DIGITS)}/${file.path}`;
}

/** Return the refs of a repo, and the commits of the shown one that changed the file. */
async function choicesOf(lake: ILake, file: IFile): Promise<{ value: string; label: string }[]> {
  const [refs, commits] = await Promise.all([
    listRefs(lake.client, file.repo, { limit: CHOICES }),
    listCommits(lake.client, file.repo, file.ref, {
      path: file.path,
      follow: true,
      limit: CHOICES
    })
  ]);
  return [
    ...refs.results.map(({ name }) => ({ value: name, label: name })),
    ...commits.results.map(({ id, created_at, message }) => ({
      value: id.slice(0, ID_DIGITS),
      label: `${new Date(created_at).toLocaleString()} · ${message.split('\n', 1)[0]}`
    }))
  ];
}
