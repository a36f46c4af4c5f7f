/**
 * The steps of a promotion of several notebooks: their order, what feeds what, what is done.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';

/** What is done with a pipeline. */
export type Action = api.PipelineChangePage['results'][number]['action'];

/** One step. */
export interface IPromotionStep {
  /** Name of the pipeline, as it is typed. */
  name: string;
  notebook: string;
  /** The repos that it reads, and from 0 the positions of the steps that write them; -1 for none. */
  reads: readonly { repo: string; from: number }[];
  /** Undefined until it is known. */
  action: Action | undefined;
  /** What differs from what is published. */
  differs: readonly string[];
  /** How much is wrong with it. */
  problems: number;
}

/** What {@link PromotionSteps} show and do. */
export interface IPromotionStepsProps {
  steps: readonly IPromotionStep[];
  /** Position of the one whose form is shown. */
  chosen: number;
  trans: TranslationBundle;
  onChoose: (index: number) => void;
}

/** Return what is done with a pipeline, in a word. */
export function actionText(action: Action, trans: TranslationBundle): string {
  switch (action) {
    case 'create':
      return trans.__('create');
    case 'update':
      return trans.__('update');
    case 'delete':
      return trans.__('delete');
    case 'unchanged':
      return trans.__('unchanged');
  }
}

/** The steps in the order in which they run. */
export function PromotionSteps(props: IPromotionStepsProps): React.JSX.Element {
  const { steps, chosen, trans } = props;
  return (
    <ol className="jp-DatalakeSteps" aria-label={trans.__('Steps')}>
      {steps.map((step, index) => (
        <li key={index}>
          <button
            type="button"
            className="jp-DatalakeSteps-step"
            aria-current={index === chosen ? 'step' : undefined}
            onClick={() => props.onChoose(index)}
          >
            <span className="jp-DatalakeSteps-line">
              <span className="jp-DatalakeSteps-number">{index + 1}</span>
              <strong className="jp-DatalakeSteps-name">{step.name || trans.__('unnamed')}</strong>
              {step.problems > 0 ? (
                <span className="jp-DatalakeSteps-problems">
                  {trans._n('%1 problem', '%1 problems', step.problems)}
                </span>
              ) : (
                step.action && (
                  <span
                    className="jp-DatalakeSteps-action"
                    data-action={step.action}
                    title={step.differs.join(', ')}
                  >
                    {actionText(step.action, trans)}
                  </span>
                )
              )}
            </span>
            <span className="jp-DatalakeSteps-fact">{step.notebook}</span>
            <span className="jp-DatalakeSteps-fact">{readsText(step, trans)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

function readsText({ reads }: IPromotionStep, trans: TranslationBundle): string {
  if (reads.length === 0) {
    return trans.__('reads no repo');
  }
  const repos = reads.map(({ repo, from }) =>
    from < 0 ? repo : trans.__('%1 (step %2)', repo, from + 1)
  );
  return trans.__('reads %1', repos.join(', '));
}
