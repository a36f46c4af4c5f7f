/**
 * A merge, a revert or a cherry-pick that is about to be made: first as a dry run.
 */
import { VDomModel } from '@jupyterlab/ui-components';

import type { IByteClient, LakeApiError } from '../api/client';
import { cherryPick, mergeCommit, revertCommit } from '../api/commits';
import type * as api from '../api/types';
import { asLakeError } from './refreshing';

/** What is done with a commit. */
export type JoinKind = 'merge' | 'revert' | 'pick';

/** Whose version of a path is wanted: the branch's own, or that of what is taken over. */
export type Choice = 'mine' | 'theirs';

const SHOWN = 500;

/** What would become of a commit on a branch, and doing it. */
export class JoinModel extends VDomModel {
  constructor(options: JoinModel.IOptions) {
    super();
    this.client = options.client;
    this.kind = options.kind;
    this.commit = options.commit;
    this._branch = options.branch;
    this._parent = this.needsParent ? 1 : undefined;
  }

  /** Asks the server. */
  readonly client: IByteClient;
  readonly kind: JoinKind;
  readonly commit: api.Commit;
  /** The message of the new commit; what the server thinks right where it is empty. */
  message = '';

  /** Whether it must be said which parent of a merge the commit is compared with. */
  get needsParent(): boolean {
    return this.kind !== 'merge' && this.commit.parents.length > 1;
  }

  /** The branch that it is done on. */
  get branch(): string {
    return this._branch;
  }
  set branch(branch: string) {
    this._branch = branch;
    void this.look();
  }

  /** The parent that the commit is compared with, from 1. */
  get parent(): number | undefined {
    return this._parent;
  }
  set parent(parent: number | undefined) {
    this._parent = parent;
    void this.look();
  }

  /** What would change; null until it is known. */
  get report(): api.MergeReport | null {
    return this._report;
  }

  /** Why that is not known, or why it could not be done. */
  get error(): LakeApiError | null {
    return this._error;
  }

  /** What was chosen, by path. */
  get choices(): ReadonlyMap<string, Choice> {
    return this._choices;
  }

  /** Whether it can be done: there is something to do, and every conflict is decided. */
  get isReady(): boolean {
    const report = this._report;
    return (
      report !== null &&
      report.outcome !== 'up-to-date' &&
      report.conflicts.length === report.conflict_count &&
      report.conflicts.every(({ path }) => this._choices.has(path))
    );
  }

  /** Choose whose version of some paths is wanted. */
  choose(paths: readonly string[], choice: Choice): void {
    for (const path of paths) {
      this._choices.set(path, choice);
    }
    this.stateChanged.emit();
  }

  /** Ask what would change. */
  async look(): Promise<void> {
    const asked = ++this._asked;
    this._report = null;
    this._error = null;
    this._choices.clear();
    this.stateChanged.emit();
    try {
      const report = await this._ask({ dry_run: true });
      if (asked === this._asked) {
        this._report = report;
      }
    } catch (reason) {
      if (asked === this._asked) {
        this._error = asLakeError(reason);
      }
    }
    this.stateChanged.emit();
  }

  /** Do it; return null if it failed. */
  async act(): Promise<api.MergeReport | null> {
    const choices = Object.fromEntries(
      [...this._choices].map(([path, choice]) => [literal(path), SIDES[choice]])
    );
    const message = this.message.trim() || undefined;
    try {
      return await this._ask({ dry_run: false, choices, message });
    } catch (reason) {
      this._error = asLakeError(reason);
      this.stateChanged.emit();
      return null;
    }
  }

  private _ask(options: {
    dry_run: boolean;
    choices?: Record<string, string>;
    message?: string;
  }): Promise<api.MergeReport> {
    const { repo, id } = this.commit;
    const body = { ref: id, limit: SHOWN, ...options };
    if (this.kind === 'merge') {
      return mergeCommit(this.client, repo, this._branch, { fast_forward: 'allow', ...body });
    }
    const ask = this.kind === 'revert' ? revertCommit : cherryPick;
    return ask(this.client, repo, this._branch, { ...body, parent: this._parent });
  }

  private readonly _choices = new Map<string, Choice>();
  private _branch: string;
  private _parent: number | undefined;
  private _report: api.MergeReport | null = null;
  private _error: LakeApiError | null = null;
  private _asked = 0;
}

const SIDES: Readonly<Record<Choice, string>> = { mine: 'ours', theirs: 'theirs' };

/** Return the pattern that only this path fits. */
function literal(path: string): string {
  return /[*?[{]/.test(path) ? `/${path.replace(/[*?[\]{}()\\]/g, '\\$&')}` : path;
}

/** What a {@link JoinModel} is made of. */
export namespace JoinModel {
  export interface IOptions {
    client: IByteClient;
    kind: JoinKind;
    commit: api.Commit;
    branch: string;
  }
}
