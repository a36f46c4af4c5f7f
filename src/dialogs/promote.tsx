/**
 * Promoting a notebook to a pipeline.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { ErrorBanner } from '../components/error-banner';
import type { IPromoteFormProps } from '../components/promote-form';
import { PromoteForm } from '../components/promote-form';
import type { PromotionModel } from '../models/promotion';
import type { IPromoted } from '../models/publishing';
import { ActingDialog } from './acting-dialog';
import { runPublishing } from './publishing';

/** Show the form and publish; return what it led to, or null if it was not done. */
export function showPromote(
  model: PromotionModel,
  trans: TranslationBundle
): Promise<IPromoted | null> {
  const body = new PromoteBody(model, trans);
  const dialog = new ActingDialog<IPromoted>({
    title: trans.__('Promote to Pipeline'),
    accept: trans.__('Create and run'),
    body,
    focus: 'input',
    trans,
    act: () => model.publish()
  });
  return runPublishing(dialog, model, trans, () => {
    void model.load(); // the form says meanwhile that the notebook is read
  });
}

class PromoteBody extends ReactWidget {
  constructor(
    private readonly _model: PromotionModel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-DatalakePromote');
    _model.stateChanged.connect(this.update, this);
  }

  protected render(): React.JSX.Element {
    const model = this._model;
    const trans = this._trans;
    if (!model.draft) {
      return model.error ? (
        <ErrorBanner error={model.error} trans={trans} />
      ) : (
        <p className="jp-DatalakeNote" role="status">
          {trans.__('Reading the notebook…')}
        </p>
      );
    }
    return promotionForm(model, trans);
  }
}

/** Return the form of a promotion; what is given is shown in place of what the model says. */
export function promotionForm(
  model: PromotionModel,
  trans: TranslationBundle,
  given: Partial<IPromoteFormProps> = {}
): React.JSX.Element {
  return (
    <PromoteForm
      notebook={model.notebook}
      draft={model.draft as api.Draft}
      fields={model.form.fields}
      inputs={model.form.inputs}
      parameters={model.parameters}
      values={model.form.values}
      problems={model.problems}
      error={model.error}
      errorPlace={model.errorPlace}
      exists={model.exists}
      repos={model.repos}
      preview={model.preview}
      previewError={model.previewError}
      isPreviewing={model.isPreviewing}
      schedule={model.form.schedule}
      hasOwnInputs={model.hasOwnInputs}
      ticks={model.ticks.ticks}
      ticksError={model.ticks.error}
      isAskingTicks={model.ticks.isAsking}
      yaml={model.yaml}
      yamlProblem={model.yamlProblem}
      trans={trans}
      onField={(field, value) => model.setField(field, value)}
      onInput={(index, change) => model.setInput(index, change)}
      onAddInput={() => model.addInput()}
      onRemoveInput={index => model.removeInput(index)}
      onValue={(parameter, value) => model.setValue(parameter, value)}
      onSchedule={change => model.setSchedule(change)}
      onYaml={yaml => model.setYaml(yaml)}
      {...given}
    />
  );
}
