/**
 * Choosing which datums of a spec are tried: listed page by page, found by a text, kept by label.
 */
import type { IClient, Body } from '../api/client';
import { LakeApiError } from '../api/client';
import { previewPipeline } from '../api/pipelines';
import type * as api from '../api/types';
import { toggled } from '../sets';
import { asLakeError } from './refreshing';

/** So many datums can be tried at once. */
export const MAX_TRIED = 100;
const PAGE = 200;
const MOVED_PAGES = 10;

/** A datum that can be chosen. */
export interface IListedDatum {
  /** What it is known by while datums come and go. */
  key: string;
  label: string;
  size_bytes: number;
}

/** The datums of one spec, and those of them that are chosen. */
export class DatumChoice {
  /**
   * @param _changed - called whenever something of it has.
   */
  constructor(
    private readonly _client: IClient,
    private readonly _changed: () => void
  ) {}

  /** The datums as far as they are loaded, by position; null until they are asked for. */
  get listed(): readonly IListedDatum[] | null {
    return this._listed;
  }

  /** Those whose inputs hold the filter. */
  get found(): readonly IListedDatum[] {
    const wanted = this._filter.trim().toLowerCase();
    const all = this._listed ?? [];
    return wanted ? all.filter(({ label }) => label.toLowerCase().includes(wanted)) : all;
  }

  /** What is searched for in the inputs. */
  get filter(): string {
    return this._filter;
  }
  set filter(filter: string) {
    this._filter = filter;
    this._changed();
  }

  /** Keys of those that are chosen. */
  get chosen(): ReadonlySet<string> {
    return this._chosen;
  }

  /** Whether so many can be tried. */
  get isChosen(): boolean {
    return this._chosen.size >= 1 && this._chosen.size <= MAX_TRIED;
  }

  /** Whether there are more datums than are loaded. */
  get hasMore(): boolean {
    return this._hasMore;
  }

  /** Whether datums are asked for. */
  get isLoading(): boolean {
    return this._isLoading;
  }

  /** Why they could not be listed. */
  get error(): LakeApiError | null {
    return this._error;
  }

  /** Why there are none, for people. */
  get message(): string {
    return this._message;
  }

  /** Choose a datum, or choose it no more. */
  toggle(key: string): void {
    this._chosen = toggled(this._chosen, key);
    this._changed();
  }

  /** List the datums of a spec, unless they are those that are listed. */
  async show(spec: api.Spec): Promise<void> {
    const inputs = inputsOf(spec);
    if (inputs !== this._inputs) {
      this._inputs = inputs;
      this._listed = null;
      this._chosen = new Set();
      this._hasMore = false;
      await this._load(spec, PAGE);
    }
  }

  /** List more of them. */
  async loadMore(spec: api.Spec): Promise<void> {
    if (this._hasMore && !this._isLoading) {
      await this._load(spec, (this._listed?.length ?? 0) + PAGE);
    }
  }

  /**
   * Return the positions of what is chosen, as the inputs are now.
   *
   * @throws LakeApiError if one of them is gone.
   */
  async positions(spec: api.Spec): Promise<number[]> {
    const wanted = this._chosen;
    // Others may have come before them: they are looked for some pages behind where they stood.
    const most = (this._listed?.length ?? 0) + MOVED_PAGES * PAGE;
    const { listed } = await this._read(spec, most, wanted);
    const positions = new Map(listed.map(({ key }, position) => [key, position]));
    const gone = [...wanted].filter(key => !positions.has(key));
    if (gone.length > 0) {
      await this._load(spec, this._listed?.length ?? PAGE); // as they are now, to choose again
      throw new LakeApiError({
        status: 404,
        kind: LakeApiError.DATUM_GONE,
        message: `The inputs make no datum ${gone[0] ?? ''} any more`, // people read `describeError`
        details: { datum: gone[0] }
      });
    }
    return [...wanted].map(key => positions.get(key) ?? 0).sort((one, other) => one - other);
  }

  private async _load(spec: api.Spec, count: number): Promise<void> {
    const inputs = this._inputs;
    this._isLoading = true;
    this._error = null;
    this._changed();
    try {
      const { listed, hasMore, message } = await this._read(spec, count);
      if (inputs === this._inputs) {
        this._listed = listed;
        this._hasMore = hasMore;
        this._message = message;
        const there = new Set(listed.map(({ key }) => key));
        this._chosen = new Set([...this._chosen].filter(key => there.has(key)));
      }
    } catch (reason) {
      if (inputs === this._inputs) {
        this._error = asLakeError(reason);
        this._inputs = ''; // asked for again when somebody looks again
      }
    }
    if (inputs === this._inputs || this._inputs === '') {
      this._isLoading = false;
      this._changed();
    }
  }

  /**
   * Return the first datums of a spec.
   *
   * @param count - so many at most.
   * @param wanted - once these are among them, that is enough.
   */
  private async _read(
    spec: api.Spec,
    count: number,
    wanted?: ReadonlySet<string>
  ): Promise<{ listed: IListedDatum[]; hasMore: boolean; message: string }> {
    const times = new Map<string, number>();
    const missing = new Set(wanted);
    const listed: IListedDatum[] = [];
    for (;;) {
      const limit = Math.min(PAGE, count - listed.length);
      const body: Body<'previewPipeline'> = { spec, after: listed.length - 1, limit };
      const page = await previewPipeline(this._client, body);
      for (const datum of page.datums) {
        const label = datum.map(input => input.label).join(' × ');
        const time = (times.get(label) ?? 0) + 1;
        times.set(label, time);
        const size_bytes = datum.reduce((sum, input) => sum + input.size_bytes, 0);
        const key = time > 1 ? `${label} (${time})` : label;
        listed.push({ key, label, size_bytes });
        missing.delete(key);
      }
      const isEnough = listed.length >= count || (wanted !== undefined && missing.size === 0);
      if (!page.has_more || page.datums.length === 0 || isEnough) {
        return { listed, hasMore: page.has_more, message: page.message };
      }
    }
  }

  private _inputs = '';
  private _listed: readonly IListedDatum[] | null = null;
  private _filter = '';
  private _chosen: ReadonlySet<string> = new Set();
  private _hasMore = false;
  private _isLoading = false;
  private _error: LakeApiError | null = null;
  private _message = '';
}

/** Return what of a spec says which datums there are. */
function inputsOf(spec: api.Spec): string {
  return JSON.stringify(spec.input ?? null);
}
