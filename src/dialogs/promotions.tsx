/**
 * Promoting several notebooks to pipelines that feed each other.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Problems } from '../components/dag-sheet';
import { ErrorBanner } from '../components/error-banner';
import { LineageGraph } from '../components/lineage-graph';
import { PromotionSteps } from '../components/promotion-steps';
import type { Applied, PromotionsModel } from '../models/promotions';
import { ActingDialog, runFollowing } from './acting-dialog';
import { promotionForm } from './promote';
import type { Show } from './try-out';
import { TryOut } from './try-out';

/** What came of the dialog: what was published, or the path of the file that was written. */
export type Promotions = { applied: Applied } | { file: string };

/**
 * Show the steps and their forms, and publish all of them.
 *
 * @param write - writes the steps as a file of specs; returns its path, or null if it failed.
 * @param leave - called when something of a trial is looked at, which closes the forms.
 */
export function showPromotions(
  model: PromotionsModel,
  trans: TranslationBundle,
  write: () => Promise<string | null>,
  leave: Show
): Promise<Promotions | null> {
  const show: Show = (command, args) => {
    leave(command, args); // first: the model knows what the forms say
    dialog.reject();
  };
  const dialog = new ActingDialog<Promotions>({
    title: trans.__('Promote to Pipelines'),
    accept: trans.__('Publish all'),
    body: new PromotionsBody({ model, show }, trans),
    focus: 'input',
    trans,
    act: async () => {
      const applied = await model.publish();
      return applied && { applied };
    },
    other: {
      label: trans.__('Edit as a graph instead'),
      act: async () => {
        const file = await write();
        return file === null ? null : { file };
      }
    }
  });
  dialog.addClass('jp-DatalakePromoteDialog');
  dialog.addClass('jp-mod-several');
  const follow = () => {
    dialog.setReady(model.isComplete);
    dialog.setAccept(
      model.isPublishing
        ? trans.__('Publishing…')
        : model.count > 0
          ? trans._n('Publish %1 pipeline', 'Publish %1 pipelines', model.count)
          : trans.__('Publish all')
    );
  };
  return runFollowing(dialog, model, follow, () => {
    void model.load(); // the body says meanwhile that the notebooks are read
  });
}

class PromotionsBody extends ReactWidget {
  constructor(
    private readonly _shown: { model: PromotionsModel; show: Show },
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-DatalakePromotions');
    _shown.model.stateChanged.connect(this.update, this);
  }

  protected render(): React.JSX.Element {
    const { model, show } = this._shown;
    const trans = this._trans;
    const step = model.steps[model.chosen];
    const awaited = model.awaitedBy(model.chosen);
    if (!step) {
      return model.error ? (
        <ErrorBanner error={model.error} trans={trans} />
      ) : (
        <p className="jp-DatalakeNote" role="status">
          {trans.__('Reading the notebooks…')}
        </p>
      );
    }
    return (
      <>
        <div className="jp-DatalakePromotions-overview">
          <ErrorBanner error={model.error} trans={trans} />
          <div className="jp-DatalakePromotions-graph">
            <LineageGraph
              layout={model.layout}
              chosen={model.idOf(model.chosen)}
              sought={null}
              trans={trans}
              label={trans.__(
                'Graph of the steps; arrow keys walk it, Enter chooses, plus, minus and 0 zoom it'
              )}
              onChoose={this._choose}
              onOpen={this._choose}
            />
          </div>
          <PromotionSteps
            steps={model.steps.map(({ form, notebook }, index) => ({
              name: form.fields.name,
              notebook,
              reads: model.readsOf(index),
              action: model.changeOf(index)?.action,
              differs: model.changeOf(index)?.differs ?? [],
              problems: model.countProblems(index)
            }))}
            chosen={model.chosen}
            trans={trans}
            onChoose={index => {
              model.chosen = index;
            }}
          />
        </div>
        <section
          key={model.chosen}
          className="jp-DatalakePromotions-form"
          aria-label={trans.__('Step %1: %2', model.chosen + 1, step.form.fields.name)}
        >
          <Problems
            problems={model.problems.filter(({ index }) => index === model.chosen)}
            trans={trans}
          />
          {promotionForm(step, trans, {
            // What another step is yet to write cannot be there.
            previewError:
              awaited !== '' && step.previewError?.status === 404 ? null : step.previewError,
            onField: (field, value) =>
              field === 'name' ? model.setName(model.chosen, value) : step.setField(field, value)
          })}
          <TryOut
            model={model.trialOf(model.chosen)}
            source={
              step.isComplete && step.draft ? { spec: step.spec, folder: step.draft.folder } : null
            }
            awaited={awaited}
            trans={trans}
            show={show}
          />
        </section>
      </>
    );
  }

  private readonly _choose = (id: string | null): void => {
    const { model } = this._shown;
    const index = id === null ? -1 : model.indexOf(id);
    if (index >= 0) {
      model.chosen = index;
    }
  };
}
