/**
 * Two runs beside each other, in the main area.
 */
import * as React from 'react';

import { CommandIDs } from '../commands';
import { ErrorBanner } from '../components/error-banner';
import { JobComparison } from '../components/job-comparison';
import type { ComparisonModel } from '../models/comparison';
import { ModelPanel } from './model-panel';

/** A comparison of two jobs. */
export class ComparisonPanel extends ModelPanel {
  constructor(options: ComparisonPanel.IOptions) {
    super({ ...options, models: [options.model] });
    this.addClass('jp-DatalakeJobPanel');
    this.model = options.model;
  }

  /** What is compared. */
  readonly model: ComparisonModel;

  override dispose(): void {
    super.dispose();
    this.model.dispose();
  }

  protected render(): React.JSX.Element {
    const { model, trans } = this;
    return (
      <>
        <ErrorBanner error={model.error} trans={trans} onRetry={() => void model.refresh()} />
        {model.comparison && (
          <JobComparison
            comparison={model.comparison}
            choices={model.choices}
            trans={trans}
            onChoose={(old, fresh) => model.choose(old, fresh)}
            onOpen={({ id }) => this.run(CommandIDs.openJob, { job: id })}
          />
        )}
      </>
    );
  }
}

/** What a {@link ComparisonPanel} is made of. */
export namespace ComparisonPanel {
  export interface IOptions extends ModelPanel.IContext {
    model: ComparisonModel;
  }
}
