/**
 * The drive of the lake, and a file browser for it where mounts have no folder.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import {
  createToolbarFactory,
  IToolbarWidgetRegistry,
  Notification,
  setToolbar
} from '@jupyterlab/apputils';
import type { FileBrowser } from '@jupyterlab/filebrowser';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';

import { mountIcon } from '../icons';
import { DRIVE_NAME, LakeDrive, MAX_NAMES } from '../models/drive';
import { DriveFolder } from '../models/drive-folder';
import { ILake } from '../tokens';

const BROWSER_ID = 'jupyter-datalake-drive';
const RANK = 101; // behind JupyterLab's own file browser
const REFRESH_MS = 600_000; // events tell what changed
const TOOLBAR = { factory: 'FileBrowser', plugin: '@jupyterlab/filebrowser-extension:widget' };

/** Adds the drive `lake:`, and shows it while something is mounted in it. */
export const drivePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:drive',
  description: 'The drive of the lake: mounts that have no folder, and any ref of any repo.',
  autoStart: true,
  requires: [ILake],
  optional: [
    IFileBrowserFactory,
    IToolbarWidgetRegistry,
    ISettingRegistry,
    ILayoutRestorer,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    factory: IFileBrowserFactory | null,
    toolbars: IToolbarWidgetRegistry | null,
    settings: ISettingRegistry | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const { contents, serverSettings } = app.serviceManager;
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const drive = new LakeDrive({ client: lake.client, serverSettings });
    drive.listingCut.connect(tellOnce(trans));
    contents.addDrive(drive);
    if (!factory) {
      return;
    }
    const browser = factory.createFileBrowser(BROWSER_ID, {
      driveName: DRIVE_NAME,
      refreshInterval: REFRESH_MS
    });
    browser.title.icon = mountIcon;
    browser.title.caption = trans.__('Files of the Lake (drive)');
    browser.node.setAttribute('role', 'region');
    browser.node.setAttribute('aria-label', trans.__('Files of the lake'));
    browser.showLastModifiedColumn = true;
    browser.showFileCheckboxes = false;
    if (toolbars && settings) {
      setToolbar(
        browser,
        createToolbarFactory(
          toolbars,
          settings,
          TOOLBAR.factory,
          TOOLBAR.plugin,
          translator ?? nullTranslator
        )
      );
    }
    restorer?.add(browser, BROWSER_ID);
    keepShown(app, new DriveFolder(lake, drive, browser.model), browser);
  }
};

/** Return what tells that a folder is not shown whole, once for each. */
function tellOnce(trans: TranslationBundle): (drive: LakeDrive, path: string) => void {
  const told = new Set<string>();
  return (_, path) => {
    if (!told.has(path)) {
      told.add(path);
      Notification.warning(
        trans.__(
          '%1 has more than %2 names; the first are shown. Others are found by their path: in a notebook, the command line, or the panel.',
          `${DRIVE_NAME}:${path}`,
          MAX_NAMES.toLocaleString()
        ),
        { autoClose: false }
      );
    }
  };
}

/** Have the browser in the left area while there is something in it, and as it is now. */
function keepShown(app: JupyterFrontEnd, folder: DriveFolder, browser: FileBrowser): void {
  folder.stateChanged.connect(() => {
    if (folder.isUsed && !browser.isAttached) {
      app.shell.add(browser, 'left', { rank: RANK, type: 'File Browser' });
    } else if (!folder.isUsed && browser.isAttached) {
      browser.parent = null;
    }
  });
  // A listing that is drawn while it is hidden forgets that it has not looked at its files.
  MessageLoop.installMessageHook(browser, (_, message) => {
    if (message.type === 'after-show') {
      void folder.refresh();
    }
    return true;
  });
  void app.restored.then(() => folder.watch());
}
