/**
 * The lineage graph in the main area.
 */
import { Notification } from '@jupyterlab/apputils';
import * as React from 'react';

import type * as api from '../api/types';
import { CommandIDs } from '../commands';
import { ChangePicker, ChangeSummary } from '../components/change-summary';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { describeError } from '../components/errors';
import { shortId } from '../components/formats';
import { FileSheet } from '../components/file-sheet';
import { LineageGraph } from '../components/lineage-graph';
import { LineageLegend } from '../components/lineage-legend';
import { LineageSearch } from '../components/lineage-search';
import { LineageSheet } from '../components/lineage-sheet';
import { TimeSlider } from '../components/time-slider';
import { isLive } from '../models/jobs';
import { codeRepoOf } from '../models/lineage-sheet';
import type { LineageModel } from '../models/lineage';
import { pngOf, save, svgOf } from './lineage-picture';
import { asLakeError } from '../models/refreshing';
import { ModelPanel } from './model-panel';

/** The graph, the change it shows, and what is known of the chosen node. */
export class LineagePanel extends ModelPanel {
  constructor(options: LineagePanel.IOptions) {
    super({ ...options, models: [options.model] });
    this.addClass('jp-DatalakeLineagePanel');
    this.model = options.model;
  }

  /** What is shown. */
  readonly model: LineageModel;

  override dispose(): void {
    super.dispose();
    this.model.dispose();
  }

  protected render(): React.JSX.Element {
    const { model, trans } = this;
    const isEmpty = model.isReady && model.layout.nodes.length === 0;
    return (
      <>
        <div className="jp-DatalakeLineagePanel-header">
          <LineageSearch
            find={text => model.find(text)}
            trans={trans}
            onPick={id => model.seek(id)}
          />
          <ChangePicker
            changes={model.changes}
            value={model.globalId}
            trans={trans}
            onChange={this._showChange}
          />
          <TimeSlider
            changes={model.changes}
            hasOlder={model.hasOlder}
            value={model.moment}
            trans={trans}
            onChange={change => {
              model.moment = change;
            }}
            onOlder={() => void model.loadOlder()}
          />
          {this._renderButtons()}
        </div>
        <ErrorBanner error={model.error} trans={trans} onRetry={() => void model.refresh()} />
        <div className="jp-DatalakeLineagePanel-body">
          {isEmpty ? (
            <EmptyState title={trans.__('There is no lineage yet.')}>
              {trans.__('Create a repo and promote a notebook that reads it; both show here.')}
            </EmptyState>
          ) : (
            <LineageGraph
              key={model.globalId ?? ''}
              layout={model.layout}
              chosen={model.chosen}
              sought={model.sought}
              trans={trans}
              onChoose={this._choose}
              onOpen={this._toggle}
              onTidy={() => model.tidy()}
            />
          )}
          {this._renderSheet()}
        </div>
        {!isEmpty && (
          <LineageLegend
            layout={model.layout}
            isOpen={model.hasLegend}
            trans={trans}
            onToggle={() => {
              model.hasLegend = !model.hasLegend;
            }}
          />
        )}
        {model.summary && (
          <ChangeSummary summary={model.summary} trans={trans} onJob={this._openJob} />
        )}
      </>
    );
  }

  private _renderButtons(): React.JSX.Element {
    const { model, trans } = this;
    return (
      <div
        className="jp-DatalakeLineagePanel-buttons"
        role="group"
        aria-label={trans.__('Picture')}
      >
        {model.grouping.groups.size > 0 && (
          <button
            type="button"
            className="jp-DatalakeLink"
            onClick={() => model.toggleAll(!model.isExpanded)}
          >
            {model.isExpanded ? trans.__('Close groups') : trans.__('Open groups')}
          </button>
        )}
        <label className="jp-DatalakeLineagePanel-check">
          <input
            type="checkbox"
            checked={model.hasObserved}
            onChange={event => {
              model.hasObserved = event.target.checked;
            }}
          />
          {trans.__('Observed')}
        </label>
        <button type="button" className="jp-DatalakeLink" onClick={() => this._export('svg')}>
          {trans.__('SVG')}
        </button>
        <button type="button" className="jp-DatalakeLink" onClick={() => this._export('png')}>
          {trans.__('PNG')}
        </button>
      </div>
    );
  }

  private _renderSheet(): React.JSX.Element | null {
    const { model, trans } = this;
    const { sheet } = model;
    if (model.file) {
      return (
        <FileSheet
          file={model.file}
          lineage={model.fileLineage}
          trans={trans}
          onFile={file => {
            model.file = file;
          }}
          onJob={job => this.run(CommandIDs.openJob, { job })}
          onNotebook={(job, datum) => this.run(CommandIDs.openNotebook, { job, datum })}
          onHistory={(repo, ref) => this.run(CommandIDs.openHistory, { repo, ref })}
          onClose={() => {
            model.file = null;
          }}
        />
      );
    }
    if (!sheet) {
      return null;
    }
    return (
      <LineageSheet
        {...sheet}
        groups={model.groupsAround(sheet.node.id)}
        trans={trans}
        onToggle={this._toggle}
        isLive={isLive}
        onClose={() => this._choose(null)}
        onFiles={repo => this.run(CommandIDs.openFiles, { repo })}
        onHistory={(repo, ref) => this.run(CommandIDs.openHistory, { repo, ref: ref ?? 'main' })}
        onMount={(repo, commit) => this.run(CommandIDs.openFiles, { repo, ref: shortId(commit) })}
        onRun={pipeline => this.run(CommandIDs.runPipeline, { pipeline })}
        onJob={this._openJob}
        onNotebook={job => this.run(CommandIDs.openNotebook, { job: job.id })}
        onCode={({ name, code_commit_id: ref }, path) =>
          this.run(CommandIDs.openFile, { repo: codeRepoOf(name), ref, path })
        }
        onCancel={job => this.run(CommandIDs.cancelJob, { job: job.id })}
        onRerun={job => this.run(CommandIDs.rerunJob, { job: job.id })}
        onChange={this._showChange}
        onNode={id => model.seek(id)}
      />
    );
  }

  private readonly _choose = (node: string | null): void => {
    this.model.chosen = node;
  };

  private readonly _toggle = (node: string): void => {
    if (this.model.grouping.groups.has(node)) {
      this.model.toggle(node);
    }
  };

  private readonly _export = (format: 'svg' | 'png'): void => {
    const { model, trans } = this;
    const name = `lineage${model.globalId ? `-${shortId(model.globalId)}` : ''}.${format}`;
    const draw = async () => {
      const svg = await svgOf(model.layout, trans);
      const isPng = format === 'png';
      save(name, isPng ? await pngOf(svg) : new Blob([svg], { type: 'image/svg+xml' }));
    };
    draw().catch(reason => {
      Notification.error(describeError(asLakeError(reason), trans), { autoClose: false });
    });
  };

  private readonly _showChange = (globalId: string | null): void => {
    this.model.globalId = globalId;
  };

  private readonly _openJob = (job: api.Job): void => {
    this.run(CommandIDs.openJob, { job: job.id });
  };
}

/** What a {@link LineagePanel} is made of. */
export namespace LineagePanel {
  export interface IOptions extends ModelPanel.IContext {
    model: LineageModel;
  }
}
