/**
 * Making a pipeline of a template.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ArgumentFields } from '../components/argument-fields';
import { DatumPreview } from '../components/datum-preview';
import { ErrorBanner } from '../components/error-banner';
import type { IPromoted } from '../models/publishing';
import type { TemplateModel } from '../models/template';
import type { TrialModel } from '../models/trial';
import { ActingDialog } from './acting-dialog';
import { runPublishing } from './publishing';
import type { Show } from './try-out';
import { TryOut } from './try-out';

/**
 * Show the form and publish; return what it led to, or null if it was not done.
 *
 * @param trial - what the spec can be tried with.
 * @param leave - called when something of a trial is looked at, which closes the form.
 */
export async function showTemplate(
  model: TemplateModel,
  trial: TrialModel,
  trans: TranslationBundle,
  leave: Show
): Promise<IPromoted | null> {
  const show: Show = (command, args) => {
    leave(command, args);
    dialog.reject();
  };
  const dialog = new ActingDialog<IPromoted>({
    title: trans.__('New Pipeline from “%1”', model.name),
    accept: trans.__('Create and run'),
    body: new TemplateBody({ model, trial, show }, trans),
    focus: 'input, select, textarea',
    trans,
    act: () => model.publish()
  });
  dialog.addClass('jp-mod-wide');
  try {
    return await runPublishing(dialog, model, trans, () => model.load());
  } finally {
    trial.dispose();
  }
}

class TemplateBody extends ReactWidget {
  constructor(
    private readonly _shown: { model: TemplateModel; trial: TrialModel; show: Show },
    private readonly _trans: TranslationBundle
  ) {
    super();
    _shown.model.stateChanged.connect(this.update, this);
  }

  protected render(): React.JSX.Element {
    const { model, trial, show } = this._shown;
    const trans = this._trans;
    const names = new Set((model.arguments ?? []).map(argument => argument.name));
    const isPlaced = names.has(model.errorArgument);
    return (
      <div className="jp-DatalakeForm-sides">
        <form className="jp-DatalakeForm" onSubmit={event => event.preventDefault()}>
          <ErrorBanner error={isPlaced ? null : model.error} trans={trans} />
          {model.description && <p className="jp-DatalakeNote">{model.description}</p>}
          <ArgumentFields
            arguments={model.arguments ?? []}
            fields={model.fields}
            problems={model.problems}
            refusalOf={name =>
              model.error && model.errorArgument === name ? model.error.message : ''
            }
            trans={trans}
            onChange={(argument, value) => model.setField(argument, value)}
          />
          {model.exists && (
            <p className="jp-DatalakeNote" role="status">
              {trans.__('There is a pipeline of this name: it gets a new version.')}
            </p>
          )}
        </form>
        <div className="jp-DatalakeForm" aria-busy={model.isRendering}>
          <pre
            className="jp-DatalakeForm-yaml"
            tabIndex={0}
            aria-label={trans.__('The spec as YAML')}
          >
            {model.yaml || trans.__('Fill in what is needed to see the pipeline.')}
          </pre>
          <DatumPreview
            preview={model.preview}
            error={model.previewError}
            isLoading={false}
            trans={trans}
          />
          <TryOut model={trial} source={model.source} trans={trans} show={show} />
        </div>
      </div>
    );
  }
}
