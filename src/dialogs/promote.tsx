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
import type { TrialModel } from '../models/trial';
import { ActingDialog } from './acting-dialog';
import { runPublishing } from './publishing';
import type { Show } from './try-out';
import { TryOut } from './try-out';

/**
 * Show the form and publish; return what it led to, or null if it was not done.
 *
 * @param trial - what the form can be tried with.
 * @param leave - called when something of a trial is looked at, which closes the form.
 */
export async function showPromote(
  model: PromotionModel,
  trial: TrialModel,
  trans: TranslationBundle,
  leave: Show
): Promise<IPromoted | null> {
  const show: Show = (command, args) => {
    leave(command, args); // first: the model knows what the form says
    dialog.reject();
  };
  const body = new PromoteBody({ model, trial, show }, trans);
  const dialog = new ActingDialog<IPromoted>({
    title: trans.__('Promote to Pipeline'),
    accept: trans.__('Create and run'),
    body,
    focus: 'input',
    trans,
    act: () => model.publish()
  });
  try {
    return await runPublishing(dialog, model, trans, () => {
      void model.load(); // the form says meanwhile that the notebook is read
    });
  } finally {
    trial.dispose();
  }
}

class PromoteBody extends ReactWidget {
  constructor(
    private readonly _shown: { model: PromotionModel; trial: TrialModel; show: Show },
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-DatalakePromote');
    _shown.model.stateChanged.connect(this.update, this);
  }

  protected render(): React.JSX.Element {
    const { model, trial, show } = this._shown;
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
    const { folder } = model.draft;
    return (
      <>
        {promotionForm(model, trans)}
        <TryOut
          model={trial}
          source={model.isComplete ? { spec: model.spec, folder } : null}
          trans={trans}
          show={show}
        />
      </>
    );
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
