/**
 * The section of jobs.
 */
import * as React from 'react';

import { CommandIDs } from '../commands';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { JobList } from '../components/job-list';
import type { JobsModel } from '../models/jobs';
import { isLive } from '../models/jobs';
import type { ILake } from '../tokens';
import { ModelPanel } from './model-panel';

/** Jobs as they go, by the change that set them off. */
export class JobsPanel extends ModelPanel {
  constructor(options: JobsPanel.IOptions) {
    super({ ...options, models: [options.jobs], signals: [options.lake.stateChanged] });
    this.addClass('jp-DatalakeJobsPanel');
    this._options = options;
  }

  protected render(): React.JSX.Element {
    const { jobs, lake } = this._options;
    const { trans } = this;
    const isStuck = lake.status !== null && lake.status.controller === null && jobs.live > 0;
    return (
      <>
        <ErrorBanner error={jobs.error} trans={trans} onRetry={() => void jobs.refresh()} />
        {isStuck && (
          <p className="jp-DatalakeNote jp-mod-warn" role="status">
            {trans.__(
              'No controller is running, so jobs wait. Start one with “datalake controller”.'
            )}
          </p>
        )}
        {jobs.isReady && jobs.jobs.length === 0 && (
          <EmptyState title={trans.__('No jobs yet.')}>
            {trans.__('A pipeline runs when something is committed to its inputs.')}
          </EmptyState>
        )}
        <JobList
          jobs={jobs.jobs}
          hasMore={jobs.hasMore}
          grouping="change"
          trans={trans}
          isLive={isLive}
          onOpen={({ id }) => this.run(CommandIDs.openJob, { job: id })}
          onCancel={({ id }) => this.run(CommandIDs.cancelJob, { job: id })}
          onRerun={({ id }) => this.run(CommandIDs.rerunJob, { job: id })}
          onLineage={globalId => this.run(CommandIDs.openLineage, { globalId })}
          onMore={() => void jobs.loadMore()}
        />
      </>
    );
  }

  private readonly _options: JobsPanel.IOptions;
}

/** What a {@link JobsPanel} is made of. */
export namespace JobsPanel {
  export interface IOptions extends ModelPanel.IContext {
    jobs: JobsModel;
    lake: ILake;
  }
}
