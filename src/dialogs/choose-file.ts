/**
 * Choosing files of the file browser.
 */
import type { FileBrowser } from '@jupyterlab/filebrowser';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';
import type { ITranslator } from '@jupyterlab/translation';

/** What is asked for. */
export interface IChooseFileOptions {
  browser: FileBrowser;
  title: string;
  fits: (file: Contents.IModel) => boolean;
  translator?: ITranslator;
}

/** Ask for files; return their paths, none if none was chosen. */
export async function chooseFiles(options: IChooseFileOptions): Promise<string[]> {
  const { browser, title, fits, translator } = options;
  const chosen = await FileDialog.getOpenFiles({
    manager: browser.model.manager,
    title,
    translator,
    defaultPath: browser.model.path,
    filter: file => (file.type === 'directory' || fits(file) ? {} : null)
  });
  return (chosen.value ?? []).filter(fits).map(({ path }) => path);
}
