/**
 * The pipelines of the lake.
 */
import { listPipelines } from '../api/pipelines';
import type * as api from '../api/types';
import { loadAll } from './paging';
import { RefreshingModel } from './refreshing';

/** All pipelines by name, each with its newest job. */
export class PipelinesModel extends RefreshingModel {
  /** All pipelines. */
  get pipelines(): readonly api.Pipeline[] {
    return this._pipelines;
  }

  /** Names of the pipelines whose details are shown. */
  get opened(): ReadonlySet<string> {
    return this._opened;
  }

  /** Return a pipeline by name, if it is loaded. */
  get(name: string): api.Pipeline | undefined {
    return this._pipelines.find(pipeline => pipeline.name === name);
  }

  /** Show a pipeline's details, or hide them. */
  toggle(name: string): void {
    if (!this._opened.delete(name)) {
      this._opened.add(name);
    }
    this.stateChanged.emit();
  }

  protected async load(): Promise<void> {
    this._pipelines = await loadAll((after, limit) =>
      listPipelines(this.lake.client, { after, limit })
    );
  }

  protected concerns(event: api.Event): boolean {
    return event.kind === 'pipeline.changed' || event.kind === 'job.changed';
  }

  private readonly _opened = new Set<string>();
  private _pipelines: api.Pipeline[] = [];
}
