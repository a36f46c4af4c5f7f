/**
 * Promoting notebooks to pipelines: from their toolbar, the file browser, the launcher or the palette.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { ARGUMENTS, CommandIDs } from '../commands';
import { promoteIcon } from '../icons';
import type { PromotionModel } from '../models/promotion';
import type { PromotionsModel } from '../models/promotions';
import type * as promotion from '../screens/promotion';
import { SPECS_SUFFIX } from '../specs';
import { ILake } from '../tokens';
import { textOf } from './arguments';
import { loadScreen } from './loading';
import { addMaker } from './making';
import { attempt, tellApplied, tellLeft, tellPublished } from './reporting';

type Screen = typeof promotion;

/** Makes pipelines of notebooks. */
export const promotePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:promote',
  description: 'Promotes notebooks to pipelines.',
  autoStart: true,
  requires: [ILake],
  optional: [
    INotebookTracker,
    IFileBrowserFactory,
    IDefaultFileBrowser,
    ILauncher,
    ICommandPalette,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    notebooks: INotebookTracker | null,
    browsers: IFileBrowserFactory | null,
    browser: IDefaultFileBrowser | null,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands } = app;
    const { contents } = app.serviceManager;
    const maker = addMaker(
      {
        command: CommandIDs.promotePipeline,
        rank: 1,
        asks: trans.__('Promote which notebooks?'),
        fits: file => file.type === 'notebook',
        trans
      },
      { browsers, browser, launcher, palette, translator }
    );
    const pathsOf = (args: ReadonlyPartialJSONObject): string[] => {
      const path = textOf(args, 'path');
      if (path !== undefined) {
        return [path];
      }
      if (args.isContextMenu === true) {
        return maker.selected();
      }
      const current = notebooks?.currentWidget?.context.path;
      return current === undefined ? [] : [current];
    };
    const asks = (args: ReadonlyPartialJSONObject) =>
      args.isLauncher === true || args.asks === true;
    /** The server reads notebooks from their files. */
    const save = async (paths: readonly string[]) => {
      for (const path of paths) {
        const open = notebooks?.find(one => one.context.path === path)?.context;
        await open?.save();
      }
      return true;
    };
    /** Forms that were left to look at what came of a trial, by the path of their notebook. */
    const left = new Map<string, { known: PromotionModel.IKnown; trial: string }>();
    const promoteOne = async (path: string, screen: Screen) => {
      const { PromotionModel, showPromote, TrialModel } = screen;
      const notebook = contents.localPath(path);
      const before = left.get(path);
      left.delete(path);
      const model = new PromotionModel({ lake, notebook, known: before?.known });
      const trial = new TrialModel({ lake, id: before?.trial });
      const promoted = await showPromote(model, trial, trans, (command, shown) => {
        if (model.draft && trial.id !== null) {
          const draft = { ...model.draft, spec: model.spec, exists: model.exists };
          left.set(path, { known: { draft, repos: model.repos }, trial: trial.id });
          const back = () => void commands.execute(CommandIDs.promotePipeline, { path });
          tellLeft(path, back, trans);
        }
        void commands.execute(command, shown);
      });
      if (promoted) {
        tellPublished(promoted, { lake, commands, trans });
      }
    };
    const promoteSeveral = async (
      paths: readonly string[],
      screen: Screen,
      known?: PromotionsModel.IKnown
    ): Promise<void> => {
      const { dagNotes, PromotionsModel, showPromotions } = screen;
      const model = new PromotionsModel({
        lake,
        notebooks: paths.map(path => contents.localPath(path)),
        notes: dagNotes(trans),
        known
      });
      const drive = contents.driveName(paths[0] ?? '');
      const promoted = await showPromotions(
        model,
        trans,
        () => attempt(trans, () => writeSpecs(contents, drive, model, { screen, trans })),
        (command, shown) => {
          const { left: forms } = model;
          tellLeft(paths[0] ?? '', () => void promoteSeveral(paths, screen, forms), trans);
          void commands.execute(command, shown);
        }
      );
      if (promoted && 'file' in promoted) {
        await commands.execute(CommandIDs.openDag, { path: promoted.file });
      } else if (promoted) {
        tellApplied(promoted.applied, { commands, trans });
      }
    };
    commands.addCommand(CommandIDs.promotePipeline, {
      label: args =>
        args.isLauncher === true
          ? trans.__('Promote Notebook')
          : asks(args) || pathsOf(args).length > 1
            ? trans.__('Promote to Pipelines…')
            : trans.__('Promote to Pipeline…'),
      caption: trans.__('Promote to pipeline: run this notebook whenever its inputs change'),
      icon: promoteIcon,
      describedBy: ARGUMENTS[CommandIDs.promotePipeline],
      isEnabled: args => asks(args) || pathsOf(args).length > 0,
      execute: async args => {
        const paths = asks(args) ? await maker.choose() : pathsOf(args);
        const [first] = paths;
        if (first === undefined || (await attempt(trans, () => save(paths))) === null) {
          return;
        }
        const screen = await loadScreen(trans, () => import('../screens/promotion'));
        if (screen) {
          await (paths.length === 1 ? promoteOne(first, screen) : promoteSeveral(paths, screen));
        }
      }
    });
    if (browser) {
      palette?.addItem({
        command: CommandIDs.promotePipeline,
        category: trans.__('Data Lake'),
        args: { asks: true }
      });
    }
    notebooks?.currentChanged.connect(() =>
      commands.notifyCommandChanged(CommandIDs.promotePipeline)
    );
  }
};

/** Write the steps as a file of specs that is not there yet, in the folder of the notebooks. */
async function writeSpecs(
  contents: Contents.IManager,
  drive: string,
  model: PromotionsModel,
  { screen, trans }: { screen: Screen; trans: TranslationBundle }
): Promise<string> {
  try {
    const { folder, text } = model.file();
    const path = drive === '' ? folder : `${drive}:${folder}`;
    const file = await contents.newUntitled({ path, type: 'file', ext: SPECS_SUFFIX });
    await contents.save(file.path, { type: 'file', format: 'text', content: text });
    return file.path;
  } catch (reason) {
    if (reason instanceof screen.OutOfReachError) {
      throw new Error(screen.outOfReachText(reason, trans), { cause: reason });
    }
    throw reason;
  }
}
