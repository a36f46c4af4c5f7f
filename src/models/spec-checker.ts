/**
 * What the server says of specs: one question at a time, none twice.
 */
import type { LakeApiError } from '../api/client';
import type { IClient } from '../api/client';
import { previewPipeline } from '../api/pipelines';
import type * as api from '../api/types';
import { asLakeError } from './refreshing';

const DEBOUNCE_MS = 400;
const PREVIEWED = 50;
const MOST_KEPT = 1000;

/** An answer: the datums that a spec makes, or what is wrong with it. */
export interface IChecked {
  preview: api.Preview | null;
  error: LakeApiError | null;
}

/** Asks the server for the datums of specs, which tells what is wrong with them too. */
export class SpecChecker {
  /**
   * @param onAnswer - called when there are answers that were not there.
   */
  constructor(
    private readonly _client: IClient,
    private readonly _onAnswer: () => void
  ) {}

  /** Return what is known of a spec. */
  get(spec: api.Spec): IChecked | undefined {
    return this._known.get(JSON.stringify(spec));
  }

  /** Ask for these specs, and for no others any more. */
  ask(specs: readonly api.Spec[]): void {
    this._wanted = specs.filter(spec => {
      const key = JSON.stringify(spec);
      return !this._known.has(key) || this._outdated.has(key);
    });
    if (this._wanted.length > 0 && !this._isAsking && !this._isDisposed) {
      window.clearTimeout(this._timer);
      this._timer = window.setTimeout(() => void this._work(), DEBOUNCE_MS);
    }
  }

  /** Ask anew, as the lake has changed; until then what was known holds. */
  forget(): void {
    this._outdated = new Set(this._known.keys());
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
  }

  private async _work(): Promise<void> {
    this._isAsking = true;
    let spec = this._wanted.shift();
    while (spec && !this._isDisposed) {
      const key = JSON.stringify(spec);
      const checked = await this._check(spec);
      if (this._known.size >= MOST_KEPT) {
        this._known.clear();
      }
      this._known.set(key, checked);
      this._outdated.delete(key);
      spec = this._wanted.shift();
    }
    this._isAsking = false;
    if (!this._isDisposed) {
      this._onAnswer();
    }
  }

  private async _check(spec: api.Spec): Promise<IChecked> {
    try {
      const preview = await previewPipeline(this._client, { spec, limit: PREVIEWED });
      return { preview, error: null };
    } catch (reason) {
      return { preview: null, error: asLakeError(reason) };
    }
  }

  private readonly _known = new Map<string, IChecked>();
  private _outdated = new Set<string>();
  private _wanted: api.Spec[] = [];
  private _timer = 0;
  private _isAsking = false;
  private _isDisposed = false;
}
