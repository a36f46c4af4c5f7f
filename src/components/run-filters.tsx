/**
 * Which runs are shown, and how they are grouped.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import type { JobGrouping } from './job-list';
import { stateText } from './state-badge';

const STATES: readonly api.JobState[] = [
  'waiting',
  'running',
  'egressing',
  'success',
  'failed',
  'cancelled',
  'lost'
];

/** What a {@link RunFilters} shows and does. */
export interface IRunFiltersProps {
  state: api.JobState | null;
  pipeline: string | null;
  pipelines: readonly string[];
  text: string;
  grouping: JobGrouping;
  trans: TranslationBundle;
  onState: (state: api.JobState | null) => void;
  onPipeline: (pipeline: string | null) => void;
  onText: (text: string) => void;
  onGrouping: (grouping: JobGrouping) => void;
}

/** State, pipeline, text and grouping. */
export function RunFilters(props: IRunFiltersProps): React.JSX.Element {
  const { trans } = props;
  return (
    <div className="jp-DatalakeRuns-filters" role="search" aria-label={trans.__('Filter runs')}>
      <select
        className="jp-DatalakeField"
        aria-label={trans.__('State')}
        value={props.state ?? ''}
        onChange={event => props.onState((event.target.value || null) as api.JobState | null)}
      >
        <option value="">{trans.__('All states')}</option>
        {STATES.map(state => (
          <option key={state} value={state}>
            {stateText(state, trans)}
          </option>
        ))}
      </select>
      <select
        className="jp-DatalakeField"
        aria-label={trans.__('Pipeline')}
        value={props.pipeline ?? ''}
        onChange={event => props.onPipeline(event.target.value || null)}
      >
        <option value="">{trans.__('All pipelines')}</option>
        {props.pipelines.map(name => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <input
        type="search"
        className="jp-DatalakeField jp-DatalakeRuns-text"
        aria-label={trans.__('Text in the message, name or id')}
        placeholder={trans.__('Text, number or id')}
        value={props.text}
        onChange={event => props.onText(event.target.value)}
      />
      <select
        className="jp-DatalakeField"
        aria-label={trans.__('Group')}
        value={props.grouping}
        onChange={event => props.onGrouping(event.target.value as JobGrouping)}
      >
        <option value="change">{trans.__('By change')}</option>
        <option value="pipeline">{trans.__('By pipeline')}</option>
        <option value="none">{trans.__('Not grouped')}</option>
      </select>
    </div>
  );
}
