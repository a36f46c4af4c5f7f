/**
 * When a pipeline runs, as its spec says it: reading that from an input, and writing it. Pure.
 */
import type * as api from './api/types';

/** What becomes of ticks that nobody was there for. */
export type CatchUp = 'one' | 'all' | 'none';

/**
 * What a commit to an input does where there is a clock: it waits for the next tick, runs the
 * pipeline as well, or waits while ticks without any run nothing.
 */
export type Commits = 'wait' | 'also' | 'only';

/** A clock, and what it leaves to commits. */
export interface ISchedule {
  /** The variable that holds the time of the tick. */
  name: string;
  schedule: string;
  zone: string;
  catchUp: CatchUp;
  commits: Commits;
}

/** The zone that schedules are read in when they name none. */
export const UTC = 'UTC';

const TICK = 'tick';

type Json = Record<string, unknown>;

/**
 * Return when a pipeline runs.
 *
 * @returns null if every commit to an input runs it, undefined if the spec says more about it than
 * an {@link ISchedule} does.
 */
export function scheduleOf(spec: api.Spec): ISchedule | null | undefined {
  const repos = leavesOf(spec.input, 'repo');
  const triggers = repos.filter(repo => repo.trigger !== undefined);
  const clocks = leavesOf(spec.input, 'cron');
  const atTop = topOf(spec.input).filter(one => one.cron !== undefined);
  if (clocks.length === 0 && triggers.length === 0) {
    return null;
  }
  if (clocks.length > 1 || atTop.length !== clocks.length) {
    return undefined;
  }
  const [clock] = clocks;
  if (triggers.length > 0) {
    const held = triggers.map(heldBy);
    const first = clock ? timeOf(clock.schedule, clock.zone) : held[0];
    if (first === null || triggers.length < repos.length || held.some(one => one !== first)) {
      return undefined;
    }
  }
  const source = clock ?? { ...(triggers[0]?.trigger as Json) };
  return {
    name: text(source.name) || TICK,
    schedule: text(clock ? source.schedule : source.cron),
    zone: text(source.zone) || UTC,
    catchUp: (text(source.catch_up) || 'one') as CatchUp,
    commits: clock === undefined ? 'only' : triggers.length > 0 ? 'wait' : 'also'
  };
}

/** Return an input that runs its pipeline by a schedule, or on every commit where that is null. */
export function withSchedule(input: unknown, schedule: ISchedule | null): Json | undefined {
  const trigger =
    schedule === null || schedule.commits === 'also'
      ? undefined
      : { cron: schedule.schedule, ...zoneOf(schedule) };
  const parts = topOf(input)
    .filter(one => one.cron === undefined)
    .map(one => withTrigger(one, trigger));
  if (schedule !== null && (schedule.commits !== 'only' || parts.length === 0)) {
    parts.push({
      cron: {
        ...(schedule.name === TICK ? {} : { name: schedule.name }),
        schedule: schedule.schedule,
        ...zoneOf(schedule),
        ...(schedule.catchUp === 'one' ? {} : { catch_up: schedule.catchUp })
      }
    });
  }
  return parts.length > 1 ? { cross: parts } : parts[0];
}

/** Tell whether a repo input says nothing of when it runs that a schedule does not say. */
export function isHeldByClock(repo: Json): boolean {
  return repo.trigger === undefined || heldBy(repo) !== null;
}

/** Return the names of the time zones that this browser knows, UTC first. */
export function timeZones(): readonly string[] {
  return [UTC, ...Intl.supportedValuesOf('timeZone').filter(zone => zone !== UTC)];
}

/** Return the time zone of the browser. */
export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || UTC;
}

/** Return what a repo input waits for as one text, null if that is more than a clock. */
function heldBy(repo: Json): string | null {
  const { cron, zone, ...rest } = repo.trigger as Json;
  return typeof cron === 'string' && Object.keys(rest).length === 0 ? timeOf(cron, zone) : null;
}

function timeOf(schedule: unknown, zone: unknown): string {
  return `${text(schedule)} ${text(zone) || UTC}`;
}

function zoneOf({ zone }: ISchedule): { zone?: string } {
  return zone === UTC ? {} : { zone };
}

/** Return an input whose repos all have this trigger, or none. */
function withTrigger(input: Json, trigger: Json | undefined): Json {
  if (input.repo !== undefined) {
    const repo = { ...(input.repo as Json), trigger };
    return { repo: withoutUndefined(repo) };
  }
  return Object.fromEntries(
    Object.entries(input).map(([kind, parts]) => [
      kind,
      Array.isArray(parts) ? parts.map(part => withTrigger(part as Json, trigger)) : parts
    ])
  );
}

function withoutUndefined(values: Json): Json {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Return the bodies of all repos or clocks below an input. */
function leavesOf(input: unknown, kind: 'repo' | 'cron'): Json[] {
  if (!isMap(input)) {
    return [];
  }
  return Object.entries(input).flatMap(([key, body]) =>
    Array.isArray(body)
      ? body.flatMap(part => leavesOf(part, kind))
      : key === kind && isMap(body)
        ? [body]
        : []
  );
}

/** Return what an input is a cross of; one that is no cross is one of itself. */
function topOf(input: unknown): Json[] {
  if (!isMap(input)) {
    return [];
  }
  return Array.isArray(input.cross) ? input.cross.filter(isMap) : [input];
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
