/**
 * Changing when a pipeline runs that is there already.
 */
import { VDomModel } from '@jupyterlab/ui-components';

import type { LakeApiError } from '../api/client';
import { getPipeline, updatePipeline } from '../api/pipelines';
import type * as api from '../api/types';
import type { IScheduleForm } from '../schedule-form';
import { changeSchedule, scheduleFormOf, scheduleIn, scheduleProblem } from '../schedule-form';
import { scheduleOf, withSchedule } from '../schedules';
import { repoInputs } from '../specs';
import type { ILake } from '../tokens';
import { asLakeError } from './refreshing';
import { ScheduleTicks } from './schedule-ticks';

/** The schedule of one pipeline, as a form. */
export class PipelineScheduleModel extends VDomModel {
  constructor(options: PipelineScheduleModel.IOptions) {
    super();
    this._lake = options.lake;
    this.pipeline = options.pipeline;
    this.ticks = new ScheduleTicks(options.lake);
    this.ticks.stateChanged.connect(() => this.stateChanged.emit());
  }

  /** Name of the pipeline. */
  readonly pipeline: string;

  /** When the schedule in the form ticks next. */
  readonly ticks: ScheduleTicks;

  /** The form; null until the pipeline is known. */
  get form(): IScheduleForm | null {
    return this._form;
  }

  /** Whether there are inputs whose commits can run it. */
  get hasRepos(): boolean {
    return repoInputs(this._spec ?? {}).length > 0;
  }

  /** Why the pipeline is not known, or was not published. */
  get error(): LakeApiError | null {
    return this._error;
  }

  /** Whether the form can be sent. */
  get isComplete(): boolean {
    return (
      this._form !== null &&
      this._form.runs !== 'kept' &&
      this.ticks.error === null &&
      scheduleProblem(this._form) === null
    );
  }

  override dispose(): void {
    this.ticks.dispose();
    super.dispose();
  }

  /** Ask for the pipeline. */
  async load(): Promise<void> {
    try {
      this._spec = (await getPipeline(this._lake.client, this.pipeline)).spec;
      this._setForm(scheduleFormOf(scheduleOf(this._spec)));
    } catch (reason) {
      this._error = asLakeError(reason);
    }
    this.stateChanged.emit();
  }

  /** Change the form. */
  change(change: Partial<IScheduleForm>): void {
    if (this._form) {
      this._setForm(changeSchedule(this._form, change));
      this._error = null;
      this.stateChanged.emit();
    }
  }

  /** Publish the pipeline with its new schedule; return null if it failed. */
  async publish(): Promise<api.Pipeline | null> {
    const schedule = this._form && scheduleIn(this._form);
    if (!this._spec || schedule === undefined || !this.isComplete) {
      return null;
    }
    const spec = { ...this._spec, input: withSchedule(this._spec.input, schedule) };
    try {
      return await updatePipeline(this._lake.client, this.pipeline, { spec, keep_files: true });
    } catch (reason) {
      this._error = asLakeError(reason);
      this.stateChanged.emit();
      return null;
    }
  }

  private _setForm(form: IScheduleForm): void {
    this._form = form;
    this.ticks.follow((scheduleProblem(form) === null && scheduleIn(form)) || null);
  }

  private readonly _lake: ILake;
  private _spec: api.Spec | null = null;
  private _form: IScheduleForm | null = null;
  private _error: LakeApiError | null = null;
}

/** What a {@link PipelineScheduleModel} is made of. */
export namespace PipelineScheduleModel {
  export interface IOptions {
    lake: ILake;
    pipeline: string;
  }
}
