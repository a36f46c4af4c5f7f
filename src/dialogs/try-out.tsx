/**
 * Trying a spec that is edited: in the dialogs and panels that edit it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { CommandIDs } from '../commands';
import { Following } from '../components/following';
import { TrialForm } from '../components/trial-form';
import { TrialView } from '../components/trial-view';
import type { TrialModel } from '../models/trial';
import { triedAt } from '../models/trial';

/** Runs a command that shows something of a trial in the main area. */
export type Show = (command: string, args: Record<string, string | number>) => void;

/** What came of a trial. */
export function ShownTrial(props: {
  model: TrialModel;
  /** Whether it is shown beside what began it. */
  isBeside?: boolean;
  trans: TranslationBundle;
  show: Show;
}): React.JSX.Element | null {
  const { model, trans, show } = props;
  const { trial, choice } = model;
  if (!trial) {
    return null;
  }
  const place = { trial: trial.id, ...(choice === null ? {} : { datum: choice }) };
  return (
    <TrialView
      trial={trial}
      choice={choice}
      chosen={triedAt(trial, choice)}
      log={model.log}
      cells={model.cells}
      changes={model.changes}
      hasMore={model.hasMore}
      trans={trans}
      onChoose={position => {
        model.choice = position;
      }}
      onCancel={() => void model.cancel()}
      onMore={() => void model.loadMore()}
      onChange={({ path }) =>
        show(CommandIDs.openFile, { repo: trial.pipeline, ref: 'main', path, ...place })
      }
      onOpen={props.isBeside ? () => show(CommandIDs.openTrial, { trial: trial.id }) : undefined}
      onNotebook={datum => show(CommandIDs.openNotebook, { trial: trial.id, datum })}
    />
  );
}

/** What begins trials of a spec that is edited, and what came of the last one. */
export function TryOut(props: {
  model: TrialModel;
  /** The spec as it stands, with the folder of its files; null where it is not right yet. */
  source: { spec: api.Spec; folder: string } | null;
  trans: TranslationBundle;
  show: Show;
}): React.JSX.Element {
  const { model, source, trans } = props;
  React.useEffect(() => {
    const watching = model.watch();
    return () => watching.dispose();
  }, [model]);
  return (
    <Following model={model}>
      {() => (
        <div className="jp-DatalakeTryOut">
          <TrialForm
            count={model.count}
            isCount={model.isCount}
            isRunning={model.isRunning}
            isReady={source !== null}
            refusal={model.refusal ?? model.error}
            trans={trans}
            onCount={count => {
              model.count = count;
            }}
            onTry={() => {
              if (source) {
                void model.begin(source.spec, source.folder);
              }
            }}
          />
          <ShownTrial {...props} isBeside />
        </div>
      )}
    </Following>
  );
}
