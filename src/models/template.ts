/**
 * A pipeline of a template: its arguments as a form, the spec that they make, and publishing.
 */
import { VDomModel } from '@jupyterlab/ui-components';
import { Debouncer } from '@lumino/polling';

import type { LakeApiError } from '../api/client';
import { getTemplateSchema, previewPipeline, renderPipeline } from '../api/pipelines';
import type * as api from '../api/types';
import { toYaml } from '../specs';
import type { ArgumentProblem, IArgument, TypedArguments } from '../template-form';
import { argumentProblems, argumentsOf, typedArguments, valuesOf } from '../template-form';
import type { ILake } from '../tokens';
import type { IPromoted } from './publishing';
import { pipelineExists, publishSpec } from './publishing';
import { asLakeError } from './refreshing';

const DEBOUNCE_MS = 300;
const PREVIEWED = 50;

/** One template that is being filled in. */
export class TemplateModel extends VDomModel {
  constructor(private readonly _options: TemplateModel.IOptions) {
    super();
    this._renderer = new Debouncer(() => this._render(), DEBOUNCE_MS);
  }

  /** The template's name, for people. */
  get name(): string {
    return String(this._options.document.template ?? '');
  }

  /** What the template says of itself. */
  get description(): string {
    const { description } = this._options.document;
    return typeof description === 'string' ? description : '';
  }

  /** Its arguments; null until known. */
  get arguments(): readonly IArgument[] | null {
    return this._arguments;
  }

  /** What is typed. */
  get fields(): TypedArguments {
    return this._fields;
  }

  /** What is wrong with what is typed, by argument. */
  get problems(): Readonly<Record<string, ArgumentProblem>> {
    return argumentProblems(this._arguments ?? [], this._fields);
  }

  /** Why there is no spec, or why it was not published. */
  get error(): LakeApiError | null {
    return this._error;
  }

  /** The argument that the error is about; empty if it is about none. */
  get errorArgument(): string {
    const argument = this._error?.details.argument;
    return typeof argument === 'string' ? argument : '';
  }

  /** The spec that the arguments make, as YAML; empty until there is one. */
  get yaml(): string {
    return this._spec === null ? '' : toYaml(this._spec);
  }

  /** What can be tried; null until there is a spec, and nothing is wrong. */
  get source(): { spec: api.Spec; folder: string } | null {
    const { folder } = this._options;
    return this._spec && this.isComplete ? { spec: this._spec, folder } : null;
  }

  /** Whether the spec is of what was typed before. */
  get isRendering(): boolean {
    return this._isRendering;
  }

  /** The datums that the spec makes; null until known. */
  get preview(): api.Preview | null {
    return this._preview;
  }

  /** Why the datums are not known. */
  get previewError(): LakeApiError | null {
    return this._previewError;
  }

  /** Whether a pipeline of the spec's name is there and would be updated. */
  get exists(): boolean {
    return this._exists;
  }

  /** Whether the pipeline is being published. */
  get isPublishing(): boolean {
    return this._isPublishing;
  }

  /** Whether the form can be sent. */
  get isComplete(): boolean {
    return this._spec !== null && !this._isRendering && !this._isPublishing && !this._error;
  }

  override dispose(): void {
    this._renderer.dispose();
    super.dispose();
  }

  /** Ask what the arguments are. */
  async load(): Promise<void> {
    const { lake, document: template } = this._options;
    try {
      const { schema } = await getTemplateSchema(lake.client, { template });
      this._arguments = argumentsOf(schema);
      this._fields = { ...typedArguments(this._arguments), ...this._options.fields };
    } catch (reason) {
      this._error = asLakeError(reason);
    }
    this._changed();
    if (this._arguments) {
      await this._render();
    }
  }

  /** Change a value. */
  setField(argument: string, value: string | boolean): void {
    this._fields = { ...this._fields, [argument]: value };
    this._error = null;
    this._isRendering = true;
    this._changed();
    this._renderer.invoke().catch(() => undefined); // rejected when the dialog closes first
  }

  /** Publish the pipeline; return what it led to, or null if it failed. */
  async publish(): Promise<IPromoted | null> {
    const { lake, folder } = this._options;
    if (!this._spec || !this.isComplete) {
      return null;
    }
    this._isPublishing = true;
    this._changed();
    try {
      return await publishSpec(lake.client, { spec: this._spec, folder }, this._exists);
    } catch (reason) {
      this._error = asLakeError(reason);
      return null;
    } finally {
      this._isPublishing = false;
      this._changed();
    }
  }

  private async _render(): Promise<void> {
    const { client } = this._options.lake;
    const fields = this._fields;
    let spec: api.Spec | null = null;
    let exists = false;
    let error: LakeApiError | null = null;
    if (Object.keys(this.problems).length === 0) {
      const body = {
        template: this._options.document,
        arguments: valuesOf(this._arguments ?? [], fields)
      };
      try {
        spec = (await renderPipeline(client, body)).spec;
        exists = await pipelineExists(client, String(spec.pipeline));
      } catch (reason) {
        error = asLakeError(reason);
      }
    }
    if (fields !== this._fields) {
      return; // something was typed in the meantime, and is asked for
    }
    this._spec = spec;
    this._exists = exists;
    this._error = error;
    this._isRendering = false;
    this._changed();
    await this._askPreview(spec);
  }

  private async _askPreview(spec: api.Spec | null): Promise<void> {
    let preview: api.Preview | null = null;
    let error: LakeApiError | null = null;
    if (spec?.input !== undefined) {
      try {
        const body = { spec, limit: PREVIEWED };
        preview = await previewPipeline(this._options.lake.client, body);
      } catch (reason) {
        error = asLakeError(reason);
      }
    }
    if (spec === this._spec) {
      this._preview = preview;
      this._previewError = error;
      this._changed();
    }
  }

  private _changed(): void {
    if (!this.isDisposed) {
      this.stateChanged.emit();
    }
  }

  private readonly _renderer: Debouncer;
  private _arguments: readonly IArgument[] | null = null;
  private _fields: TypedArguments = {};
  private _spec: api.Spec | null = null;
  private _exists = false;
  private _error: LakeApiError | null = null;
  private _isRendering = true;
  private _isPublishing = false;
  private _preview: api.Preview | null = null;
  private _previewError: LakeApiError | null = null;
}

/** What a {@link TemplateModel} is made of. */
export namespace TemplateModel {
  export interface IOptions {
    lake: ILake;
    /** The template, as it was read from its file. */
    document: Record<string, unknown>;
    /** What was typed before. */
    fields?: TypedArguments;
    /** Folder below the server's root that holds the notebook and helper files. */
    folder: string;
  }
}
