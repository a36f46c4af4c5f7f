import { nullTranslator } from '@jupyterlab/translation';

import { describeSchedule } from '../components/plain-schedule';
import type { IScheduleForm } from '../schedule-form';
import {
  changeSchedule,
  expressionOf,
  scheduleFormOf,
  scheduleIn,
  scheduleProblem
} from '../schedule-form';
import type { ISchedule } from '../schedules';
import { scheduleOf, withSchedule } from '../schedules';
import EXPRESSIONS from './schedules.json';

const trans = nullTranslator.load('jupyter_datalake');
const EVERY_MORNING: ISchedule = {
  name: 'tick',
  schedule: '0 6 * * *',
  zone: 'Europe/Berlin',
  catchUp: 'one',
  commits: 'wait'
};
const RAW = { repo: { name: 'raw', glob: '/*' } };
const CALENDAR = { repo: { name: 'calendar', glob: '/' } };

function formOf(change: Partial<IScheduleForm>): IScheduleForm {
  return { ...scheduleFormOf(EVERY_MORNING), ...change };
}

describe('a schedule in plain words', () => {
  // What these expressions tick at, the server's tests assert from the same table.
  it.each(EXPRESSIONS)('says of $schedule: $words', async ({ schedule, words }) => {
    await expect(describeSchedule(schedule, 'en', trans)).resolves.toBe(words);
  });

  it('says the names and intervals that are not of cron', async () => {
    expect(await describeSchedule('@daily', 'en', trans)).toBe('At 00:00, every day');
    expect(await describeSchedule('@weekly', 'en', trans)).toBe('At 00:00, only on Sunday');
    expect(await describeSchedule('@every 1h30m', 'en', trans)).toBe(
      'Every 1h30m, from tick to tick'
    );
  });

  it('says nothing of what is no schedule', async () => {
    for (const wrong of ['', '0 25 * * *', 'a b c d e', '0 0 * *', '@reboot']) {
      expect(await describeSchedule(wrong, 'en', trans)).toBe('');
    }
  });

  it('speaks the language of the page', async () => {
    expect(await describeSchedule('30 6 * * MON-FRI', 'de-DE', trans)).toBe(
      'Um 06:30, Montag bis Freitag'
    );
    expect(await describeSchedule('30 6 * * *', 'xx', trans)).toBe('At 06:30, every day');
  });
});

describe('the schedule form', () => {
  it.each([
    ['* * * * *', { interval: 'minute' }],
    ['15 * * * *', { interval: 'hour', minute: '15' }],
    ['5 6 * * *', { interval: 'day', time: '06:05' }],
    ['30 6 * * 3', { interval: 'week', time: '06:30', weekday: '3' }],
    ['30 6 * * MON-FRI', { interval: 'weekday', time: '06:30' }],
    ['0 0 31 * *', { interval: 'month', time: '00:00', day: '31' }]
  ])('has fields that say %s, and says it again', (schedule, fields) => {
    const form = scheduleFormOf({ ...EVERY_MORNING, schedule });
    expect(form).toMatchObject(fields);
    expect(scheduleIn(form)).toEqual({ ...EVERY_MORNING, schedule });
  });

  it.each(['@every 90m', '*/5 * * * *', '0 6,18 * * *', '99 * * * *', '0 0 L * *', 'nonsense'])(
    'leaves %s as it is typed',
    schedule => {
      const form = scheduleFormOf({ ...EVERY_MORNING, schedule });
      expect(form.interval).toBe('custom');
      expect(scheduleIn(form)?.schedule).toBe(schedule);
    }
  );

  it('takes what the fields made over into what is typed', () => {
    const form = changeSchedule(formOf({ interval: 'month', day: '3' }), { interval: 'custom' });
    expect(form.custom).toBe('0 6 3 * *');
    expect(expressionOf(changeSchedule(form, { custom: ' 0 7 * * * ' }))).toBe('0 7 * * *');
  });

  it('tells what is wrong with a field', () => {
    expect(scheduleProblem(formOf({ interval: 'hour', minute: '60' }))).toBe('minute');
    expect(scheduleProblem(formOf({ interval: 'month', day: '0' }))).toBe('day');
    expect(scheduleProblem(formOf({ interval: 'day', time: '' }))).toBe('time');
    expect(scheduleProblem(formOf({ interval: 'custom', custom: ' ' }))).toBe('missing');
    expect(scheduleProblem(formOf({ runs: 'commit', interval: 'custom', custom: '' }))).toBeNull();
  });
});

describe('a schedule in a spec', () => {
  it.each(['wait', 'also', 'only'] as const)('is read as it was written: commits %s', commits => {
    const schedule = { ...EVERY_MORNING, commits };
    const input = withSchedule({ cross: [RAW, CALENDAR] }, schedule);
    expect(scheduleOf({ input })).toEqual(schedule);
    expect(withSchedule(input, null)).toEqual({ cross: [RAW, CALENDAR] });
  });

  it('is a clock, which commits wait for', () => {
    const trigger = { cron: '0 6 * * *', zone: 'Europe/Berlin' };
    expect(withSchedule(RAW, EVERY_MORNING)).toEqual({
      cross: [
        { repo: { ...RAW.repo, trigger } },
        { cron: { schedule: '0 6 * * *', zone: 'Europe/Berlin' } }
      ]
    });
    expect(withSchedule(RAW, { ...EVERY_MORNING, commits: 'only' })).toEqual({
      repo: { ...RAW.repo, trigger }
    });
  });

  it('stands alone where nothing is read', () => {
    const alone: ISchedule = { ...EVERY_MORNING, zone: 'UTC', catchUp: 'all', commits: 'also' };
    expect(withSchedule(undefined, alone)).toEqual({
      cron: { schedule: '0 6 * * *', catch_up: 'all' }
    });
    expect(scheduleOf({ input: withSchedule(undefined, alone) })).toEqual(alone);
    expect(withSchedule({ cron: { schedule: '@daily' } }, null)).toBeUndefined();
  });

  it('holds back the repos of a join as well', () => {
    const input = withSchedule({ join: [RAW, CALENDAR] }, EVERY_MORNING);
    expect(input).toMatchObject({
      cross: [
        { join: [{ repo: { trigger: {} } }, { repo: { trigger: {} } }] },
        { cron: { schedule: '0 6 * * *' } }
      ]
    });
    expect(withSchedule(input, null)).toEqual({ join: [RAW, CALENDAR] });
  });

  it('is left alone where it says more than the form', () => {
    const held = (trigger: object) => ({ repo: { ...RAW.repo, trigger } });
    for (const input of [
      held({ commits: 10 }),
      held({ cron: '@daily', size: '1GiB' }),
      { cross: [held({ cron: '@daily' }), CALENDAR] },
      { cross: [held({ cron: '@daily' }), { cron: { schedule: '@hourly' } }] },
      { cross: [{ cron: { schedule: '@daily' } }, { cron: { name: 'b', schedule: '@hourly' } }] },
      { cross: [RAW, { union: [CALENDAR, { cron: { schedule: '@daily' } }] }] }
    ]) {
      expect(scheduleOf({ input })).toBeUndefined();
    }
  });
});
