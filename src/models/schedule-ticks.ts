/**
 * When a schedule that is being typed ticks next, as the server's clocks say.
 */
import { VDomModel } from '@jupyterlab/ui-components';
import { Debouncer } from '@lumino/polling';

import type { LakeApiError } from '../api/client';
import { previewSchedule } from '../api/pipelines';
import type * as api from '../api/types';
import type { ISchedule } from '../schedules';
import type { ILake } from '../tokens';
import { asLakeError } from './refreshing';

const DEBOUNCE_MS = 250;
const TICKS = 3;

/** The next ticks of a schedule, or what is wrong with it. */
export class ScheduleTicks extends VDomModel {
  constructor(private readonly _lake: ILake) {
    super();
    this._asker = new Debouncer(() => this._ask(), DEBOUNCE_MS);
  }

  /** The ticks; empty until known. */
  get ticks(): readonly api.ComingTick[] {
    return this._ticks;
  }

  /** Why there are none. */
  get error(): LakeApiError | null {
    return this._error;
  }

  /** Whether what is known is of an older schedule. */
  get isAsking(): boolean {
    return this._isAsking;
  }

  /** Follow a schedule; null for none, or for one that is not whole yet. */
  follow(schedule: ISchedule | null): void {
    const asked = schedule && { schedule: schedule.schedule, zone: schedule.zone };
    if (JSON.stringify(asked) === JSON.stringify(this._asked)) {
      return;
    }
    this._asked = asked;
    this._error = null;
    this._isAsking = asked !== null;
    if (asked === null) {
      this._ticks = [];
    } else {
      this._asker.invoke().catch(() => undefined); // rejected when the form closes first
    }
  }

  override dispose(): void {
    this._asker.dispose();
    super.dispose();
  }

  private async _ask(): Promise<void> {
    const asked = this._asked;
    if (asked === null) {
      return;
    }
    let ticks: readonly api.ComingTick[] = [];
    let error: LakeApiError | null = null;
    try {
      ticks = (await previewSchedule(this._lake.client, { ...asked, limit: TICKS })).results;
    } catch (reason) {
      error = asLakeError(reason);
    }
    if (asked === this._asked && !this.isDisposed) {
      this._ticks = ticks;
      this._error = error;
      this._isAsking = false;
      this.stateChanged.emit();
    }
  }

  private readonly _asker: Debouncer;
  private _asked: { schedule: string; zone: string } | null = null;
  private _ticks: readonly api.ComingTick[] = [];
  private _error: LakeApiError | null = null;
  private _isAsking = false;
}
