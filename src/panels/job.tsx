/**
 * One job in the main area.
 */
import * as React from 'react';

import { CommandIDs } from '../commands';
import { ErrorBanner } from '../components/error-banner';
import { JobView } from '../components/job-view';
import type { JobModel } from '../models/job';
import { isLive } from '../models/jobs';
import { ModelPanel } from './model-panel';

/** A job with its datums and logs. */
export class JobPanel extends ModelPanel {
  constructor(options: JobPanel.IOptions) {
    super({ ...options, models: [options.model] });
    this.addClass('jp-DatalakeJobPanel');
    this.model = options.model;
    this.model.stateChanged.connect(this._onStateChanged, this);
  }

  /** The job. */
  readonly model: JobModel;

  override dispose(): void {
    super.dispose();
    this.model.dispose();
  }

  protected render(): React.JSX.Element {
    const { model, trans } = this;
    const { job } = model;
    if (!job) {
      return model.error ? (
        <ErrorBanner error={model.error} trans={trans} onRetry={() => void model.refresh()} />
      ) : (
        <p className="jp-DatalakeNote">{trans.__('Loading…')}</p>
      );
    }
    return (
      <>
        <ErrorBanner error={model.error} trans={trans} onRetry={() => void model.refresh()} />
        <JobView
          job={job}
          isLive={isLive(job)}
          log={model.log}
          cells={model.cells}
          inputRepos={model.inputRepos}
          line={model.line}
          search={model.search}
          datums={model.datums}
          kernels={model.kernels}
          hasMore={model.hasMoreDatums}
          state={model.state}
          choice={model.choice}
          hasNotebooks={model.hasNotebooks}
          hasFolders={model.hasFolders}
          trans={trans}
          onState={state => {
            model.state = state;
          }}
          onChoose={position => {
            model.choice = position;
          }}
          onNotebook={datum => this.run(CommandIDs.openNotebook, { job: job.id, datum })}
          onReopen={datum => this.run(CommandIDs.reopenJob, { job: job.id, datum })}
          onMore={() => void model.loadMore()}
          onCompare={() => this.run(CommandIDs.compareJob, { job: job.id })}
          onSearch={text => void model.searchFor(text)}
          onSearchOn={() => void model.searchOn()}
          onLine={line => model.goTo(line)}
          opened={model.opened}
          onResume={() => this.run(CommandIDs.resumeJob, { job: job.id })}
          onFile={this._openFile}
          onCancel={() => this.run(CommandIDs.cancelJob, { job: job.id })}
          onRerun={reprocess => this.run(CommandIDs.rerunJob, { job: job.id, reprocess })}
          onLineage={globalId => this.run(CommandIDs.openLineage, { globalId })}
          onCommit={(repo, ref) => this.run(CommandIDs.openHistory, { repo, ref })}
        />
      </>
    );
  }

  /** Show a file at a commit; of a folder, the commit in the history of its repo. */
  private readonly _openFile = (repo: string, ref: string, path: string): void => {
    void this.model.isFile(repo, ref, path).then(isFile => {
      if (isFile) {
        this.run(CommandIDs.openFile, { repo, ref, path });
      } else {
        this.run(CommandIDs.openHistory, { repo, ref });
      }
    });
  };

  private _onStateChanged(): void {
    const { job } = this.model;
    if (job) {
      this.title.label = `${job.pipeline} #${job.number}`;
      this.title.caption = this.trans.__('Job %1 of %2', job.number, job.pipeline);
    }
  }
}

/** What a {@link JobPanel} is made of. */
export namespace JobPanel {
  export interface IOptions extends ModelPanel.IContext {
    model: JobModel;
  }
}
