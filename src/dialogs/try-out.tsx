/**
 * Trying a spec that is edited: in the dialogs and panels that edit it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { CommandIDs } from '../commands';
import { DatumChoiceList } from '../components/datum-choice';
import { Following } from '../components/following';
import { InSight } from '../components/in-sight';
import { TrialForm } from '../components/trial-form';
import { TrialView } from '../components/trial-view';
import type { TrialModel } from '../models/trial';
import { triedAt } from '../models/trial';

/** So long after the last key the datums of other inputs are asked for. */
const DEBOUNCE_MS = 300;

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
  /** The step that is yet to write what this one reads; none if all is there. */
  awaited?: string;
  trans: TranslationBundle;
  show: Show;
}): React.JSX.Element {
  const { model, source, trans } = props;
  const [isChoosing, setChoosing] = React.useState(model.datums.chosen.size > 0);
  React.useEffect(() => {
    const watching = model.watch();
    return () => watching.dispose();
  }, [model]);
  const inputs = JSON.stringify(source?.spec.input);
  React.useEffect(() => {
    const show = () => source && void model.datums.show(source.spec);
    const timer = isChoosing ? window.setTimeout(show, DEBOUNCE_MS) : undefined;
    return () => window.clearTimeout(timer);
  }, [model, isChoosing, inputs]); // what else a spec says makes no other datums
  return (
    <Following model={model}>
      {() => (
        <div className="jp-DatalakeTryOut">
          <TrialForm
            count={model.count}
            isCount={model.isCount}
            isRunning={model.isRunning}
            isReady={source !== null}
            // Of what is not there yet, nothing can be listed.
            awaited={props.awaited ?? ''}
            chosen={model.datums.chosen.size}
            isChosen={model.datums.isChosen}
            choice={
              <DatumChoiceList
                datums={model.datums.listed && model.datums.found}
                chosen={model.datums.chosen}
                filter={model.datums.filter}
                hasMore={model.datums.hasMore}
                isLoading={model.datums.isLoading}
                error={model.datums.error}
                message={model.datums.message}
                trans={trans}
                onFilter={filter => {
                  model.datums.filter = filter;
                }}
                onToggle={key => model.datums.toggle(key)}
                onMore={() => source && void model.datums.loadMore(source.spec)}
              />
            }
            isChoosing={isChoosing}
            onChoosing={setChoosing}
            refusal={model.refusal ?? model.error}
            trans={trans}
            onCount={count => {
              model.count = count;
            }}
            onTry={isChosen => {
              if (source) {
                void model.begin(source.spec, source.folder, isChosen);
              }
            }}
          />
          <InSight mark={model.trial ? `${model.trial.id} ${model.trial.state}` : ''}>
            <ShownTrial {...props} isBeside />
          </InSight>
        </div>
      )}
    </Following>
  );
}
