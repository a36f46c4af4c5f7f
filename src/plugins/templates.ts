/**
 * New pipelines of templates: from the launcher, the panel, the palette and the file browser.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { addIcon } from '@jupyterlab/ui-components';

import { ARGUMENTS, CommandIDs } from '../commands';
import { promoteIcon } from '../icons';
import type { TypedArguments } from '../template-form';
import { ILake } from '../tokens';
import type { ReadYaml } from '../yaml';
import { textOf } from './arguments';
import { loadScreen } from './loading';
import { addMaker } from './making';
import { attempt, tellLeft, tellPublished } from './reporting';

/** Makes pipelines of templates. */
export const templatesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:templates',
  description: 'Makes pipelines of templates.',
  autoStart: true,
  requires: [ILake],
  optional: [IFileBrowserFactory, IDefaultFileBrowser, ILauncher, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
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
        command: CommandIDs.renderPipeline,
        rank: 2,
        asks: trans.__('Which template?'),
        fits: isYaml,
        trans
      },
      { browsers, browser, launcher, palette, translator }
    );
    commands.addCommand(CommandIDs.renderPipeline, {
      label: args =>
        args.isLauncher === true
          ? trans.__('Pipeline from Template')
          : trans.__('New Pipeline from Template…'),
      caption: trans.__('Fill in a template: a pipeline with places for arguments'),
      icon: args => (args.isLauncher === true ? promoteIcon : addIcon),
      describedBy: ARGUMENTS[CommandIDs.renderPipeline],
      isVisible: args => args.isContextMenu !== true || maker.selected().length > 0,
      execute: async args => {
        const named = textOf(args, 'path');
        const chosen = args.isContextMenu === true ? maker.selected() : [];
        const path = named ?? chosen[0] ?? (await maker.choose())[0];
        if (path === undefined) {
          return;
        }
        const file = await attempt(trans, () =>
          contents.get(path, { type: 'file', format: 'text', content: true })
        );
        const screen = await loadScreen(trans, () => import('../screens/template'));
        if (!file || !screen) {
          return;
        }
        const { readYaml, showTemplate, TemplateModel, TrialModel } = screen;
        const document = templateIn(file.path, readYaml(String(file.content)), trans);
        if (!document) {
          return;
        }
        const folder = PathExt.dirname(contents.localPath(path));
        const fill = async (fields?: TypedArguments, id?: string): Promise<void> => {
          const model = new TemplateModel({ lake, document, folder, fields });
          const trial = new TrialModel({ lake, id });
          const made = await showTemplate(model, trial, trans, (command, shown) => {
            const [typed, tried] = [model.fields, trial.id ?? undefined];
            tellLeft(path, () => void fill(typed, tried), trans);
            void commands.execute(command, shown);
          });
          if (made) {
            tellPublished(made, { lake, commands, trans });
          }
        };
        await fill();
      }
    });
  }
};

function isYaml(file: Contents.IModel): boolean {
  return file.type === 'file' && ['.yaml', '.yml'].includes(PathExt.extname(file.path));
}

/** Return the template in a file; say so and return null where there is none. */
function templateIn(
  path: string,
  read: ReadYaml,
  trans: TranslationBundle
): Record<string, unknown> | null {
  if ('value' in read && typeof read.value.template === 'string' && 'spec' in read.value) {
    return read.value;
  }
  const why = 'value' in read ? '' : read.problem;
  Notification.error(
    why
      ? trans.__('%1 cannot be read as YAML: %2', path, why)
      : trans.__('%1 is no template: it needs the keys “template” and “spec”.', path),
    { autoClose: false }
  );
  return null;
}
