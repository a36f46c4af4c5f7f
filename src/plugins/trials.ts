/**
 * Trials in the main area.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ARGUMENTS, CommandIDs } from '../commands';
import { pipelineIcon } from '../icons';
import { ILake } from '../tokens';
import { textOf } from './arguments';
import { loadScreen } from './loading';
import { showInMain } from './showing';

/** Shows single trials. */
export const trialsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:trials',
  description: 'Trials of specs that are not published yet, in the main area.',
  autoStart: true,
  requires: [ILake],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, lake: ILake, translator: ITranslator | null): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands, shell } = app;
    commands.addCommand(CommandIDs.openTrial, {
      label: trans.__('Show Trial'),
      icon: pipelineIcon,
      describedBy: ARGUMENTS[CommandIDs.openTrial],
      execute: async args => {
        const id = textOf(args, 'trial');
        if (id === undefined) {
          return;
        }
        const screen = await loadScreen(trans, () => import('../screens/trial'));
        if (!screen) {
          return;
        }
        const widgetId = `datalake-trial-${id}`;
        let widget = [...shell.widgets('main')].find(one => one.id === widgetId);
        if (!widget) {
          const { TrialModel, TrialPanel } = screen;
          const model = new TrialModel({ lake, id });
          widget = new MainAreaWidget({ content: new TrialPanel({ model, commands, trans }) });
          widget.id = widgetId;
          widget.title.icon = pipelineIcon;
          widget.title.label = trans.__('Trial');
        }
        showInMain(shell, widget);
      }
    });
  }
};
