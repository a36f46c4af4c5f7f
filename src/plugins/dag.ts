/**
 * The editor of files of specs: as a graph, as forms and as text.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import type { IEditorServices as Editors } from '@jupyterlab/codeeditor';
import { CodeEditor, CodeEditorWrapper, IEditorServices } from '@jupyterlab/codeeditor';
import { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry, IDocumentWidget } from '@jupyterlab/docregistry';
import { ABCWidgetFactory, DocumentWidget } from '@jupyterlab/docregistry';
import { FileDialog, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { editIcon } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';
import { StackedPanel } from '@lumino/widgets';

import { writePipeline } from '../api/pipelines';
import { ARGUMENTS, CommandIDs } from '../commands';
import { showEditPipelines } from '../dialogs/edit-pipelines';
import { lineageIcon } from '../icons';
import type { ISpecFile } from '../models/dag';
import { SPECS_SUFFIX } from '../specs';
import { ILake } from '../tokens';
import { textOf } from './arguments';
import { importScreen } from './loading';
import { attempt } from './reporting';

const FACTORY = 'Pipelines editor';

type Context = DocumentRegistry.CodeContext;

/** Edits files of specs. */
export const dagPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:dag',
  description: 'Edits pipelines as a graph whose steps are connected by dragging.',
  autoStart: true,
  requires: [ILake, IDocumentManager, IEditorServices],
  optional: [IFileBrowserFactory, ILauncher, ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    manager: IDocumentManager,
    editors: Editors,
    browsers: IFileBrowserFactory | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands, docRegistry } = app;
    const { contents } = app.serviceManager;
    docRegistry.addFileType({
      name: 'datalake-pipelines',
      displayName: trans.__('Pipelines'),
      extensions: [SPECS_SUFFIX, '.pipelines.yml'],
      mimeTypes: ['text/x-yaml'],
      fileFormat: 'text',
      icon: lineageIcon
    });
    docRegistry.addFileType({
      name: 'datalake-yaml',
      displayName: trans.__('YAML'),
      extensions: ['.yaml', '.yml'],
      mimeTypes: ['text/x-yaml'],
      fileFormat: 'text'
    });
    const localPath = (path: string) => contents.localPath(path);
    const pickNotebooks = async (): Promise<readonly string[]> => {
      const { button, value } = await FileDialog.getOpenFiles({
        manager,
        title: trans.__('Add Notebooks'),
        filter: model => (model.type === 'notebook' ? {} : null)
      });
      return button.accept ? (value ?? []).map(({ path }) => path) : [];
    };
    const panelOf = async (context: Context): Promise<Widget> => {
      const { DagModel, DagPanel, dagNotes, TrialModel } = await importScreen(
        trans,
        () => import('../screens/dag')
      );
      const file = new ContextFile(context, localPath);
      const model = new DagModel({
        lake,
        file,
        notes: dagNotes(trans)
      });
      const { sharedModel } = context.model;
      const editor = new CodeEditorWrapper({
        model: new CodeEditor.Model({ mimeType: 'text/x-yaml', sharedModel }),
        factory: options =>
          editors.factoryService.newDocumentEditor({
            ...options,
            config: { ...options.config, lineNumbers: true }
          })
      });
      const { client } = lake;
      const newTrial = () => new TrialModel({ lake });
      return new DagPanel({
        model,
        client,
        editor,
        localPath,
        pickNotebooks,
        newTrial,
        commands,
        trans
      });
    };
    const factory = new DagFactory({
      name: FACTORY,
      label: trans.__('Pipelines editor'),
      fileTypes: ['datalake-pipelines', 'datalake-yaml'],
      defaultFor: ['datalake-pipelines'],
      translator: translator ?? undefined,
      panelOf
    });
    const tracker = new WidgetTracker<IDocumentWidget<DagHost>>({ namespace: 'datalake-dag' });
    factory.widgetCreated.connect((_, widget) => {
      widget.context.pathChanged.connect(() => void tracker.save(widget));
      void tracker.add(widget);
    });
    docRegistry.addWidgetFactory(factory);
    commands.addCommand(CommandIDs.openDag, {
      label: args =>
        args.isPalette ? trans.__('New Pipelines File') : trans.__('Pipelines editor'),
      caption: trans.__('Connect notebooks to pipelines by dragging'),
      icon: lineageIcon,
      describedBy: ARGUMENTS[CommandIDs.openDag],
      execute: args =>
        attempt(trans, async () => {
          let path = textOf(args, 'path');
          if (path === undefined) {
            const cwd = textOf(args, 'cwd') ?? browsers?.tracker.currentWidget?.model.path ?? '';
            path = (await contents.newUntitled({ path: cwd, type: 'file', ext: SPECS_SUFFIX }))
              .path;
          }
          return manager.openOrReveal(path, FACTORY);
        })
    });
    commands.addCommand(CommandIDs.writePipeline, {
      label: trans.__('Edit Pipeline as a Graph'),
      caption: trans.__(
        'Write a pipeline, and those it is connected with, to a file, and open that'
      ),
      icon: editIcon,
      describedBy: ARGUMENTS[CommandIDs.writePipeline],
      execute: async args => {
        const pipeline = textOf(args, 'pipeline');
        if (pipeline === undefined) {
          return null;
        }
        const cwd = textOf(args, 'cwd') ?? browsers?.tracker.currentWidget?.model.path ?? '';
        const path = await showEditPipelines(pipeline, localPath(cwd), trans, async chosen => {
          await writePipeline(lake.client, {
            pipelines: [pipeline],
            path: chosen,
            connected: true
          });
          return chosen;
        });
        return path === null ? null : manager.openOrReveal(path, FACTORY);
      }
    });
    launcher?.add({ command: CommandIDs.openDag, category: trans.__('Other'), rank: 5 });
    palette?.addItem({
      command: CommandIDs.openDag,
      category: trans.__('Data Lake'),
      args: { isPalette: true }
    });
    void restorer?.restore(tracker, {
      command: 'docmanager:open',
      args: ({ context }) => ({ path: context.path, factory: FACTORY }),
      name: ({ context }) => context.path
    });
  }
};

class DagFactory extends ABCWidgetFactory<
  DocumentWidget<DagHost, DocumentRegistry.ICodeModel>,
  DocumentRegistry.ICodeModel
> {
  constructor(
    private readonly _own: DocumentRegistry.IWidgetFactoryOptions & {
      panelOf: (context: Context) => Promise<Widget>;
    }
  ) {
    super(_own);
  }

  protected createNewWidget(
    context: Context
  ): DocumentWidget<DagHost, DocumentRegistry.ICodeModel> {
    const content = new DagHost(() => this._own.panelOf(context));
    const widget = new DocumentWidget({ context, content, reveal: content.shown });
    widget.toolbar.hide(); // the panel has its own
    return widget;
  }
}

/** The place of the editor, which is there before it: JupyterLab asks for a widget at once. */
class DagHost extends StackedPanel {
  constructor(make: () => Promise<Widget>) {
    super();
    this.shown = this._show(make);
  }

  /** Settles when the editor is there, or is known not to come. */
  readonly shown: Promise<void>;

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.widgets[0]?.activate();
  }

  private async _show(make: () => Promise<Widget>): Promise<void> {
    const panel = await make();
    if (this.isDisposed) {
      panel.dispose();
    } else {
      this.addWidget(panel);
    }
  }
}

/** A document of JupyterLab as a file of specs. */
class ContextFile implements ISpecFile {
  constructor(
    private readonly _context: Context,
    private readonly _localPath: (path: string) => string
  ) {}

  get path(): string {
    return this._localPath(this._context.path);
  }

  get text(): string {
    return this._shared.getSource();
  }
  set text(text: string) {
    const before = this.text;
    let first = 0;
    while (first < before.length && first < text.length && before[first] === text[first]) {
      first++;
    }
    let last = 0;
    const most = Math.min(before.length, text.length) - first;
    while (last < most && before[before.length - 1 - last] === text[text.length - 1 - last]) {
      last++;
    }
    if (first + last < before.length || first + last < text.length) {
      // Only what differs, so that cursors elsewhere in the text stay where they are.
      const added = text.slice(first, text.length - last);
      this._shared.updateSource(first, before.length - last, added);
    }
  }

  get textChanged(): ISignal<unknown, unknown> {
    return this._shared.changed;
  }

  beginAct(): void {
    // JupyterLab's shared documents have it, but their interface does not say so.
    const { undoManager } = this._shared as { undoManager?: { stopCapturing(): void } | null };
    undoManager?.stopCapturing();
  }

  undo(): void {
    this._shared.undo();
  }

  redo(): void {
    this._shared.redo();
  }

  canUndo(): boolean {
    return this._shared.canUndo();
  }

  canRedo(): boolean {
    return this._shared.canRedo();
  }

  async save(): Promise<void> {
    await this._context.save();
    if (this._context.model.dirty) {
      throw new Error(`${this._context.path} could not be saved`); // JupyterLab has said why
    }
  }

  private get _shared(): DocumentRegistry.ICodeModel['sharedModel'] {
    return this._context.model.sharedModel;
  }
}
