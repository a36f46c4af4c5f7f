/**
 * Which repo and ref are looked at; shared by the sections of the panel.
 */
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { ILakeSelection } from '../tokens';

/** The branch that every repo begins with. */
export const DEFAULT_BRANCH = 'main';

/** The selection of the panel. */
export class LakeSelection implements ILakeSelection {
  get repo(): string | null {
    return this._repo;
  }

  get ref(): string {
    return this._ref;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  select(repo: string | null, ref = DEFAULT_BRANCH): void {
    if (repo === this._repo && ref === this._ref) {
      return;
    }
    this._repo = repo;
    this._ref = ref;
    this._changed.emit();
  }

  private _repo: string | null = null;
  private _ref = DEFAULT_BRANCH;
  private readonly _changed = new Signal<this, void>(this);
}
