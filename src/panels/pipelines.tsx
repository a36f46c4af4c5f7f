/**
 * The section of pipelines.
 */
import * as React from 'react';

import { CommandIDs } from '../commands';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { PipelineList } from '../components/pipeline-list';
import type { PipelinesModel } from '../models/pipelines';
import { ModelPanel } from './model-panel';

/** Pipelines with the state of their newest jobs. */
export class PipelinesPanel extends ModelPanel {
  constructor(options: PipelinesPanel.IOptions) {
    super({ ...options, models: [options.pipelines] });
    this.addClass('jp-DatalakePipelinesPanel');
    this._options = options;
  }

  protected render(): React.JSX.Element {
    const { pipelines } = this._options;
    const { trans } = this;
    return (
      <>
        <ErrorBanner
          error={pipelines.error}
          trans={trans}
          onRetry={() => void pipelines.refresh()}
        />
        {pipelines.isReady && pipelines.pipelines.length === 0 && (
          <EmptyState title={trans.__('No pipelines yet.')}>
            {trans.__(
              'Open a notebook that reads from the lake and choose “Promote to pipeline” in its toolbar: it will run whenever its inputs change.'
            )}
          </EmptyState>
        )}
        <PipelineList
          pipelines={pipelines.pipelines}
          opened={pipelines.opened}
          trans={trans}
          onToggle={name => pipelines.toggle(name)}
          onRun={pipeline => this.run(CommandIDs.runPipeline, { pipeline })}
          onPause={pipeline => this.run(CommandIDs.pausePipeline, { pipeline })}
          onResume={pipeline => this.run(CommandIDs.resumePipeline, { pipeline })}
          onSchedule={pipeline => this.run(CommandIDs.openSchedule, { pipeline })}
          onEdit={pipeline => this.run(CommandIDs.writePipeline, { pipeline })}
          onDelete={pipeline => this.run(CommandIDs.deletePipeline, { pipeline })}
          onLineage={pipeline => this.run(CommandIDs.openLineage, { node: `pipeline:${pipeline}` })}
          onJob={job => this.run(CommandIDs.openJob, { job })}
        />
      </>
    );
  }

  private readonly _options: PipelinesPanel.IOptions;
}

/** What a {@link PipelinesPanel} is made of. */
export namespace PipelinesPanel {
  export interface IOptions extends ModelPanel.IContext {
    pipelines: PipelinesModel;
  }
}
