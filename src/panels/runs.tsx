/**
 * Runs in the main area: filtered, grouped, and how long they took.
 */
import * as React from 'react';

import { CommandIDs } from '../commands';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import type { JobGrouping } from '../components/job-list';
import { JobList } from '../components/job-list';
import { RunChart } from '../components/run-chart';
import { RunFilters } from '../components/run-filters';
import type { JobsModel } from '../models/jobs';
import { isLive } from '../models/jobs';
import type { PipelinesModel } from '../models/pipelines';
import { ModelPanel } from './model-panel';

/** Runs of all pipelines, or of those that are wanted. */
export class RunsPanel extends ModelPanel {
  constructor(options: RunsPanel.IOptions) {
    super({ ...options, models: [options.jobs, options.pipelines] });
    this.addClass('jp-DatalakeJobPanel');
    this._options = options;
    this.jobs = options.jobs;
  }

  /** The runs that are shown. */
  readonly jobs: JobsModel;

  override dispose(): void {
    super.dispose();
    this._options.jobs.dispose();
    this._options.pipelines.dispose();
  }

  protected render(): React.JSX.Element {
    const { jobs, pipelines } = this._options;
    const { trans } = this;
    const shown = jobs.matching;
    const open = (id: string): void => this.run(CommandIDs.openJob, { job: id });
    return (
      <article className="jp-DatalakeRuns" aria-label={trans.__('Runs')}>
        <RunFilters
          state={jobs.state}
          pipeline={jobs.pipeline}
          pipelines={pipelines.pipelines.map(one => one.name)}
          text={jobs.text}
          grouping={this._grouping}
          trans={trans}
          onState={state => {
            jobs.state = state;
          }}
          onPipeline={pipeline => {
            jobs.pipeline = pipeline;
          }}
          onText={text => {
            jobs.text = text;
          }}
          onGrouping={grouping => {
            this._grouping = grouping;
            this.update();
          }}
        />
        <ErrorBanner error={jobs.error} trans={trans} onRetry={() => void jobs.refresh()} />
        {jobs.isReady && shown.length === 0 && (
          <EmptyState title={trans.__('No runs are like this.')}>
            {jobs.hasMore
              ? trans.__('Text is looked for in the runs that are loaded; there are older ones.')
              : trans.__('A pipeline runs when something is committed to its inputs.')}
          </EmptyState>
        )}
        <RunChart jobs={shown} trans={trans} onOpen={({ id }) => open(id)} />
        <JobList
          jobs={shown}
          hasMore={jobs.hasMore}
          grouping={this._grouping}
          trans={trans}
          isLive={isLive}
          onOpen={({ id }) => open(id)}
          onCancel={({ id }) => this.run(CommandIDs.cancelJob, { job: id })}
          onRerun={({ id }) => this.run(CommandIDs.rerunJob, { job: id })}
          onLineage={globalId => this.run(CommandIDs.openLineage, { globalId })}
          onMore={() => void jobs.loadMore()}
        />
      </article>
    );
  }

  private _grouping: JobGrouping = 'change';
  private readonly _options: RunsPanel.IOptions;
}

/** What a {@link RunsPanel} is made of. */
export namespace RunsPanel {
  export interface IOptions extends ModelPanel.IContext {
    jobs: JobsModel;
    pipelines: PipelinesModel;
  }
}
