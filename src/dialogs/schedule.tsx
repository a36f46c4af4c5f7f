/**
 * Changing when a pipeline runs.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { ErrorBanner } from '../components/error-banner';
import { ScheduleFields } from '../components/schedule-fields';
import type { PipelineScheduleModel } from '../models/pipeline-schedule';
import { ActingDialog, runFollowing } from './acting-dialog';

/** Show the form and publish; return the pipeline, or null if it was left as it is. */
export function showSchedule(
  model: PipelineScheduleModel,
  trans: TranslationBundle
): Promise<api.Pipeline | null> {
  const body = new ScheduleBody(model, trans);
  const dialog = new ActingDialog<api.Pipeline>({
    title: trans.__('Schedule of %1', model.pipeline),
    accept: trans.__('Save'),
    body,
    focus: 'input',
    trans,
    act: () => model.publish()
  });
  dialog.addClass('jp-DatalakePromoteDialog');
  const follow = () => dialog.setReady(model.isComplete);
  return runFollowing(dialog, model, follow, () => model.load());
}

class ScheduleBody extends ReactWidget {
  constructor(
    private readonly _model: PipelineScheduleModel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-DatalakeForm');
    _model.stateChanged.connect(this.update, this);
  }

  protected render(): React.JSX.Element {
    const model = this._model;
    return (
      <>
        <ErrorBanner error={model.error} trans={this._trans} />
        {model.form && (
          <ScheduleFields
            form={model.form}
            hasRepos={model.hasRepos}
            ticks={model.ticks.ticks}
            error={model.ticks.error}
            isAsking={model.ticks.isAsking}
            trans={this._trans}
            onChange={change => model.change(change)}
          />
        )}
      </>
    );
  }
}
