/**
 * Promoting several notebooks: a form for each, the graph that they make, one plan, one publishing.
 */
import { VDomModel } from '@jupyterlab/ui-components';
import { Debouncer } from '@lumino/polling';

import type { LakeApiError } from '../api/client';
import { applyAll, diffPipeline, promoteAll } from '../api/pipelines';
import { listRepos } from '../api/repos';
import type * as api from '../api/types';
import type { IDagProblem, IDagStep } from '../dag/graph';
import { dagGraph, dagSteps, problemsOf, repoId } from '../dag/graph';
import { withinFolder } from '../dag/placing';
import type { IStep } from '../dag/spec-text';
import { readSteps, withNewStep } from '../dag/spec-text';
import type { ILayout } from '../lineage/layout';
import { layout, placesOf } from '../lineage/layout';
import type { ILake } from '../tokens';
import type { IDagNotes, PipelineChange } from './dag';
import { loadAll } from './paging';
import { PromotionModel } from './promotion';
import { asLakeError } from './refreshing';
import { TrialModel } from './trial';

const DEBOUNCE_MS = 500;

/** What was done with the pipelines. */
export type Applied = readonly PipelineChange[];

/** An input of a step. */
export interface IRead {
  repo: string;
  /** Position of the step that writes it; -1 if none of them does. */
  from: number;
}

/** One promotion of several notebooks. */
export class PromotionsModel extends VDomModel {
  constructor(private readonly _options: PromotionsModel.IOptions) {
    super();
    this._planner = new Debouncer(() => this._askPlan(), DEBOUNCE_MS);
  }

  /** The steps, those that feed others first; empty until the server has read the notebooks. */
  get steps(): readonly PromotionModel[] {
    return this._steps;
  }

  /** Position of the step whose form is shown. */
  get chosen(): number {
    return this._chosen;
  }
  set chosen(index: number) {
    this._chosen = index;
    this._changed();
  }

  /** The steps as a graph. */
  get layout(): ILayout {
    return this._layout;
  }

  /** Id of the node of a step. */
  idOf(index: number): string {
    return this._nodes[index]?.id ?? '';
  }

  /** Position of the step behind a node, or that writes it; -1 if none does. */
  indexOf(id: string): number {
    return this._nodes.findIndex(node => node.id === id || repoId(node.name) === id);
  }

  /** What is wrong between the steps. */
  get problems(): readonly IDagProblem[] {
    return this._problems;
  }

  /** How much is wrong with a step, by itself and with the others. */
  countProblems(index: number): number {
    const step = this._steps[index];
    const own = step ? Object.keys(step.problems).length : 0;
    const hasError = step?.error || step?.yamlProblem ? 1 : 0;
    return own + hasError + this._problems.filter(one => one.index === index).length;
  }

  /** What a step reads. */
  readsOf(index: number): readonly IRead[] {
    const inputs = this._nodes[index]?.inputs ?? [];
    const repos = [...new Set(inputs.map(({ repo }) => repo))].filter(Boolean);
    return repos.map(repo => ({
      repo,
      from: this._nodes.findIndex(({ name }) => name === repo)
    }));
  }

  /** What publishing does with a step; undefined until that is known. */
  changeOf(index: number): PipelineChange | undefined {
    return this._plan?.find(({ pipeline }) => pipeline === this._nodes[index]?.name);
  }

  /** Return the step that is yet to write what another one reads; empty if there is none. */
  awaitedBy(index: number): string {
    const awaited = this.readsOf(index).find(
      ({ repo, from }) => from >= 0 && this._steps[from]?.exists === false && repo !== ''
    );
    return awaited?.repo ?? '';
  }

  /** Return what a step is tried with. */
  trialOf(index: number): TrialModel {
    const { lake, known } = this._options;
    const trial = this._trials.get(index) ?? new TrialModel({ lake, id: known?.trials[index] });
    this._trials.set(index, trial);
    return trial;
  }

  /** What the forms say, to go on with it another time. */
  get left(): PromotionsModel.IKnown {
    const drafts = this._steps.flatMap(({ draft, spec, exists }) =>
      draft ? [{ ...draft, spec, exists }] : []
    );
    const trials = drafts.map((_, index) => this._trials.get(index)?.id ?? undefined);
    return { drafts, trials, chosen: this._chosen };
  }

  /** Why there are no steps, or why they were not published; what is a step's own stands there. */
  get error(): LakeApiError | null {
    return this._error;
  }

  /** Whether the pipelines are being published. */
  get isPublishing(): boolean {
    return this._isPublishing;
  }

  /** Whether all that is typed is right. */
  get isRight(): boolean {
    return (
      this._steps.length > 0 &&
      this._problems.length === 0 &&
      this._steps.every(({ isComplete }) => isComplete)
    );
  }

  /** Whether there is something that can be published. */
  get isComplete(): boolean {
    return this.isRight && !this._isPublishing && this.count > 0;
  }

  /** How many pipelines are to be made or changed; 0 until that is known. */
  get count(): number {
    return (this._plan ?? []).filter(({ action }) => action !== 'unchanged').length;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._planner.dispose();
      this._steps.forEach(step => step.dispose());
      this._trials.forEach(trial => trial.dispose());
    }
    super.dispose();
  }

  /** Ask the server what the notebooks say. */
  async load(): Promise<void> {
    const { lake, notebooks, known } = this._options;
    try {
      const [drafts, repos] = await Promise.all([
        known?.drafts ??
          promoteAll(lake.client, { notebooks: [...notebooks] }).then(({ results }) => results),
        loadAll((after, limit) => listRepos(lake.client, { after, limit }))
      ]);
      if (this.isDisposed) {
        return;
      }
      this._repos = new Set(repos.map(({ name }) => name));
      const made = drafts.map(({ spec }) => String(spec.pipeline));
      this._chosen = known?.chosen ?? 0;
      this._steps = drafts.map(draft => {
        const notebook = [draft.folder, String(draft.spec.notebook)].filter(Boolean).join('/');
        const given = { draft, repos: [...new Set([...this._repos, ...made])].sort() };
        return new PromotionModel({ lake, notebook, known: given });
      });
      this._names = made;
    } catch (reason) {
      this._error = asLakeError(reason);
    }
    await Promise.all(this._steps.map(step => step.load()));
    this._steps.forEach(step => step.stateChanged.connect(this._follow, this));
    this._follow();
  }

  /** Call a step another name; those that read what it writes follow. */
  setName(index: number, name: string): void {
    const before = this._names[index] ?? '';
    this._steps[index]?.setField('name', name);
    if (name !== '' && name !== before) {
      this._names[index] = name;
      const isOfOthers = this._repos.has(before) && this._steps[index]?.draft?.exists !== true;
      if (!isOfOthers) {
        this._steps.filter((_, at) => at !== index).forEach(step => step.renameRepo(before, name));
      }
    }
  }

  /**
   * Publish all of them, or none.
   *
   * @returns what was done, or null if it failed; then the step or {@link error} says why.
   */
  async publish(): Promise<Applied | null> {
    if (!this.isComplete) {
      return null;
    }
    this._isPublishing = true;
    this._error = null;
    this._changed();
    try {
      return (await applyAll(this._options.lake.client, this._declaration())).results;
    } catch (reason) {
      this._refuse(asLakeError(reason));
      return null;
    } finally {
      this._isPublishing = false;
      this._changed();
    }
  }

  /**
   * Return the steps as a file of specs, and the folder that it belongs into.
   *
   * A notebook that cannot be named from there throws.
   */
  file(): { folder: string; text: string } {
    const folder = commonFolder(this._steps.map(({ draft }) => draft?.folder ?? ''));
    let text = '';
    for (const { draft, spec } of this._steps) {
      if (draft) {
        text = withNewStep(text, withinFolder({ ...draft, spec }, folder), draft.notes);
      }
    }
    return { folder, text };
  }

  private _declaration(): Parameters<typeof applyAll>[1] {
    const specs = this._steps.map(({ spec, draft }) => ({ spec, folder: draft?.folder ?? '' }));
    return { specs, prune: false };
  }

  /** Show an error at the step that it is about. */
  private _refuse(error: LakeApiError): void {
    const at = this._nodes.findIndex(({ name }) => name !== '' && name === error.details.pipeline);
    const step = this._steps[at];
    if (step) {
      this._chosen = at;
      step.refuse(error);
    } else {
      this._error = error;
    }
  }

  /** Make everything follow the forms. */
  private _follow(): void {
    if (this.isDisposed) {
      return;
    }
    const text = this._steps.reduce((before, { spec }) => withNewStep(before, spec), '');
    if (text !== this._text) {
      this._text = text;
      this._plan = null;
      this._error = null;
      this._texts = readSteps(text, this._texts);
      this._nodes = dagSteps(this._texts);
      this._problems = problemsOf(this._nodes, this._repos);
      const graph = dagGraph(this._nodes, [], this._problems, this._facts());
      this._layout = layout(graph, this._drawn);
      this._drawn = placesOf(this._layout);
    }
    if (this._asked !== text && this.isRight) {
      this._planner.invoke().catch(() => undefined); // rejected when the dialog closes first
    }
    this._changed();
  }

  /** Return what stands below the names of repos. */
  private _facts(): ReadonlyMap<string, string> {
    const made = new Set(this._nodes.map(({ name }) => name));
    const read = this._nodes.flatMap(({ inputs }) => inputs.map(({ repo }) => repo));
    return new Map(
      [...made, ...read].map(repo => [
        repoId(repo),
        this._options.notes.repo(this._repos.has(repo), made.has(repo))
      ])
    );
  }

  private async _askPlan(): Promise<void> {
    const text = this._text;
    if (!this.isRight || this._isPublishing) {
      return;
    }
    this._asked = text;
    let plan: readonly PipelineChange[] | null = null;
    let error: LakeApiError | null = null;
    try {
      plan = (await diffPipeline(this._options.lake.client, this._declaration())).results;
    } catch (reason) {
      error = asLakeError(reason);
    }
    if (text === this._text && !this.isDisposed) {
      this._plan = plan;
      if (error) {
        this._refuse(error);
      }
      this._changed();
    }
  }

  private _changed(): void {
    if (!this.isDisposed) {
      this.stateChanged.emit();
    }
  }

  private readonly _planner: Debouncer;
  private _steps: readonly PromotionModel[] = [];
  private _names: string[] = [];
  /** By position of the step. */
  private readonly _trials = new Map<number, TrialModel>();
  private _repos: ReadonlySet<string> = new Set();
  private _chosen = 0;
  private _text = '';
  /** The text that the plan was asked for last. */
  private _asked = '';
  private _texts: readonly IStep[] = [];
  private _nodes: readonly IDagStep[] = [];
  private _problems: readonly IDagProblem[] = [];
  private _layout: ILayout = layout({ nodes: [], edges: [] });
  private _drawn: ReadonlyMap<string, number> | undefined;
  private _plan: readonly PipelineChange[] | null = null;
  private _error: LakeApiError | null = null;
  private _isPublishing = false;
}

/** Return the folder that all of some folders are in. */
export function commonFolder(folders: readonly string[]): string {
  const [first, ...others] = folders.map(folder => folder.split('/').filter(Boolean));
  const differs = (first ?? []).findIndex((name, at) => others.some(one => one[at] !== name));
  return (first ?? []).slice(0, differs < 0 ? undefined : differs).join('/');
}

/** What a {@link PromotionsModel} is made of. */
export namespace PromotionsModel {
  export interface IOptions {
    lake: ILake;
    /** Paths of the notebooks below the server's root. */
    notebooks: readonly string[];
    notes: Pick<IDagNotes, 'repo'>;
    /** What was left of it before. */
    known?: IKnown;
  }

  /** What forms said that were left. */
  export interface IKnown {
    drafts: readonly api.Draft[];
    /** Ids of the trials of the steps. */
    trials: readonly (string | undefined)[];
    /** Position of the step whose form was shown. */
    chosen: number;
  }
}
