/**
 * Operations on pipelines.
 */
import type { Body, IClient, Query } from './client';
import type * as api from './types';

/** Return a page of pipelines by name. */
export function listPipelines(
  client: IClient,
  query: Query<'listPipelines'> = {}
): Promise<api.PipelinePage> {
  return client.request({ path: ['pipelines'], query });
}

/** Publish a new pipeline; it runs at once where its inputs hold data. */
export function createPipeline(
  client: IClient,
  body: Body<'createPipeline'>
): Promise<api.Pipeline> {
  return client.request({ method: 'POST', path: ['pipelines'], body });
}

/** Return one pipeline. */
export function getPipeline(client: IClient, pipeline: string): Promise<api.Pipeline> {
  return client.request({ path: ['pipelines', pipeline] });
}

/** Publish the next version of a pipeline. */
export function updatePipeline(
  client: IClient,
  pipeline: string,
  body: Body<'updatePipeline'>
): Promise<api.Pipeline> {
  return client.request({ method: 'PUT', path: ['pipelines', pipeline], body });
}

/** Remove a pipeline with its jobs; its output stays. */
export function deletePipeline(client: IClient, pipeline: string): Promise<void> {
  return client.request({ method: 'DELETE', path: ['pipelines', pipeline] });
}

/** Let a pipeline take up no new work. */
export function pausePipeline(client: IClient, pipeline: string): Promise<api.Pipeline> {
  return client.request({ method: 'POST', path: ['pipelines', pipeline, 'pause'] });
}

/** Let a pipeline take up work again. */
export function resumePipeline(client: IClient, pipeline: string): Promise<api.Pipeline> {
  return client.request({ method: 'POST', path: ['pipelines', pipeline, 'resume'] });
}

/** Tick a pipeline's clock, or run it over its inputs as they are. */
export function runPipeline(
  client: IClient,
  pipeline: string,
  body: Body<'runPipeline'> = {}
): Promise<api.Started> {
  return client.request({ method: 'POST', path: ['pipelines', pipeline, 'runs'], body });
}

/** Return the first datums that a spec makes; the pipeline need not exist. */
export function previewPipeline(
  client: IClient,
  body: Body<'previewPipeline'>
): Promise<api.Preview> {
  return client.request({ method: 'POST', path: ['previews'], body });
}

/** Return when a schedule ticks next. */
export function previewSchedule(
  client: IClient,
  body: Body<'previewSchedule'>
): Promise<api.ComingTickPage> {
  return client.request({ method: 'POST', path: ['schedule-previews'], body });
}

/** Return the draft of a pipeline that runs a notebook; nothing is published. */
export function promotePipeline(
  client: IClient,
  body: Body<'promotePipeline'>
): Promise<api.Draft> {
  return client.request({ method: 'POST', path: ['promotions'], body });
}

/** Return the drafts of pipelines that run notebooks and feed each other, in their order. */
export function promoteAll(client: IClient, body: Body<'promoteAll'>): Promise<api.DraftPage> {
  return client.request({ method: 'POST', path: ['chains'], body });
}

/** Return what {@link applyAll} would do. */
export function diffPipeline(
  client: IClient,
  body: Body<'diffPipeline'>
): Promise<api.PipelineChangePage> {
  return client.request({ method: 'POST', path: ['pipeline-diffs'], body });
}

/** Make the pipelines of the lake those that a folder, or a file, declares. */
export function applyAll(client: IClient, body: Body<'applyAll'>): Promise<api.PipelineChangePage> {
  return client.request({ method: 'POST', path: ['pipeline-declarations'], body });
}

/** Write pipelines to a file of specs, and their code beside it; return the paths. */
export function writePipeline(
  client: IClient,
  body: Body<'writePipeline'>
): Promise<{ results: string[] }> {
  return client.request({ method: 'POST', path: ['pipeline-files'], body });
}

/** Return the spec that a template makes of arguments; nothing is published. */
export function renderPipeline(
  client: IClient,
  body: Body<'renderPipeline'>
): Promise<{ spec: api.Spec }> {
  return client.request({ method: 'POST', path: ['renderings'], body });
}

/** Return the JSON Schema of a template's arguments. */
export function getTemplateSchema(
  client: IClient,
  body: Body<'getTemplateSchema'>
): Promise<{ schema: Record<string, unknown> }> {
  return client.request({ method: 'POST', path: ['schemas', 'template-arguments'], body });
}
