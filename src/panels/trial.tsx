/**
 * One trial in the main area.
 */
import * as React from 'react';

import { ErrorBanner } from '../components/error-banner';
import { ShownTrial } from '../dialogs/try-out';
import type { TrialModel } from '../models/trial';
import { ModelPanel } from './model-panel';

/** One trial in the main area. */
export class TrialPanel extends ModelPanel {
  constructor(options: TrialPanel.IOptions) {
    super({ ...options, models: [options.model] });
    this.addClass('jp-DatalakeTrialPanel');
    this.model = options.model;
    this.model.stateChanged.connect(this._onStateChanged, this);
  }

  /** The trial. */
  readonly model: TrialModel;

  override dispose(): void {
    super.dispose();
    this.model.dispose();
  }

  protected render(): React.JSX.Element {
    const { model, trans } = this;
    return (
      <>
        <ErrorBanner error={model.error} trans={trans} onRetry={() => void model.refresh()} />
        <ShownTrial model={model} trans={trans} show={(command, args) => this.run(command, args)} />
      </>
    );
  }

  private _onStateChanged(): void {
    const { trial } = this.model;
    if (trial) {
      this.title.label = this.trans.__('%1, tried', trial.pipeline);
      this.title.caption = this.trans.__('Trial of %1: nothing was published', trial.pipeline);
    }
  }
}

/** What a {@link TrialPanel} is made of. */
export namespace TrialPanel {
  export interface IOptions extends ModelPanel.IContext {
    model: TrialModel;
  }
}
