/**
 * When a pipeline runs: on every commit, or by a clock.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import type { Interval, IScheduleForm, ScheduleProblem } from '../schedule-form';
import { expressionOf, scheduleProblem } from '../schedule-form';
import type { CatchUp, Commits } from '../schedules';
import { timeZones } from '../schedules';
import type { IFailure } from './errors';
import { describeError } from './errors';
import type { IFieldAttributes } from './field';
import { Field } from './field';
import { describeSchedule } from './plain-schedule';

/** What {@link ScheduleFields} show and do. */
export interface IScheduleFieldsProps {
  form: IScheduleForm;
  /** Whether there are inputs whose commits can run the pipeline. */
  hasRepos: boolean;
  ticks: readonly api.ComingTick[];
  /** Why there are no ticks. */
  error: IFailure | null;
  /** Whether the ticks are still of what was typed before. */
  isAsking: boolean;
  trans: TranslationBundle;
  onChange: (change: Partial<IScheduleForm>) => void;
}

const SAFE_DAYS = 28;

/** The choice, and the fields of a clock. */
export function ScheduleFields(props: IScheduleFieldsProps): React.JSX.Element {
  const { form, trans } = props;
  const group = React.useId();
  const choice = (runs: IScheduleForm['runs'], label: string) => (
    <label className="jp-DatalakeForm-choice">
      <input
        type="radio"
        name={group}
        checked={form.runs === runs}
        onChange={() => props.onChange({ runs })}
      />
      {label}
    </label>
  );
  return (
    <fieldset className="jp-DatalakeForm-group">
      <legend>{trans.__('When it runs')}</legend>
      <div className="jp-DatalakeForm-choices">
        {choice(
          'commit',
          props.hasRepos ? trans.__('On every commit to an input') : trans.__('By hand')
        )}
        {choice('schedule', trans.__('On a schedule'))}
        {form.runs === 'kept' && choice('kept', trans.__('As the YAML says'))}
      </div>
      {form.runs === 'schedule' && <ClockFields {...props} />}
    </fieldset>
  );
}

function ClockFields(props: IScheduleFieldsProps): React.JSX.Element {
  const { form, trans, error } = props;
  const isZone = typeof error?.details?.zone === 'string';
  const problem = problemText(scheduleProblem(form), trans);
  const wrong = error ? describeError(error, trans) : '';
  return (
    <>
      <div className="jp-DatalakeForm-grid">
        <Choice
          label={trans.__('Interval')}
          value={form.interval}
          options={intervals(trans)}
          onChange={interval => props.onChange({ interval })}
        />
        <TimeFields {...props} problem={problem || (isZone ? '' : wrong)} />
        <ZoneField {...props} problem={isZone ? wrong : ''} />
      </div>
      <Echo {...props} isWrong={problem !== '' || wrong !== ''} />
      <div className="jp-DatalakeForm-grid">
        {props.hasRepos && (
          <Choice
            label={trans.__('A commit to an input')}
            value={form.commits}
            options={commitChoices(trans)}
            onChange={commits => props.onChange({ commits })}
          />
        )}
        {(form.commits !== 'only' || !props.hasRepos) && (
          <Choice
            label={trans.__('Times that were missed')}
            help={trans.__('while no controller ran, or the pipeline was paused')}
            value={form.catchUp}
            options={catchUps(trans)}
            onChange={catchUp => props.onChange({ catchUp })}
          />
        )}
      </div>
    </>
  );
}

/** The fields of the chosen interval. */
function TimeFields(props: IScheduleFieldsProps & { problem: string }): React.JSX.Element | null {
  const { form, trans, problem, onChange } = props;
  switch (form.interval) {
    case 'minute':
      return null;
    case 'hour':
      return (
        <Field label={trans.__('Minutes past the hour')} problem={problem}>
          {attributes => (
            <NumberInput
              {...attributes}
              least={0}
              most={59}
              value={form.minute}
              onChange={minute => onChange({ minute })}
            />
          )}
        </Field>
      );
    case 'custom':
      return (
        <Field
          label={trans.__('Cron expression')}
          help={trans.__('minute hour day month weekday, or @daily, or @every 90m')}
          problem={problem}
        >
          {attributes => (
            <input
              {...attributes}
              className="jp-DatalakeField jp-mod-code"
              value={form.custom}
              placeholder="0 6 * * MON-FRI"
              onChange={event => onChange({ custom: event.target.value })}
            />
          )}
        </Field>
      );
    case 'day':
    case 'week':
    case 'weekday':
    case 'month':
      return (
        <>
          {form.interval === 'week' && (
            <Choice
              label={trans.__('Day of the week')}
              value={form.weekday}
              options={weekdays()}
              onChange={weekday => onChange({ weekday })}
            />
          )}
          {form.interval === 'month' && (
            <Field
              label={trans.__('Day of the month')}
              problem={scheduleProblem(form) === 'day' ? problem : ''}
              help={
                Number(form.day) > SAFE_DAYS
                  ? trans.__('Months without this day are left out.')
                  : undefined
              }
            >
              {attributes => (
                <NumberInput
                  {...attributes}
                  least={1}
                  most={31}
                  value={form.day}
                  onChange={day => onChange({ day })}
                />
              )}
            </Field>
          )}
          <Field label={trans.__('Time')} problem={scheduleProblem(form) === 'day' ? '' : problem}>
            {attributes => (
              <input
                {...attributes}
                type="time"
                className="jp-DatalakeField"
                value={form.time}
                onChange={event => onChange({ time: event.target.value })}
              />
            )}
          </Field>
        </>
      );
  }
}

function ZoneField(props: IScheduleFieldsProps & { problem: string }): React.JSX.Element {
  const { form, trans } = props;
  const list = React.useId();
  const zones = React.useMemo(timeZones, []);
  return (
    <Field
      label={trans.__('Time zone')}
      help={trans.__('type a part of its name')}
      problem={props.problem}
    >
      {attributes => (
        <>
          <input
            {...attributes}
            className="jp-DatalakeField"
            list={list}
            value={form.zone}
            onChange={event => props.onChange({ zone: event.target.value })}
          />
          <datalist id={list}>
            {zones.map(zone => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** The schedule in plain words, and its next times. */
function Echo(props: IScheduleFieldsProps & { isWrong: boolean }): React.JSX.Element | null {
  const { form, ticks, trans } = props;
  const words = usePlainSchedule(expressionOf(form), trans);
  if (props.isWrong) {
    return null;
  }
  return (
    <div
      className="jp-DatalakeForm-echo"
      role="status"
      aria-label={trans.__('Schedule in words')}
      aria-busy={props.isAsking}
    >
      {words && <p>{words}</p>}
      {ticks.length > 0 && (
        <ol aria-label={trans.__('Next times')}>
          {ticks.map(tick => (
            <li key={tick.at}>
              <time dateTime={tick.local}>{tickText(tick)}</time>
              {tick.is_moved && ` ${trans.__('(the clocks change: the time itself is left out)')}`}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

/** Return a schedule in plain words; empty until they are known, and where there are none. */
export function usePlainSchedule(schedule: string, trans: TranslationBundle): string {
  const [words, setWords] = React.useState('');
  React.useEffect(() => {
    let isWanted = true;
    const language = document.documentElement.lang;
    void describeSchedule(schedule, language, trans).then(found => {
      if (isWanted) {
        setWords(found);
      }
    });
    return () => {
      isWanted = false;
    };
  }, [schedule, trans]);
  return words;
}

/** Return a tick as the wall clock of its zone shows it, and how far that is from UTC. */
export function tickText(tick: api.ComingTick): string {
  const [, date = '', time = '', offset = ''] =
    /^(.{10})T(.{5})(?::\d\d)?(.*)$/.exec(tick.local) ?? [];
  const day = new Date(`${date}T00:00:00Z`).toLocaleDateString(undefined, {
    weekday: 'short',
    timeZone: 'UTC'
  });
  return `${day} ${date} ${time} UTC${offset === '+00:00' ? '' : offset}`;
}

function NumberInput(
  props: IFieldAttributes & {
    least: number;
    most: number;
    value: string;
    onChange: (value: string) => void;
  }
): React.JSX.Element {
  const { least, most, onChange, ...attributes } = props;
  return (
    <input
      {...attributes}
      type="number"
      className="jp-DatalakeField"
      min={least}
      max={most}
      onChange={event => onChange(event.target.value)}
    />
  );
}

function Choice<T extends string>(props: {
  label: string;
  help?: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}): React.JSX.Element {
  return (
    <Field label={props.label} help={props.help}>
      {attributes => (
        <select
          {...attributes}
          className="jp-DatalakeField"
          value={props.value}
          onChange={event => props.onChange(event.target.value as T)}
        >
          {props.options.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function intervals(trans: TranslationBundle): readonly (readonly [Interval, string])[] {
  return [
    ['minute', trans.__('Minute')],
    ['hour', trans.__('Hour')],
    ['day', trans.__('Day')],
    ['week', trans.__('Week')],
    ['weekday', trans.__('Weekday')],
    ['month', trans.__('Month')],
    ['custom', trans.__('Custom')]
  ];
}

/** Return the days of the week by their numbers, in the reader's language. */
function weekdays(): readonly (readonly [string, string])[] {
  const language = document.documentElement.lang || undefined;
  return [1, 2, 3, 4, 5, 6, 0].map(day => {
    const sample = new Date(Date.UTC(2026, 0, 4 + day)); // the 4th is a Sunday
    return [
      String(day),
      sample.toLocaleDateString(language, { weekday: 'long', timeZone: 'UTC' })
    ] as const;
  });
}

function commitChoices(trans: TranslationBundle): readonly (readonly [Commits, string])[] {
  return [
    ['wait', trans.__('waits for the next time')],
    ['only', trans.__('waits; times without any are left out')],
    ['also', trans.__('runs it as well')]
  ];
}

function catchUps(trans: TranslationBundle): readonly (readonly [CatchUp, string])[] {
  return [
    ['one', trans.__('one run for all')],
    ['all', trans.__('a run for each')],
    ['none', trans.__('are given up')]
  ];
}

function problemText(problem: ScheduleProblem | null, trans: TranslationBundle): string {
  switch (problem) {
    case null:
      return '';
    case 'minute':
      return trans.__('From 0 to 59');
    case 'day':
      return trans.__('From 1 to 31');
    case 'time':
      return trans.__('A time such as 06:30');
    case 'missing':
      return trans.__('Needed');
  }
}
