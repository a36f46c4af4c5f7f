/**
 * The schedule as a form: fields that make an expression, and the expression as fields. Pure.
 */
import type { ISchedule } from './schedules';
import { ownZone, UTC } from './schedules';

/** How a schedule is put together; `custom` is an expression that is typed. */
export type Interval = 'minute' | 'hour' | 'day' | 'week' | 'weekday' | 'month' | 'custom';

/** Everything that a person can choose of a schedule, as it is typed. */
export interface IScheduleForm extends Omit<ISchedule, 'schedule'> {
  /** `kept` leaves alone what the form has no fields for. */
  runs: 'commit' | 'schedule' | 'kept';
  interval: Interval;
  /** Of every hour. */
  minute: string;
  /** Of the day, as 06:30. */
  time: string;
  /** From 0, which is Sunday. */
  weekday: string;
  /** Of the month. */
  day: string;
  /** The expression where the interval is custom. */
  custom: string;
}

/** What can be wrong with a schedule. */
export type ScheduleProblem = 'minute' | 'time' | 'day' | 'missing';

const DEFAULTS: IScheduleForm = {
  runs: 'commit',
  interval: 'weekday',
  minute: '0',
  time: '00:00',
  weekday: '1',
  day: '1',
  custom: '',
  name: 'tick',
  zone: UTC,
  catchUp: 'one',
  commits: 'wait'
};
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
const FORMS: readonly [Interval, RegExp][] = [
  ['minute', /^\* \* \* \* \*$/],
  ['hour', /^(?<minute>\d+) \* \* \* \*$/],
  ['day', /^(?<minute>\d+) (?<hour>\d+) \* \* \*$/],
  ['weekday', /^(?<minute>\d+) (?<hour>\d+) \* \* (?:MON-FRI|1-5)$/i],
  ['week', /^(?<minute>\d+) (?<hour>\d+) \* \* (?<weekday>[0-7])$/],
  ['month', /^(?<minute>\d+) (?<hour>\d+) (?<day>\d+) \* \*$/]
];

/** Return the form of a schedule: null is every commit, undefined what it has no fields for. */
export function scheduleFormOf(schedule: ISchedule | null | undefined): IScheduleForm {
  if (!schedule) {
    return {
      ...DEFAULTS,
      runs: schedule === null ? 'commit' : 'kept',
      zone: ownZone()
    };
  }
  const { schedule: expression, ...rest } = schedule;
  return { ...DEFAULTS, ...rest, ...partsOf(expression), custom: expression, runs: 'schedule' };
}

/** Return the expression that the fields of a form make. */
export function expressionOf(form: IScheduleForm): string {
  const [hour = '', minute = ''] = form.time.split(':').map(part => String(Number(part)));
  switch (form.interval) {
    case 'minute':
      return '* * * * *';
    case 'hour':
      return `${Number(form.minute)} * * * *`;
    case 'day':
      return `${minute} ${hour} * * *`;
    case 'week':
      return `${minute} ${hour} * * ${form.weekday}`;
    case 'weekday':
      return `${minute} ${hour} * * MON-FRI`;
    case 'month':
      return `${minute} ${hour} ${Number(form.day)} * *`;
    case 'custom':
      return form.custom.trim();
  }
}

/** Return a form with a change; a change to custom takes over what the fields made. */
export function changeSchedule(form: IScheduleForm, change: Partial<IScheduleForm>): IScheduleForm {
  const isTyped = change.interval === 'custom' && form.interval !== 'custom';
  const custom = isTyped && !scheduleProblem(form) ? expressionOf(form) : form.custom;
  return { ...form, custom, ...change };
}

/** Return the schedule that a form says: null for every commit, undefined where it is kept. */
export function scheduleIn(form: IScheduleForm): ISchedule | null | undefined {
  if (form.runs !== 'schedule') {
    return form.runs === 'commit' ? null : undefined;
  }
  const { name, zone, catchUp, commits } = form;
  return { name, schedule: expressionOf(form), zone: zone.trim(), catchUp, commits };
}

/** Return what is wrong with the fields of a form, null if nothing is. */
export function scheduleProblem(form: IScheduleForm): ScheduleProblem | null {
  if (form.runs !== 'schedule') {
    return null;
  }
  const isBetween = (value: string, least: number, most: number) =>
    /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most;
  if (form.interval === 'minute') {
    return null;
  }
  if (form.interval === 'hour') {
    return isBetween(form.minute, 0, 59) ? null : 'minute';
  }
  if (form.interval === 'custom') {
    return form.custom.trim() ? null : 'missing';
  }
  if (form.interval === 'month' && !isBetween(form.day, 1, 31)) {
    return 'day';
  }
  return TIME.test(form.time) ? null : 'time';
}

/** Return an expression as fields; one that they cannot say is custom. */
function partsOf(expression: string): Partial<IScheduleForm> {
  const fields = expression.trim().replace(/\s+/g, ' ');
  for (const [interval, form] of FORMS) {
    const found = form.exec(fields);
    if (found) {
      const { minute, hour, weekday, day } = found.groups ?? {};
      const parts: Partial<IScheduleForm> = {
        interval,
        ...(hour === undefined
          ? { minute: minute ?? DEFAULTS.minute }
          : { time: `${hour.padStart(2, '0')}:${(minute ?? '').padStart(2, '0')}` }),
        ...(weekday === undefined ? {} : { weekday: weekday === '7' ? '0' : weekday }),
        ...(day === undefined ? {} : { day })
      };
      if (scheduleProblem({ ...DEFAULTS, ...parts, runs: 'schedule' }) === null) {
        return parts;
      }
    }
  }
  return { interval: 'custom' };
}
