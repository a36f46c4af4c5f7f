/**
 * Schedules in plain words.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import cronstrue from 'cronstrue';

const NAMED: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *'
};

/**
 * Return a schedule in plain words; empty if it is none, or one that cannot be said.
 *
 * @param language - such as `en` or `de-DE`; other languages than English are loaded when asked for.
 */
export async function describeSchedule(
  schedule: string,
  language: string,
  trans: TranslationBundle
): Promise<string> {
  const every = /^@every\s+(\S+)$/.exec(schedule.trim());
  if (every) {
    return trans.__('Every %1, from tick to tick', every[1]);
  }
  const fields = NAMED[schedule.trim()] ?? schedule.trim();
  const [, , day = '*', , weekday = '*'] = fields.split(/\s+/);
  if (fields.startsWith('@')) {
    return '';
  }
  let words: string;
  try {
    words = await inWords(fields, language);
  } catch {
    return ''; // the server says what is wrong
  }
  return isAny(day) || isAny(weekday)
    ? words
    : trans.__('%1: whichever of the two days comes', words);
}

async function inWords(fields: string, language: string): Promise<string> {
  const [, hour = '*', ...days] = fields.split(/\s+/);
  // "At 06:00" leaves open of which days, and "every minute, every hour, every day" is too much.
  const verbose = !hour.startsWith('*') && days.every(isAny);
  const options = { use24HourTimeFormat: true, verbose };
  const short = language.slice(0, 2).toLowerCase();
  if (short === 'en' || short === '') {
    return cronstrue.toString(fields, options);
  }
  const { default: localized } = await import('cronstrue/i18n');
  const whole = language.replace('-', '_');
  const locale = [whole, short].find(one => one in localized.locales) ?? 'en';
  return localized.toString(fields, { ...options, locale });
}

function isAny(field: string): boolean {
  return field === '*' || field === '?';
}
