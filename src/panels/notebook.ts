/**
 * An executed notebook in the main area, to be read.
 *
 * The notebook lives in memory only: there is no file behind it, no kernel, and nothing to save.
 * Its outputs come from a job, so they are untrusted: scripts do not run, HTML is sanitised.
 */
import type { IEditorMimeTypeService } from '@jupyterlab/codeeditor';
import type * as nbformat from '@jupyterlab/nbformat';
import { NotebookModel, StaticNotebook } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { ITranslator } from '@jupyterlab/translation';

/** A view of an executed notebook. */
export class ExecutedNotebook extends StaticNotebook {
  constructor(options: ExecutedNotebook.IOptions) {
    super({
      contentFactory: options.contentFactory,
      mimeTypeService: options.mimeTypeService,
      notebookConfig: { ...StaticNotebook.defaultNotebookConfig, windowingMode: 'none' },
      // A clone, so that relative links are not looked up among the user's files.
      rendermime: options.rendermime.clone({ resolver: undefined }),
      translator: options.translator
    });
    this.addClass('jp-DatalakeExecutedNotebook');
    const model = new NotebookModel({ translator: options.translator });
    model.fromJSON(readOnly(options.content));
    model.readOnly = true;
    this.model = model;
  }

  override dispose(): void {
    const model = this.model;
    super.dispose();
    model?.dispose();
  }
}

/** What an {@link ExecutedNotebook} is made of. */
export namespace ExecutedNotebook {
  export interface IOptions {
    content: nbformat.INotebookContent;
    contentFactory: StaticNotebook.IContentFactory;
    mimeTypeService: IEditorMimeTypeService;
    rendermime: IRenderMimeRegistry;
    translator: ITranslator;
  }
}

/** Return a notebook whose cells can neither be changed nor claim to be trusted. */
export function readOnly(content: nbformat.INotebookContent): nbformat.INotebookContent {
  return {
    ...content,
    cells: content.cells.map(cell => ({
      ...cell,
      metadata: { ...cell.metadata, trusted: false, editable: false, deletable: false }
    }))
  };
}
