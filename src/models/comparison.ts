/**
 * Two runs beside each other, and which others may stand there.
 */
import { compareJob, listJobs } from '../api/jobs';
import type * as api from '../api/types';
import type { ILake } from '../tokens';
import { RefreshingModel } from './refreshing';

const CHOICES = 100;

/** A comparison of two jobs. */
export class ComparisonModel extends RefreshingModel {
  constructor(options: ComparisonModel.IOptions) {
    super(options.lake);
    this._old = options.old;
    this._new = options.new;
  }

  /** What differs; null until it is loaded. */
  get comparison(): api.JobComparison | null {
    return this._comparison;
  }

  /** Runs of the pipelines that are compared, newest first. */
  get choices(): readonly api.Job[] {
    return this._choices;
  }

  /** Ids of the two jobs. */
  get ids(): readonly [string, string] {
    return [this._old, this._new];
  }

  /** Compare others. */
  choose(old: string, fresh: string): void {
    this._old = old;
    this._new = fresh;
    this.invalidate();
  }

  protected async load(): Promise<void> {
    const comparison = await compareJob(this.lake.client, this._old, this._new);
    const names = new Set([comparison.old.pipeline, comparison.new.pipeline]);
    const pages = await Promise.all(
      [...names].map(pipeline => listJobs(this.lake.client, { pipeline, limit: CHOICES }))
    );
    this._comparison = comparison;
    this._choices = pages.flatMap(page => page.results);
  }

  protected concerns(event: api.Event): boolean {
    return (
      event.kind === 'job.changed' && (event.subject === this._old || event.subject === this._new)
    );
  }

  private _old: string;
  private _new: string;
  private _comparison: api.JobComparison | null = null;
  private _choices: readonly api.Job[] = [];
}

/** What a {@link ComparisonModel} is made of. */
export namespace ComparisonModel {
  export interface IOptions {
    lake: ILake;
    old: string;
    new: string;
  }
}
