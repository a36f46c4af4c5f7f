/**
 * Jobs: the list of the panel, one job in full, and waiting for a job to end.
 */
import { getJob, listJobs } from '../api/jobs';
import type * as api from '../api/types';
import type { ILake } from '../tokens';
import { loadUpTo } from './paging';
import { RefreshingModel } from './refreshing';

const PAGE = 30;

/** States that a job leaves by itself. */
const LIVE_STATES: ReadonlySet<api.JobState> = new Set(['waiting', 'running', 'egressing', 'lost']);

/** Return whether a job has not ended yet. */
export function isLive(job: api.Job): boolean {
  return LIVE_STATES.has(job.state);
}

/** Return how many datums of a job are done, well or not. */
export function datumsDone(job: api.Job): number {
  const { success = 0, skipped = 0, failed = 0, recovered = 0 } = job.datum_counts;
  return success + skipped + failed + recovered;
}

/** The newest jobs, followed as they go. */
export class JobsModel extends RefreshingModel {
  /** The jobs that are loaded, newest first. */
  get jobs(): readonly api.Job[] {
    return this._jobs;
  }

  /** Whether there are older ones. */
  get hasMore(): boolean {
    return this._next !== null;
  }

  /** How many of the loaded jobs have not ended. */
  get live(): number {
    return this._jobs.filter(isLive).length;
  }

  /** Load jobs in this state only; all for null. */
  get state(): api.JobState | null {
    return this._state;
  }
  set state(value: api.JobState | null) {
    if (value !== this._state) {
      this._state = value;
      this._begin();
    }
  }

  /** Load jobs of this pipeline only; all for null. */
  get pipeline(): string | null {
    return this._pipeline;
  }
  set pipeline(value: string | null) {
    if (value !== this._pipeline) {
      this._pipeline = value;
      this._begin();
    }
  }

  /** What {@link matching} looks for. */
  get text(): string {
    return this._text;
  }
  set text(value: string) {
    this._text = value;
    this.stateChanged.emit();
  }

  /** Those of the loaded jobs that have the text in their name, message or ids. */
  get matching(): readonly api.Job[] {
    const wanted = this._text.trim().toLowerCase();
    return wanted === ''
      ? this._jobs
      : this._jobs.filter(job =>
          [
            `${job.pipeline} #${job.number}`,
            job.message,
            job.id,
            job.global_id,
            job.trigger.subject
          ]
            .join('\n')
            .toLowerCase()
            .includes(wanted)
        );
  }

  /** Load the next older jobs. */
  loadMore(): Promise<void> {
    this._wanted += PAGE;
    return this.refresh();
  }

  protected async load(): Promise<void> {
    const page = await loadUpTo(this._wanted, (before: number | undefined, limit) =>
      listJobs(this.lake.client, {
        before,
        limit,
        state: this._state ?? undefined,
        pipeline: this._pipeline ?? undefined
      })
    );
    this._jobs = page.results;
    this._next = page.next;
  }

  protected concerns(event: api.Event): boolean {
    return event.kind === 'job.changed' || event.kind === 'datum.changed';
  }

  private _begin(): void {
    this._wanted = PAGE;
    this.stateChanged.emit();
    this.invalidate();
  }

  private _jobs: api.Job[] = [];
  private _next: number | null = null;
  private _wanted = PAGE;
  private _state: api.JobState | null = null;
  private _pipeline: string | null = null;
  private _text = '';
}

/** Follows one job until it has ended, whether anything shows it or not. */
export class JobFollower extends RefreshingModel {
  constructor(lake: ILake, job: api.Job) {
    super(lake);
    this._job = job;
    this.watch();
  }

  /** The job as it is. */
  get job(): api.Job {
    return this._job;
  }

  protected async load(): Promise<void> {
    this._job = await getJob(this.lake.client, this._job.id);
  }

  protected concerns(event: api.Event): boolean {
    return (
      (event.kind === 'job.changed' || event.kind === 'datum.changed') &&
      event.subject === this._job.id
    );
  }

  private _job: api.Job;
}
