/**
 * Publishing a spec, and finding the job that it leads to.
 */
import type { IClient } from '../api/client';
import { listJobs } from '../api/jobs';
import { createPipeline, getPipeline, runPipeline, updatePipeline } from '../api/pipelines';
import type * as api from '../api/types';

/** What publishing led to. */
export interface IPromoted {
  pipeline: api.Pipeline;
  /** The job that it set off; null if it waits for data. */
  job: api.Job | null;
}

/** Publish a pipeline or its next version, and run it if that alone does not. */
export async function publishSpec(
  client: IClient,
  body: { spec: api.Spec; folder: string },
  exists: boolean
): Promise<IPromoted> {
  if (!exists) {
    const created = await createPipeline(client, body);
    return { pipeline: created, job: created.latest_job };
  }
  const name = String(body.spec.pipeline);
  const before = await getPipeline(client, name);
  const pipeline = await updatePipeline(client, name, body);
  if (pipeline.latest_job && pipeline.latest_job.id !== before.latest_job?.id) {
    return { pipeline, job: pipeline.latest_job };
  }
  const { global_id } = await runPipeline(client, name);
  const jobs = await listJobs(client, { global_id, pipeline: name });
  return { pipeline, job: jobs.results[0] ?? null };
}

/** Tell whether there is a pipeline of this name. */
export function pipelineExists(client: IClient, name: string): Promise<boolean> {
  return getPipeline(client, name).then(
    () => true,
    () => false
  );
}
