/**
 * A spec that is tried on some of its datums: how far it is, and what each datum left.
 */
import { Poll } from '@lumino/polling';

import {
  cancelTrial,
  getTrial,
  getTrialLog,
  listTrialCells,
  listTrialDifferences,
  runTrial
} from '../api/trials';
import type * as api from '../api/types';
import type { ILake } from '../tokens';
import { DatumChoice, MAX_TRIED } from './datum-choice';
import { asLakeError, RefreshingModel } from './refreshing';
import type { LakeApiError } from '../api/client';

/** So many datums are tried unless somebody says otherwise. */
export const TRIED_DATUMS = 3;
const PAGE = 100;
const LOG_POLL_MS = 1000;

/** One trial at a time, from its beginning on. */
export class TrialModel extends RefreshingModel {
  constructor(options: TrialModel.IOptions) {
    super(options.lake);
    this.datums = new DatumChoice(options.lake.client, () => this._changed());
    this._id = options.id ?? null;
    this._poll = new Poll({
      auto: false,
      factory: () => this._look(),
      frequency: { interval: LOG_POLL_MS, backoff: true, max: 10 * LOG_POLL_MS },
      name: 'jupyter_datalake:trial-log',
      standby: 'when-hidden'
    });
  }

  /** Those that can be tried instead of the first ones. */
  readonly datums: DatumChoice;

  /** Its id; null until one was begun. */
  get id(): string | null {
    return this._id;
  }

  /** The trial; null until there is one. */
  get trial(): api.Trial | null {
    return this._trial;
  }

  /** How many datums the next trial runs, as typed. */
  get count(): string {
    return this._count;
  }
  set count(count: string) {
    this._count = count;
    this.stateChanged.emit();
  }

  /** Whether that is a number of datums that can be tried. */
  get isCount(): boolean {
    return /^\d+$/.test(this._count) && +this._count >= 1 && +this._count <= MAX_TRIED;
  }

  /** Whether a trial is being begun. */
  get isStarting(): boolean {
    return this._isStarting;
  }

  /** Whether one runs. */
  get isRunning(): boolean {
    return this._isStarting || this._trial?.state === 'running';
  }

  /** Why none was begun. */
  get refusal(): LakeApiError | null {
    return this._refusal;
  }

  /** Position of the datum, or of the step, that is looked at; null for all of them together. */
  get choice(): number | null {
    return this._choice;
  }
  set choice(position: number | null) {
    this._isChosen = true;
    this._choose(position);
    this.stateChanged.emit();
    this.invalidate();
  }

  /** What that printed; null until it is loaded, and for all of them together. */
  get log(): api.DatumLog | null {
    return this._log;
  }

  /** The cells of its notebook. */
  get cells(): readonly api.ExecutedCell[] {
    return this._cells;
  }

  /** How its output differs from what the output branch holds. */
  get changes(): readonly api.Change[] {
    return this._changes;
  }

  /** Whether there are more of these. */
  get hasMore(): boolean {
    return this._hasMore;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._poll.dispose();
    }
    super.dispose();
  }

  /**
   * Try a spec with the files of a folder; what ran before is forgotten here.
   *
   * @param isChosen - whether the datums that are chosen are tried, in place of the first ones.
   */
  async begin(spec: api.Spec, folder: string, isChosen = false): Promise<void> {
    if (this.isRunning || !(isChosen ? this.datums.isChosen : this.isCount)) {
      return;
    }
    this._isStarting = true;
    this._refusal = null;
    this.stateChanged.emit();
    try {
      const which = isChosen
        ? { positions: await this.datums.positions(spec) }
        : { datums: +this._count };
      const body = { spec, folder, ...which };
      this._trial = await runTrial(this.lake.client, body);
      this._id = this._trial.id;
      this._isChosen = false;
      this._choose(null);
    } catch (reason) {
      this._refusal = asLakeError(reason);
    } finally {
      this._isStarting = false;
    }
    if (!this.isDisposed) {
      this.stateChanged.emit();
      await this.refresh();
    }
  }

  /** Have it stop. */
  async cancel(): Promise<void> {
    const id = this._id;
    if (id !== null) {
      await this.perform('cancel', () => cancelTrial(this.lake.client, id)).catch(
        () => undefined // it has ended by itself
      );
    }
  }

  /** Load more of what differs. */
  async loadMore(): Promise<void> {
    const last = this._changes[this._changes.length - 1];
    if (this._hasMore && last) {
      await this._loadChanges(last.path);
      this._changed();
    }
  }

  protected async load(): Promise<void> {
    const id = this._id;
    if (id === null) {
      return;
    }
    const trial = await getTrial(this.lake.client, id);
    if (id !== this._id) {
      return;
    }
    this._trial = trial;
    if (!this._isChosen) {
      this._choose(worthLookingAt(trial));
    }
    await Promise.all([this._loadLog(), this._loadCells(), this._loadChanges()]);
    this._setPolling();
  }

  protected concerns(event: api.Event): boolean {
    return event.kind === 'trial.changed' && event.subject === this._id;
  }

  protected override onActiveChanged(): void {
    this._setPolling();
  }

  private _choose(position: number | null): void {
    if (position !== this._choice || position === null) {
      this._choice = position;
      this._log = null;
      this._cells = [];
      this._changes = [];
      this._hasMore = false;
    }
  }

  /** Look at what is printed: no event tells of a line in a log. */
  private async _look(): Promise<void> {
    const before = [this._log?.text, JSON.stringify(this._cells)];
    await Promise.all([this._loadLog(), this._loadCells()]);
    const now = [this._log?.text, JSON.stringify(this._cells)];
    if (now.join() !== before.join()) {
      this._changed();
    }
  }

  private async _loadCells(): Promise<void> {
    const place = this._place;
    if (place.datum !== null && place.id !== null) {
      const { results } = await listTrialCells(this.lake.client, place.id, place.datum);
      if (this._isAt(place)) {
        this._cells = results;
      }
    }
  }

  /** Load what differs behind a path, or from the beginning. */
  private async _loadChanges(after?: string): Promise<void> {
    const place = this._place;
    const output = this._chosen ? this._chosen.output : this._trial?.output;
    if (!output || place.id === null || (place.datum ?? 0) < 0) {
      return;
    }
    const datum = place.datum ?? undefined;
    const page = await listTrialDifferences(this.lake.client, place.id, {
      datum,
      after,
      limit: PAGE
    });
    if (this._isAt(place)) {
      this._changes = after === undefined ? page.results : [...this._changes, ...page.results];
      this._hasMore = page.has_more;
    }
  }

  /** Load what was printed since the last look. */
  private async _loadLog(): Promise<void> {
    const place = this._place;
    const { id, datum } = place;
    if (id === null || datum === null) {
      return;
    }
    const known = this._log;
    const read = (offset: number) => getTrialLog(this.lake.client, id, datum, { offset });
    let log = await read(known?.end ?? 0);
    if (log.begin > 0) {
      const goesOn = log.tries === known?.tries;
      log = goesOn ? { ...log, begin: 0, text: known.text + log.text } : await read(0);
    }
    if (this._isAt(place) && known === this._log) {
      this._log = log;
    }
  }

  /** What is looked at now: answers of what was looked at before are dropped. */
  private get _place(): { id: string | null; datum: number | null } {
    return { id: this._id, datum: this._choice };
  }

  private _isAt(place: { id: string | null; datum: number | null }): boolean {
    return place.id === this._id && place.datum === this._choice;
  }

  private get _chosen(): api.TriedDatum | undefined {
    const { _trial: trial, _choice: choice } = this;
    return trial === null ? undefined : triedAt(trial, choice);
  }

  private _setPolling(): void {
    if (this.isDisposed) {
      return;
    }
    const wanted = this.isActive && this._trial?.state === 'running';
    if (wanted !== this._isPolling) {
      this._isPolling = wanted;
      void (wanted ? this._poll.start() : this._poll.stop());
    }
  }

  private _changed(): void {
    if (!this.isDisposed) {
      this.stateChanged.emit();
    }
  }

  private readonly _poll: Poll;
  private _id: string | null;
  private _trial: api.Trial | null = null;
  private _count = String(TRIED_DATUMS);
  private _isStarting = false;
  private _isPolling = false;
  private _isChosen = false;
  private _refusal: LakeApiError | null = null;
  private _choice: number | null = null;
  private _log: api.DatumLog | null = null;
  private _cells: readonly api.ExecutedCell[] = [];
  private _changes: readonly api.Change[] = [];
  private _hasMore = false;
}

/** Return the datum, or the step, at a position; undefined for all of them together. */
export function triedAt(trial: api.Trial, position: number | null): api.TriedDatum | undefined {
  return [...trial.steps, ...trial.datums].find(one => one.position === position);
}

/** Return what is worth looking at first: what failed, what runs, and then all together. */
function worthLookingAt(trial: api.Trial): number | null {
  const all = [...trial.steps, ...trial.datums];
  const at = (state: api.DatumState) => all.find(one => one.state === state)?.position;
  return at('failed') ?? at('running') ?? null;
}

/** What a {@link TrialModel} is made of. */
export namespace TrialModel {
  export interface IOptions {
    lake: ILake;
    /** Of a trial that was begun already. */
    id?: string;
  }
}
