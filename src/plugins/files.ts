/**
 * Files of any commit in the main area.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { PathExt } from '@jupyterlab/coreutils';
import { NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { fileIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';

import { LakeClient } from '../api/client';
import { ARGUMENTS, CommandIDs } from '../commands';
import { refText } from '../components/formats';
import type { FileTab } from '../models/file-view';
import type { FileView } from '../panels/file-view';
import { ExecutedNotebook } from '../panels/notebook';
import { ILake } from '../tokens';
import { textOf } from './arguments';
import { colouringBy } from './colouring';
import { loadScreen } from './loading';
import { showInMain } from './showing';

const TABS: readonly string[] = ['data', 'statistics', 'changes'];

/** Shows files, whatever they are. */
export const filesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-datalake:files',
  description: 'Files of any commit in the main area: data, statistics and changes.',
  autoStart: true,
  optional: [
    NotebookPanel.IContentFactory,
    IEditorServices,
    IRenderMimeRegistry,
    IEditorLanguageRegistry,
    ILayoutRestorer,
    ITranslator,
    ILake
  ],
  activate: (
    app: JupyterFrontEnd,
    contentFactory: NotebookPanel.IContentFactory | null,
    editorServices: IEditorServices | null,
    rendermime: IRenderMimeRegistry | null,
    languages: IEditorLanguageRegistry | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    lake: ILake | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const { commands, shell } = app;
    const client = new LakeClient({ serverSettings: app.serviceManager.serverSettings });
    const tracker = new WidgetTracker<MainAreaWidget<FileView>>({ namespace: 'datalake-file' });
    const renderNotebook =
      contentFactory && editorServices && rendermime
        ? (content: ExecutedNotebook.IOptions['content']) =>
            new ExecutedNotebook({
              content,
              contentFactory,
              mimeTypeService: editorServices.mimeTypeService,
              rendermime,
              translator: translator ?? nullTranslator
            })
        : undefined;
    const colouring = languages ? colouringBy(languages) : undefined;
    const renderHtml = rendermime ? (html: string) => htmlBy(rendermime, html) : undefined;
    commands.addCommand(CommandIDs.openFile, {
      label: trans.__('Show File'),
      icon: fileIcon,
      describedBy: ARGUMENTS[CommandIDs.openFile],
      execute: async args => {
        const [repo, ref, path] = ['repo', 'ref', 'path'].map(name => textOf(args, name));
        if (repo === undefined || ref === undefined || path === undefined) {
          return;
        }
        const screen = await loadScreen(trans, () => import('../screens/file'));
        if (!screen) {
          return;
        }
        const base = textOf(args, 'base');
        const session = textOf(args, 'session');
        const trial = trialOf(args);
        const tab = TABS.find(one => one === args.tab) as FileTab | undefined;
        const source = session ?? (trial ? `${trial.id}-${trial.datum ?? ''}` : '');
        const id = `datalake-file-${source}-${repo}@${ref}/${path}`;
        let widget = tracker.find(one => one.id === id);
        if (widget) {
          const { model } = widget.content;
          if (base !== undefined && base !== model.base) {
            model.base = base;
          } else if (model.session !== null) {
            void model.follow();
          } else if (!model.isCommitted) {
            model.compareAnew(); // the trial has gone on
          }
          if (model.isCommitted) {
            model.tab = tab ?? model.tab;
          }
        } else {
          const { FileView, FileViewModel } = screen;
          const place = { repo, ref, path, base, session, trial };
          const model = new FileViewModel({ client, ...place, tab });
          const onShow = () => void commands.execute(CommandIDs.openFile, { repo, ref, path });
          widget = new MainAreaWidget({
            content: new FileView({ model, trans, onShow, renderNotebook, colouring, renderHtml })
          });
          widget.id = id;
          widget.title.icon = fileIcon;
          const at = trial ? trans.__('trial') : refText(ref);
          widget.title.label = `${PathExt.basename(path)} @ ${at}`;
          widget.title.caption = `${repo}@${ref}/${path}`;
          await tracker.add(widget);
        }
        showInMain(shell, widget);
      }
    });
    const follow = (session?: string) =>
      tracker.forEach(({ content: { model } }) => {
        if (session === undefined || model.session === session) {
          void model.follow();
        }
      });
    lake?.happened.connect((_, { kind, subject }) => {
      if (kind === 'session.changed') {
        follow(subject);
      }
    });
    lake?.outdated.connect(() => follow());
    void restorer?.restore(tracker, {
      command: CommandIDs.openFile,
      args: ({ content: { model } }) => ({
        repo: model.repo,
        ref: model.ref,
        path: model.path,
        tab: model.tab,
        ...(model.base === null ? {} : { base: model.base }),
        ...(model.session === null ? {} : { session: model.session }),
        ...(model.trial === null ? {} : { trial: model.trial.id }),
        ...(model.trial?.datum === undefined ? {} : { datum: model.trial.datum })
      }),
      name: widget => widget.id
    });
  }
};

/** Return the trial, and the datum of it, that arguments name. */
function trialOf(args: ReadonlyPartialJSONObject): { id: string; datum?: number } | undefined {
  const id = textOf(args, 'trial');
  const datum = typeof args.datum === 'number' ? args.datum : undefined;
  return id === undefined ? undefined : { id, datum };
}

/** Return a widget that shows HTML as JupyterLab shows what it does not trust: sanitised. */
function htmlBy(rendermime: IRenderMimeRegistry, html: string): Widget {
  const type = 'text/html';
  const widget = rendermime.createRenderer(type);
  const model = rendermime.createModel({ data: { [type]: html }, trusted: false });
  void widget.renderModel(model);
  return widget;
}
