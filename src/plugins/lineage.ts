/**
 * The lineage graph in the main area.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ARGUMENTS, CommandIDs } from '../commands';
import { lineageIcon } from '../icons';
import type { LineagePanel } from '../panels/lineage';
import { ILake } from '../tokens';
import { fileOf, repoOf, textOf } from './arguments';
import { loadScreen } from './loading';
import { showInMain } from './showing';

/** Shows the lineage graph; there is one, whoever asks. */
export const lineagePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:lineage',
  description: 'The lineage graph of repos and pipelines.',
  autoStart: true,
  requires: [ILake],
  optional: [ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands, shell } = app;
    const tracker = new WidgetTracker<MainAreaWidget<LineagePanel>>({
      namespace: 'datalake-lineage'
    });
    commands.addCommand(CommandIDs.openLineage, {
      label: args => (args.asks === 'origin' ? trans.__('What Made This?') : trans.__('Lineage')),
      caption: trans.__('Show repos and pipelines as a graph'),
      icon: lineageIcon,
      describedBy: ARGUMENTS[CommandIDs.openLineage],
      execute: async args => {
        const screen = await loadScreen(trans, () => import('../screens/lineage'));
        if (!screen) {
          return;
        }
        let widget = tracker.currentWidget;
        if (!widget) {
          const { LineageModel, LineagePanel } = screen;
          const model = new LineageModel(lake);
          widget = new MainAreaWidget({ content: new LineagePanel({ model, commands, trans }) });
          widget.id = 'datalake-lineage';
          widget.title.icon = lineageIcon;
          widget.title.label = trans.__('Lineage');
          await tracker.add(widget);
        }
        const { model } = widget.content;
        const globalId = textOf(args, 'globalId');
        const file = fileOf(args, app);
        const repo = repoOf(args, app);
        const node = textOf(args, 'node') ?? (repo === undefined ? undefined : `repo:${repo}`);
        if (globalId !== undefined || node !== undefined) {
          model.globalId = globalId ?? null;
        }
        if (node !== undefined) {
          model.chosen = node;
        }
        if (file !== undefined) {
          model.file = file;
        }
        showInMain(shell, widget);
      }
    });
    palette?.addItem({ command: CommandIDs.openLineage, category: trans.__('Data Lake') });
    void restorer?.restore(tracker, {
      command: CommandIDs.openLineage,
      name: () => 'lineage'
    });
  }
};
