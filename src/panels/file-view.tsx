/**
 * One file at one commit in the main area, to be looked at.
 */
import type * as nbformat from '@jupyterlab/nbformat';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Widget } from '@lumino/widgets';
import { Panel } from '@lumino/widgets';
import * as React from 'react';

import type { Colouring } from '../components/coloured';
import { ColouringContext } from '../components/coloured';
import { ColumnStatistics } from '../components/column-statistics';
import { ErrorBanner } from '../components/error-banner';
import { FileData } from '../components/file-data';
import { FileDiff } from '../components/file-diff';
import { formatBytes, refText } from '../components/formats';
import type { RenderHtml } from '../components/output-diff';
import { RenderHtmlContext } from '../components/output-diff';
import type { FileTab, FileViewModel } from '../models/file-view';

/** A file with its tabs; of a notebook, cells as JupyterLab renders what it does not trust. */
export class FileView extends Panel {
  constructor(options: FileView.IOptions) {
    super();
    this.addClass('jp-DatalakeFileView');
    this.model = options.model;
    this._options = options;
    this.addWidget(new Body(options));
    this.model.stateChanged.connect(this._onStateChanged, this);
  }

  /** The file. */
  readonly model: FileViewModel;

  override dispose(): void {
    if (!this.isDisposed) {
      this.model.dispose();
      super.dispose();
    }
  }

  private _onStateChanged(): void {
    const { notebook, tab } = this.model;
    if (!this._notebook && isNotebook(notebook)) {
      this._notebook = this._options.renderNotebook?.(notebook) ?? null;
      if (this._notebook) {
        this.addWidget(this._notebook);
      }
    }
    this._notebook?.setHidden(tab !== 'data');
  }

  private readonly _options: FileView.IOptions;
  private _notebook: Widget | null = null;
}

/** What a {@link FileView} is made of. */
export namespace FileView {
  export interface IOptions {
    model: FileViewModel;
    trans: TranslationBundle;
    /** Shows the file as its branch holds it. */
    onShow: () => void;
    /** Where there are notebooks at all. */
    renderNotebook?: (content: nbformat.INotebookContent) => Widget;
    /** Gives lines of code their colours. */
    colouring?: Colouring;
    /** Shows HTML of outputs after it was sanitised. */
    renderHtml?: RenderHtml;
  }
}

/** Return whether JSON is a notebook as far as it needs to be to be rendered. */
export function isNotebook(value: unknown): value is nbformat.INotebookContent {
  const found = value as Partial<nbformat.INotebookContent> | null | undefined;
  return (
    Array.isArray(found?.cells) &&
    found.cells.every(cell => typeof cell === 'object' && typeof cell?.cell_type === 'string')
  );
}

class Body extends ReactWidget {
  constructor(private readonly _options: FileView.IOptions) {
    super();
    this.addClass('jp-DatalakePanel');
    this.addClass('jp-DatalakeFileView-body');
    _options.model.stateChanged.connect(this.update, this);
  }

  protected render(): React.JSX.Element {
    const { model, trans } = this._options;
    const { preview } = model;
    if (!preview && model.isCommitted) {
      return model.error ? (
        <ErrorBanner error={model.error} trans={trans} onRetry={() => void model.load()} />
      ) : (
        <p className="jp-DatalakeNote">{trans.__('Loading…')}</p>
      );
    }
    return (
      <ColouringContext.Provider value={this._options.colouring ?? null}>
        <RenderHtmlContext.Provider value={this._options.renderHtml ?? null}>
          <Shown model={model} trans={trans} onShow={this._options.onShow} />
        </RenderHtmlContext.Provider>
      </ColouringContext.Provider>
    );
  }
}

interface IPartProps {
  model: FileViewModel;
  trans: TranslationBundle;
}

interface IShownProps extends IPartProps {
  /** Shows the file as its branch holds it. */
  onShow: () => void;
}

/** The tabs, and the one that is chosen. */
function Shown({ model, trans, onShow }: IShownProps): React.JSX.Element {
  const id = React.useId(); // several files may be open
  return (
    <>
      <Header model={model} trans={trans} tabId={id} />
      <div
        className="jp-DatalakeFileView-tab"
        role="tabpanel"
        id={id}
        aria-label={tabText(model.tab, trans)}
      >
        {model.isSettled && <Settled model={model} trans={trans} onShow={onShow} />}
        <ErrorBanner error={model.failure} trans={trans} onRetry={() => model.retry()} />
        <Tab model={model} trans={trans} />
      </div>
    </>
  );
}

function Header({ model, trans, tabId }: IPartProps & { tabId: string }): React.JSX.Element {
  const { preview } = model;
  const page = preview?.page;
  const rows = model.isCounted ? model.count.toLocaleString() : `≈ ${model.count.toLocaleString()}`;
  const hidden = (page?.column_count ?? 0) - (page?.columns.length ?? 0);
  return (
    <div className="jp-DatalakeFileView-header">
      <h2 className="jp-DatalakeFileView-title" title={`${model.repo}@${model.ref}/${model.path}`}>
        {model.path}{' '}
        <span className="jp-DatalakeFileView-at">
          {model.repo}@{refText(model.ref)}
          {!model.isCommitted && !model.isSettled && `, ${trans.__('not committed')}`}
        </span>
      </h2>
      <span className="jp-DatalakeFileView-facts">
        {preview && formatBytes(preview.size_bytes)}
        {preview?.kind === 'table' && ` · ${trans._n('%2 row', '%2 rows', model.count, rows)}`}
        {preview?.kind === 'table' &&
          ` · ${trans._n('%1 column', '%1 columns', page?.column_count ?? 0)}`}
        {hidden > 0 && ` (${trans.__('%1 not shown', hidden)})`}
        {(preview?.kind === 'text' || preview?.kind === 'json') &&
          ` · ${trans._n('%2 line', '%2 lines', model.count, rows)}`}
      </span>
      <div className="jp-DatalakeTabs" role="tablist" aria-label={trans.__('Views of the file')}>
        {model.tabs.map((tab, index) => (
          <button
            key={tab}
            type="button"
            role="tab"
            className="jp-DatalakeTabs-tab"
            aria-selected={model.tab === tab}
            aria-controls={tabId}
            tabIndex={model.tab === tab ? 0 : -1}
            onClick={() => {
              model.tab = tab;
            }}
            onKeyDown={event => {
              const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
              const next = step && model.tabs[index + step];
              if (next) {
                event.preventDefault();
                model.tab = next;
                const buttons = event.currentTarget.parentElement?.children;
                (buttons?.[index + step] as HTMLElement | undefined)?.focus();
              }
            }}
          >
            {tabText(tab, trans)}
          </button>
        ))}
      </div>
    </div>
  );
}

function Tab({ model, trans }: IPartProps): React.JSX.Element | null {
  const { preview, statistics, diff } = model;
  if (model.tab === 'changes') {
    return (
      <>
        {model.trial === null && <Base model={model} trans={trans} />}
        {diff ? (
          <FileDiff
            diff={diff}
            path={model.path}
            isAudio={model.isAudio}
            columns={model.columnNames}
            onKey={key => {
              model.key = key;
            }}
            trans={trans}
          />
        ) : (
          <Working model={model} trans={trans} />
        )}
      </>
    );
  }
  if (!preview) {
    return null;
  }
  if (model.tab === 'statistics') {
    return statistics ? (
      <ColumnStatistics statistics={statistics} trans={trans} />
    ) : (
      <Working model={model} trans={trans} />
    );
  }
  if (preview.kind === 'notebook') {
    const { notebook } = model;
    return notebook === undefined ? (
      <Working model={model} trans={trans} />
    ) : isNotebook(notebook) ? null : (
      <p className="jp-DatalakeNote">{trans.__('The file is not a notebook that can be read.')}</p>
    );
  }
  return (
    <FileData
      preview={preview}
      count={model.count}
      row={index => model.row(index)}
      onRange={(first, last) => model.want(first, last)}
      url={model.media?.url ?? null}
      trans={trans}
    />
  );
}

/** What became of a change that its session no longer holds. */
function Settled({ model, trans, onShow }: IShownProps): React.JSX.Element {
  return (
    <p className="jp-DatalakeNote" role="status">
      {trans.__('It was committed or discarded since. This is what it was compared with before.')}{' '}
      <button type="button" className="jp-DatalakeLink" onClick={onShow}>
        {trans.__('Show %1 as it is now', `${model.repo}@${refText(model.ref)}`)}
      </button>
    </p>
  );
}

/** What is being worked out, and a way to stop it. */
function Working({ model, trans }: IPartProps): React.JSX.Element | null {
  if (!model.isWorking) {
    return model.failure ? null : (
      <button type="button" className="jp-DatalakeLink" onClick={() => model.retry()}>
        {trans.__('Work it out')}
      </button>
    );
  }
  return (
    <p className="jp-DatalakeNote" role="status">
      {trans.__('Working it out…')}{' '}
      <button type="button" className="jp-DatalakeLink" onClick={() => model.cancel()}>
        {trans.__('Stop')}
      </button>
    </p>
  );
}

/** What the file is compared with. */
function Base({ model, trans }: IPartProps): React.JSX.Element {
  const [text, setText] = React.useState(refText(model.base ?? ''));
  return (
    <form
      className="jp-DatalakeFileView-base"
      onSubmit={event => {
        event.preventDefault();
        model.base = text.trim() || null;
      }}
    >
      <label>
        {trans.__('Compared with')}{' '}
        <input
          className="jp-DatalakeField"
          value={text}
          placeholder={
            model.session === null
              ? trans.__('the commit before')
              : trans.__('the commit it is based on')
          }
          onChange={event => setText(event.target.value)}
        />
      </label>
      <button type="submit" className="jp-DatalakeButton jp-mod-styled">
        {trans.__('Compare')}
      </button>
    </form>
  );
}

function tabText(tab: FileTab, trans: TranslationBundle): string {
  switch (tab) {
    case 'data':
      return trans.__('Data');
    case 'statistics':
      return trans.__('Statistics');
    case 'changes':
      return trans.__('Changes');
  }
}
