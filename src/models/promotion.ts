/**
 * Promoting a notebook: what the server reads from it, the form, the datums, and publishing.
 */
import { VDomModel } from '@jupyterlab/ui-components';
import { Debouncer } from '@lumino/polling';

import type { LakeApiError } from '../api/client';
import { previewPipeline, promotePipeline } from '../api/pipelines';
import { listRepos } from '../api/repos';
import type * as api from '../api/types';
import type { IScheduleForm } from '../schedule-form';
import { changeSchedule, scheduleIn, scheduleProblem } from '../schedule-form';
import type { IRepoInput } from '../specs';
import { inputOf, isPlainInput, toYaml } from '../specs';
import type { ILake } from '../tokens';
import { readYaml } from '../yaml';
import type { IPromotionFields, IPromotionForm, Problems } from './promotion-form';
import {
  changedInput,
  formOf,
  placeInForm,
  plainParameters,
  problemsOf,
  specOf
} from './promotion-form';
import type { IPromoted } from './publishing';
import { pipelineExists, publishSpec } from './publishing';
import { asLakeError } from './refreshing';
import { ScheduleTicks } from './schedule-ticks';

const DEBOUNCE_MS = 350;
const PREVIEWED = 50;
const MAX_REPOS = 1000;

/** One promotion, from the notebook to the pipeline. */
export class PromotionModel extends VDomModel {
  constructor(options: PromotionModel.IOptions) {
    super();
    this._lake = options.lake;
    this._known = options.known;
    this.notebook = options.notebook;
    this._previewer = new Debouncer(() => this._askPreview(), DEBOUNCE_MS);
    this._prober = new Debouncer(() => this._askExists(), DEBOUNCE_MS);
    this.ticks = new ScheduleTicks(options.lake);
    this.ticks.stateChanged.connect(this._changed, this);
  }

  /** Path of the notebook below the server's root. */
  readonly notebook: string;

  /** When the schedule in the form ticks next. */
  readonly ticks: ScheduleTicks;

  /** What the server read from the notebook; null until then. */
  get draft(): api.Draft | null {
    return this._draft;
  }

  /** The form as it is typed. */
  get form(): IPromotionForm {
    return this._form;
  }

  /** The parameters that have a field. */
  get parameters(): readonly api.Parameter[] {
    return plainParameters(this._form, this._draft);
  }

  /** What is wrong with the form, by place. */
  get problems(): Problems {
    return problemsOf(this._form, this._draft);
  }

  /** The spec that is published: what was typed last, in the form or as YAML. */
  get spec(): api.Spec {
    const isTyped = this._typed !== null && this._yamlProblem === null;
    return isTyped ? (this._draft?.spec ?? {}) : specOf(this._form, this._draft);
  }

  /** The spec as a file would hold it; as it is typed, where that is what was typed last. */
  get yaml(): string {
    return this._typed ?? toYaml(specOf(this._form, this._draft));
  }

  /** What is wrong with the YAML as it is typed; the form stays as it was until that is mended. */
  get yamlProblem(): { problem: string; line: number | null } | null {
    return this._yamlProblem;
  }

  /** Whether there are inputs that the form has no fields for. */
  get hasOwnInputs(): boolean {
    return !isPlainInput(this._draft?.spec ?? {});
  }

  /** Names of the repos that can be inputs. */
  get repos(): readonly string[] {
    return this._repos;
  }

  /** Whether a pipeline of this name is there and would be updated. */
  get exists(): boolean {
    return this._exists;
  }

  /** Why there is no draft, or why it was not published. */
  get error(): LakeApiError | null {
    return this._error;
  }

  /** The place in the form that the error is about; empty if it is about none. */
  get errorPlace(): string {
    const place = this._error?.details.place;
    return typeof place === 'string' ? placeInForm(place) : '';
  }

  /** The datums that the inputs make; null until known. */
  get preview(): api.Preview | null {
    return this._preview;
  }

  /** Why the datums are not known. */
  get previewError(): LakeApiError | null {
    return this._previewError;
  }

  /** Whether the datums are being asked for. */
  get isPreviewing(): boolean {
    return this._isPreviewing;
  }

  /** Whether the pipeline is being published. */
  get isPublishing(): boolean {
    return this._isPublishing;
  }

  /** Whether the form can be sent. */
  get isComplete(): boolean {
    return (
      this._draft !== null &&
      !this._isPublishing &&
      this._yamlProblem === null &&
      this.ticks.error === null &&
      Object.keys(this.problems).length === 0
    );
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._previewer.dispose();
      this._prober.dispose();
      this.ticks.dispose();
    }
    super.dispose();
  }

  /** Ask the server what the notebook says, unless that is known. */
  async load(): Promise<void> {
    try {
      const { draft, repos } = this._known ?? (await this._ask());
      this._draft = draft;
      this._repos = repos;
      this._exists = draft.exists;
      this._setForm(formOf(this._draft));
    } catch (reason) {
      this._error = asLakeError(reason);
    }
    this._changed();
    if (this._draft) {
      await this._askPreview();
    }
  }

  /** Change a text field. */
  setField(field: keyof IPromotionFields, value: string): void {
    this._edit({ fields: { ...this._form.fields, [field]: value } });
    if (field === 'name') {
      this._later(this._prober);
    }
  }

  /** Change a parameter's value. */
  setValue(parameter: string, value: string | boolean): void {
    this._edit({ values: { ...this._form.values, [parameter]: value } });
  }

  /** Change when it runs. */
  setSchedule(change: Partial<IScheduleForm>): void {
    this._edit({ schedule: changeSchedule(this._form.schedule, change) });
  }

  /** Take over a spec that is typed as YAML: the form shows what it says. */
  setYaml(yaml: string): void {
    if (!this._draft) {
      return;
    }
    const read = readYaml(yaml);
    this._typed = yaml;
    this._error = null;
    if ('value' in read) {
      this._yamlProblem = null;
      this._draft = { ...this._draft, spec: read.value };
      this._setForm(formOf(this._draft));
      this._later(this._previewer);
      this._later(this._prober);
    } else {
      this._yamlProblem = read;
    }
    this._changed();
  }

  /** Change an input; its variable follows its repo until somebody names it. */
  setInput(index: number, change: Partial<IRepoInput>): void {
    const inputs = this._form.inputs.map((input, position) =>
      position === index ? changedInput(input, change) : input
    );
    this._edit({ inputs });
    this._later(this._previewer);
  }

  /** Read a repo by another name, where it is read. */
  renameRepo(before: string, repo: string): void {
    this._form.inputs.forEach((input, index) => {
      if (input.repo === before) {
        this.setInput(index, { repo, name: input.name });
      }
    });
    if (!this._repos.includes(repo)) {
      this._repos = [...this._repos.filter(one => one !== before), repo].sort();
    }
  }

  /** Show why the server refuses the spec. */
  refuse(error: LakeApiError): void {
    this._error = error;
    this._changed();
  }

  /** Add an input. */
  addInput(): void {
    const input: IRepoInput = { name: '', repo: '', branch: 'main', glob: '/' };
    this._edit({ inputs: [...this._form.inputs, input] });
    this._later(this._previewer);
  }

  /** Remove an input. */
  removeInput(index: number): void {
    this._edit({ inputs: this._form.inputs.filter((_, position) => position !== index) });
    this._later(this._previewer);
  }

  /**
   * Publish the pipeline, and run it if that alone does not.
   *
   * @returns what it led to, or null if it failed; then {@link error} says why.
   */
  async publish(): Promise<IPromoted | null> {
    if (!this._draft || !this.isComplete) {
      return null;
    }
    this._isPublishing = true;
    this._error = null;
    this._changed();
    try {
      const body = { spec: this.spec, folder: this._draft.folder };
      return await publishSpec(this._lake.client, body, this._exists);
    } catch (reason) {
      this._error = asLakeError(reason);
      this._exists = this._exists || this._error.kind === 'pipeline-exists';
      return null;
    } finally {
      this._isPublishing = false;
      this._changed();
    }
  }

  private async _ask(): Promise<PromotionModel.IKnown> {
    const { client } = this._lake;
    const [draft, repos] = await Promise.all([
      promotePipeline(client, { notebook: this.notebook }),
      listRepos(client, { limit: MAX_REPOS })
    ]);
    return { draft, repos: repos.results.map(repo => repo.name) };
  }

  private _edit(change: Partial<IPromotionForm>): void {
    this._setForm({ ...this._form, ...change });
    this._typed = null;
    this._yamlProblem = null;
    this._error = null;
    this._changed();
  }

  private _setForm(form: IPromotionForm): void {
    this._form = form;
    const isWhole = scheduleProblem(form.schedule) === null;
    this.ticks.follow((isWhole && scheduleIn(form.schedule)) || null);
  }

  private _later(debouncer: Debouncer): void {
    debouncer.invoke().catch(() => undefined); // rejected when the dialog closes first
  }

  private async _askPreview(): Promise<void> {
    const { inputs } = this._form;
    const isAskable =
      inputs.length > 0 && !Object.keys(this.problems).some(place => place.startsWith('input'));
    this._isPreviewing = isAskable;
    this._previewError = null;
    if (!isAskable) {
      this._preview = null;
      this._changed();
      return;
    }
    this._changed();
    // The inputs are all it takes; what is still being typed elsewhere must not be in the way.
    const spec = { pipeline: 'preview-of-inputs', input: inputOf(inputs), notebook: this.notebook };
    let preview: api.Preview | null = null;
    let error: LakeApiError | null = null;
    try {
      preview = await previewPipeline(this._lake.client, { spec, limit: PREVIEWED });
    } catch (reason) {
      error = asLakeError(reason);
    }
    if (inputs === this._form.inputs) {
      this._preview = preview;
      this._previewError = error;
      this._isPreviewing = false;
      this._changed();
    }
  }

  private async _askExists(): Promise<void> {
    const { name } = this._form.fields;
    const exists =
      this.problems.pipeline === undefined && (await pipelineExists(this._lake.client, name));
    if (name === this._form.fields.name) {
      this._exists = exists;
      this._changed();
    }
  }

  private _changed(): void {
    if (!this.isDisposed) {
      this.stateChanged.emit();
    }
  }

  private readonly _lake: ILake;
  private readonly _known: PromotionModel.IKnown | undefined;
  private readonly _previewer: Debouncer;
  private readonly _prober: Debouncer;
  private _draft: api.Draft | null = null;
  private _form = formOf(null);
  private _typed: string | null = null;
  private _yamlProblem: { problem: string; line: number | null } | null = null;
  private _repos: readonly string[] = [];
  private _exists = false;
  private _error: LakeApiError | null = null;
  private _preview: api.Preview | null = null;
  private _previewError: LakeApiError | null = null;
  private _isPreviewing = false;
  private _isPublishing = false;
}

/** What a {@link PromotionModel} is made of. */
export namespace PromotionModel {
  export interface IOptions {
    lake: ILake;
    /** Path of the notebook below the server's root. */
    notebook: string;
    /** What the server says of it; asked for when left out. */
    known?: IKnown;
  }

  /** What the server says. */
  export interface IKnown {
    draft: api.Draft;
    /** Names of the repos that can be inputs. */
    repos: readonly string[];
  }
}
