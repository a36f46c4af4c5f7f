/**
 * The lineage graph in the main area.
 */
import * as React from 'react';

import type * as api from '../api/types';
import { CommandIDs } from '../commands';
import { ChangePicker, ChangeSummary } from '../components/change-summary';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { shortId } from '../components/formats';
import { LineageGraph } from '../components/lineage-graph';
import { LineageSheet } from '../components/lineage-sheet';
import { isLive } from '../models/jobs';
import type { LineageModel } from '../models/lineage';
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
        <header className="jp-DatalakeLineagePanel-header">
          <ChangePicker
            changes={model.changes}
            value={model.globalId}
            trans={trans}
            onChange={this._showChange}
          />
        </header>
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
              trans={trans}
              onChoose={this._choose}
            />
          )}
          {this._renderSheet()}
        </div>
        {model.summary && (
          <ChangeSummary summary={model.summary} trans={trans} onJob={this._openJob} />
        )}
      </>
    );
  }

  private _renderSheet(): React.JSX.Element | null {
    const { model, trans } = this;
    const { sheet } = model;
    if (!sheet) {
      return null;
    }
    return (
      <LineageSheet
        {...sheet}
        trans={trans}
        isLive={isLive}
        onClose={() => this._choose(null)}
        onFiles={repo => this.run(CommandIDs.openFiles, { repo })}
        onHistory={(repo, ref) => this.run(CommandIDs.openHistory, { repo, ref: ref ?? 'main' })}
        onMount={(repo, commit) => this.run(CommandIDs.openFiles, { repo, ref: shortId(commit) })}
        onRun={pipeline => this.run(CommandIDs.runPipeline, { pipeline })}
        onJob={this._openJob}
        onNotebook={job => this.run(CommandIDs.openNotebook, { job: job.id })}
        onCancel={job => this.run(CommandIDs.cancelJob, { job: job.id })}
        onRerun={job => this.run(CommandIDs.rerunJob, { job: job.id })}
        onChange={this._showChange}
      />
    );
  }

  private readonly _choose = (node: string | null): void => {
    this.model.chosen = node;
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
