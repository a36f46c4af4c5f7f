/**
 * What the makers of pipelines share: where they stand, and how what they are made of is chosen.
 */
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { ILauncher } from '@jupyterlab/launcher';
import type { Contents } from '@jupyterlab/services';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';

import { chooseFiles } from '../dialogs/choose-file';

/** The parts of JupyterLab in which a maker of pipelines stands, where they are there. */
export interface IMakingPlaces {
  browsers: IFileBrowserFactory | null;
  browser: IDefaultFileBrowser | null;
  launcher: ILauncher | null;
  palette: ICommandPalette | null;
  translator: ITranslator | null;
}

/** A command that makes pipelines of files. */
export interface IMaking {
  command: string;
  rank: number;
  /** Title of the dialog that asks for files. */
  asks: string;
  /** Whether files of this kind are what it takes. */
  fits: (file: Contents.IModel) => boolean;
  trans: TranslationBundle;
}

/** The files that a maker of pipelines is given. */
export interface IMaker {
  /** Return the paths of those that are selected in the file browser and fit. */
  selected(): string[];
  /** Ask for files; return their paths, none if none was chosen. */
  choose(): Promise<string[]>;
}

/** Put a maker of pipelines into the launcher and the palette. */
export function addMaker(making: IMaking, places: IMakingPlaces): IMaker {
  const { browsers, browser, launcher, palette, translator } = places;
  const { command, rank, asks, fits, trans } = making;
  const category = trans.__('Data Lake');
  palette?.addItem({ command, category });
  if (browser) {
    launcher?.add({ command, args: { isLauncher: true }, category, rank });
  }
  return {
    selected: () =>
      [...(browsers?.tracker.currentWidget?.selectedItems() ?? [])]
        .filter(fits)
        .map(({ path }) => path),
    choose: async () =>
      browser === null
        ? []
        : chooseFiles({ browser, title: asks, fits, translator: translator ?? undefined })
  };
}
