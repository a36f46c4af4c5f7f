/**
 * A text of specs as a graph that is edited: the text alone is the truth, and all else follows it.
 */
import type { ISignal } from '@lumino/signaling';

import type { LakeApiError } from '../api/client';
import { applyAll, diffPipeline, listPipelines, promoteAll } from '../api/pipelines';
import { listRepos } from '../api/repos';
import type * as api from '../api/types';
import type { IDagProblem, IDagStep } from '../dag/graph';
import { dagGraph, dagSteps, mayRead, problemsOf, repoId } from '../dag/graph';
import { addInput, removeInputs, renameRepo } from '../dag/inputs';
import { withinFolder } from '../dag/placing';
import type { IStep } from '../dag/spec-text';
import {
  isEqual,
  readSteps,
  withNewStep,
  withoutStep,
  withSpec,
  withStepText
} from '../dag/spec-text';
import type { ILayout } from '../lineage/layout';
import { layout, placesOf } from '../lineage/layout';
import type { IRepoInput } from '../specs';
import type { ILake } from '../tokens';
import { loadAll } from './paging';
import type { IPromotionForm } from './promotion-form';
import { RefreshingModel } from './refreshing';
import { SpecChecker } from './spec-checker';
import type { IStepForm, ITyped } from './step-form';
import { specOfStep, stepForm } from './step-form';

/** What holds the text. */
export interface ISpecFile {
  /** Path below the server's root. */
  readonly path: string;
  text: string;
  readonly textChanged: ISignal<unknown, unknown>;
  /** Let what is changed from here on be undone by itself, however soon it follows. */
  beginAct(): void;
  undo(): void;
  redo(): void;
  canUndo(): boolean;
  canRedo(): boolean;
  save(): Promise<void>;
}

/** What is to be done with one pipeline. */
export type PipelineChange = api.PipelineChangePage['results'][number];

/** An edge: a repo, and the step that reads it. */
export interface IDagEdge {
  source: string;
  target: string;
}

/** What stands below the names of nodes, in a few letters. */
export interface IDagNotes {
  datums: (count: number, hasMore: boolean) => string;
  repo: (isThere: boolean, isMade: boolean) => string;
}

/** The graph of a text of specs. */
export class DagModel extends RefreshingModel {
  constructor(options: DagModel.IOptions) {
    super(options.lake);
    this.file = options.file;
    this._notes = options.notes;
    this._checker = new SpecChecker(options.lake.client, () => this._follow());
    this.file.textChanged.connect(this._follow, this);
    this._follow();
  }

  /** Where the text is. */
  readonly file: ISpecFile;

  /** The steps in the order of the text. */
  get steps(): readonly IDagStep[] {
    return this._steps;
  }

  /** What is wrong. */
  get problems(): readonly IDagProblem[] {
    return this._problems;
  }

  /** The graph with its places. */
  get layout(): ILayout {
    return this._layout;
  }

  /** Names of the repos of the lake, and of those that the steps will write. */
  get repos(): readonly string[] {
    const made = this._steps.map(({ name }) => name).filter(Boolean);
    return [...new Set([...(this._repos ?? []), ...made])].sort();
  }

  /** Id of the node that is looked at. */
  get chosen(): string | null {
    return this._chosen;
  }
  set chosen(id: string | null) {
    this._chosen = id;
    this._edge = null;
    this._index = this._steps.findIndex(step => step.id === id);
    this._changed();
  }

  /** The edge that is looked at. */
  get edge(): IDagEdge | null {
    return this._edge;
  }
  set edge(edge: IDagEdge | null) {
    this._edge = edge;
    this._chosen = null;
    this._changed();
  }

  /** The step that is looked at. */
  get step(): IDagStep | undefined {
    return this._steps.find(({ id }) => id === (this._edge?.target ?? this._chosen));
  }

  /** Return the form of a step; null if its text cannot be read. */
  formOf(step: IDagStep): IStepForm | null {
    const { spec } = step.step;
    return spec && stepForm(step.index, spec, this._parametersOf(step), this._typed);
  }

  /** What the inputs of a step make, as far as it is known. */
  previewOf(step: IDagStep): { preview: api.Preview | null; error: LakeApiError | null } {
    const known = step.step.spec && this._checker.get(step.step.spec);
    const error = known?.error ?? null;
    // What another step is yet to write cannot be there.
    const isAwaited = error?.status === 404 && step.inputs.some(({ repo }) => this.writerOf(repo));
    return { preview: known?.preview ?? null, error: isAwaited ? null : error };
  }

  /** Return the step that writes a repo. */
  writerOf(repo: string): IDagStep | undefined {
    return this._steps.find(({ name }) => name === repo);
  }

  /** Return the name of the repo that stands behind a node, if others can read it. */
  repoOf(id: string): string | null {
    if (id.startsWith('repo:')) {
      return id.slice('repo:'.length);
    }
    return this._steps.find(step => step.id === id)?.name || null;
  }

  /** Return the ids of the steps that may read what stands behind a node. */
  targetsOf(id: string): ReadonlySet<string> {
    const repo = this.repoOf(id);
    return repo === null ? new Set() : mayRead(this._steps, repo);
  }

  override dispose(): void {
    this._checker.dispose();
    this.file.textChanged.disconnect(this._follow, this);
    super.dispose();
  }

  // --- changing ---------------------------------------------------------------------------------

  /**
   * Add notebooks; what they read and write ties them.
   *
   * @returns what a person should look at; a failure is thrown.
   */
  async addNotebooks(notebooks: readonly string[]): Promise<readonly string[]> {
    const { results } = await promoteAll(this.lake.client, { notebooks: [...notebooks] });
    const folder = this.file.path.split('/').slice(0, -1).join('/');
    const taken = new Set(this._steps.map(({ name }) => name));
    const placed = results.map(draft => ({ draft, spec: withinFolder(draft, folder) }));
    this.file.beginAct();
    let { text } = this.file;
    for (const { draft, spec } of placed) {
      const name = unusedName(String(spec.pipeline), taken);
      taken.add(name);
      this._parameters.set(name, draft.parameters);
      text = withNewStep(text, { ...spec, pipeline: name }, draft.notes);
    }
    this.file.text = text;
    this.chosen = this._steps[this._steps.length - 1]?.id ?? null;
    return placed.flatMap(({ draft }) => draft.notes);
  }

  /** Put a repo on the canvas; it is written down when a step reads it. */
  addRepo(repo: string): void {
    this._loose.add(repo);
    this._follow();
    this.chosen = repoId(repo);
  }

  /** Add a step that runs a command. */
  addCommand(): void {
    this.file.beginAct();
    const taken = new Set(this._steps.map(({ name }) => name));
    const pipeline = unusedName('step', taken);
    const command = ['sh', '-c', 'find pfs -type f > pfs/out/files.txt'];
    this.file.text = withNewStep(this.file.text, { pipeline, command });
    this.chosen = this._steps[this._steps.length - 1]?.id ?? null;
  }

  /** Let a step read a repo. */
  connect(target: string, input: IRepoInput): void {
    this.file.beginAct();
    const step = this._steps.find(({ id }) => id === target);
    if (step?.step.spec && mayRead(this._steps, input.repo).has(target)) {
      this.setSpec(step, addInput(step.step.spec, input));
      this.edge = { source: repoId(input.repo), target };
    }
  }

  /** Write a step anew; what has not changed in it stays as it is written. */
  setSpec(step: IDagStep, spec: api.Spec): void {
    this.file.text = withSpec(this.file.text, this._now(step), spec);
  }

  /** Change what is typed in the form of a step; the text follows as far as it is right. */
  setForm(step: IDagStep, change: Partial<IPromotionForm>): void {
    const { spec } = step.step;
    const before = this.formOf(step);
    if (spec && before) {
      const form = { ...before.form, ...change };
      const says = specOfStep(form, spec, this._parametersOf(step));
      this._typed = { index: step.index, form, says };
      if (isEqual(says, spec)) {
        this._changed();
      } else {
        this.setSpec(step, says);
      }
    }
  }

  /** Write the text of a step. */
  setStepText(step: IDagStep, text: string): void {
    this.file.text = withStepText(this.file.text, this._now(step), text);
  }

  /** Call a step, and what others read of it, another name. */
  rename(step: IDagStep, name: string): void {
    this.file.beginAct();
    let { text } = this.file;
    const isOnly = this._steps.filter(other => other.name === step.name).length === 1;
    for (const { index } of this._steps) {
      const at = readSteps(text)[index] as IStep;
      if (index === step.index) {
        text = withSpec(text, at, { ...at.spec, pipeline: name });
      } else if (isOnly && step.name && at.spec) {
        const renamed = renameRepo(at.spec, step.name, name);
        text = isEqual(renamed, at.spec) ? text : withSpec(text, at, renamed);
      }
    }
    const known = this._parameters.get(step.name);
    if (known) {
      this._parameters.set(name, known);
    }
    this.file.text = text;
  }

  /** Remove a step, or a repo from all that reads it. */
  remove(id: string): void {
    this.file.beginAct();
    const step = this._steps.find(one => one.id === id);
    if (step) {
      this.file.text = withoutStep(this.file.text, step.step);
    } else if (id.startsWith('repo:')) {
      const repo = id.slice('repo:'.length);
      this._loose.delete(repo);
      let { text } = this.file;
      for (const { index, inputs } of this._steps) {
        const paths = inputs.filter(input => input.repo === repo).map(({ path }) => path);
        const at = readSteps(text)[index];
        if (paths.length > 0 && at?.spec) {
          text = withSpec(text, at, removeInputs(at.spec, paths));
        }
      }
      this.file.text = text;
      this._follow();
    }
    this.chosen = null;
  }

  /** Let a step no longer read a repo, which stays on the canvas. */
  disconnect({ source, target }: IDagEdge): void {
    this.file.beginAct();
    const step = this._steps.find(({ id }) => id === target);
    const repo = this.repoOf(source);
    if (step?.step.spec && repo !== null) {
      this._loose.add(repo);
      const paths = step.inputs.filter(input => input.repo === repo).map(({ path }) => path);
      this.setSpec(step, removeInputs(step.step.spec, paths));
    }
    this.chosen = target;
  }

  /** Lay the graph out anew. */
  tidy(): void {
    this._drawn = undefined;
    this._follow();
  }

  // --- publishing -------------------------------------------------------------------------------

  /** Save the text, and return what {@link apply} would do. */
  async plan(): Promise<readonly PipelineChange[]> {
    await this.file.save();
    return (await diffPipeline(this.lake.client, { folder: this.file.path, prune: false })).results;
  }

  /** Make the pipelines of the lake what the saved text says. */
  async apply(): Promise<readonly PipelineChange[]> {
    return (await applyAll(this.lake.client, { folder: this.file.path, prune: false })).results;
  }

  protected async load(): Promise<void> {
    const { client } = this.lake;
    const [repos, pipelines] = await Promise.all([
      loadAll((after, limit) => listRepos(client, { after, limit })),
      loadAll((after, limit) => listPipelines(client, { after, limit }))
    ]);
    this._repos = new Set([...repos.map(({ name }) => name), ...pipelines.map(({ name }) => name)]);
    this._checker.forget();
    this._follow();
  }

  protected concerns(event: api.Event): boolean {
    return (
      event.kind.startsWith('repo.') ||
      event.kind.startsWith('pipeline.') ||
      event.kind === 'ref.moved'
    );
  }

  /** Return the parameters that a notebook had when it was added. */
  private _parametersOf(step: IDagStep): readonly api.Parameter[] {
    return this._parameters.get(step.name) ?? [];
  }

  /** Return a step as the text has it now. */
  private _now(step: IDagStep): IStep {
    return this._steps[step.index]?.step ?? step.step;
  }

  /** Make everything follow the text. */
  private _follow(): void {
    if (this.isDisposed) {
      return;
    }
    this._texts = readSteps(this.file.text, this._texts);
    this._steps = dagSteps(this._texts);
    const ids = new Set(this._steps.map(({ id }) => id));
    if (this._chosen !== null && !this._chosen.startsWith('repo:') && !ids.has(this._chosen)) {
      this._chosen = this._steps[this._index]?.id ?? null; // it has another name now
    }
    const local = problemsOf(this._steps, this._repos);
    this._problems = [...local, ...this._serverProblems(local)];
    const facts = new Map<string, string>();
    for (const step of this._steps) {
      const { preview } = this.previewOf(step);
      if (preview && preview.datums.length > 0) {
        facts.set(step.id, this._notes.datums(preview.datums.length, preview.has_more));
      }
    }
    for (const repo of new Set([...this.repos, ...this._steps.flatMap(reposOf), ...this._loose])) {
      const isThere = this._repos?.has(repo) ?? true;
      facts.set(repoId(repo), this._notes.repo(isThere, this.writerOf(repo) !== undefined));
    }
    const graph = dagGraph(this._steps, [...this._loose], this._problems, facts);
    this._layout = layout(graph, this._drawn);
    this._drawn = placesOf(this._layout);
    if (this._edge && !graph.edges.some(edge => isSame(edge, this._edge))) {
      this._edge = null;
    }
    this._changed();
  }

  /** Return what the server says of the steps that look right from here, and ask for the rest. */
  private _serverProblems(local: readonly IDagProblem[]): IDagProblem[] {
    const wrong = new Set(local.map(({ index }) => index));
    const asked = this._steps.filter(
      ({ index, step }) => !wrong.has(index) && step.spec !== null && isAskable(step.spec)
    );
    this._checker.ask(asked.map(({ step }) => step.spec as api.Spec));
    return asked.flatMap(step => {
      const { error } = this.previewOf(step);
      if (!error || error.status < 400 || error.status >= 500) {
        return [];
      }
      const { place } = error.details;
      return [
        {
          kind: 'server' as const,
          index: step.index,
          value: error.message,
          place: typeof place === 'string' ? place : undefined
        }
      ];
    });
  }

  private _changed(): void {
    if (!this.isDisposed) {
      this.stateChanged.emit();
    }
  }

  private readonly _notes: IDagNotes;
  private readonly _checker: SpecChecker;
  private readonly _loose = new Set<string>();
  private readonly _parameters = new Map<string, readonly api.Parameter[]>();
  private _texts: readonly IStep[] = [];
  private _steps: readonly IDagStep[] = [];
  private _problems: readonly IDagProblem[] = [];
  private _repos: ReadonlySet<string> | null = null;
  private _layout: ILayout = layout({ nodes: [], edges: [] });
  private _drawn: ReadonlyMap<string, number> | undefined;
  private _chosen: string | null = null;
  private _index = -1;
  private _typed: ITyped | null = null;
  private _edge: IDagEdge | null = null;
}

/** What a {@link DagModel} is made of. */
export namespace DagModel {
  export interface IOptions {
    lake: ILake;
    file: ISpecFile;
    notes: IDagNotes;
  }
}

/** Return whether the server can read a spec without the files beside it. */
function isAskable(spec: api.Spec): boolean {
  const { query_file: file } = (spec.ingest ?? {}) as { query_file?: unknown };
  return typeof spec.pipeline === 'string' && file === undefined;
}

function reposOf({ inputs }: IDagStep): string[] {
  return inputs.map(({ repo }) => repo);
}

function isSame(one: IDagEdge, other: IDagEdge | null): boolean {
  return one.source === other?.source && one.target === other.target;
}

function unusedName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) {
    free = `${name}-${count}`;
  }
  return free;
}
