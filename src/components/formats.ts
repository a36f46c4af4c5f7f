/**
 * Numbers, ids and causes as people read them. Pure.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type * as api from '../api/types';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const SHORT = 8;
const COMMIT_ID = /[0-9a-f]{64}/;

/** Return the beginning of an id, long enough to tell commits of a lake apart. */
export function shortId(id: string): string {
  return id.slice(0, SHORT);
}

/** Return a ref as people read it. */
export function refText(ref: string): string {
  return /^[0-9a-f]{64}$/.test(ref) ? shortId(ref) : ref;
}

/** Return a size with three significant digits. */
export function formatBytes(bytes: number): string {
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${bytes < 0 ? '−' : ''}${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Return a span of time with its two largest units. */
export function formatDuration(seconds: number): string {
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Return the seconds between two times, the second being now when left out. */
export function secondsBetween(start: string, end: string | null): number {
  return Math.max(0, ((end === null ? Date.now() : Date.parse(end)) - Date.parse(start)) / 1000);
}

/** Return what began a change or set a job off, as words. */
export function causeText(
  kind: api.Trigger['kind'],
  subject: string,
  trans: TranslationBundle
): string {
  switch (kind) {
    case 'commit':
      return trans.__('Commit to %1', subject.replace(COMMIT_ID, shortId));
    case 'tick':
      return trans.__('Tick of %1', subject);
    case 'pipeline':
      return trans.__('Pipeline %1 published', subject);
    case 'rerun':
      return trans.__('Run of %1 by hand', subject);
    case 'backfill':
      return trans.__('Backfill of %1', subject);
    case 'upstream':
      return subject ? trans.__('Job upstream: %1', subject) : trans.__('Job upstream');
  }
}

/** Return a moment of these hours as the clock shows it here: `12:15`. */
export function clockText(moment: Date): string {
  return moment.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
}

/** What the name of a repo is called while it is dragged. */
export const REPO_MIME = 'application/x-datalake-repo';
