/**
 * What is known of one node of the lineage graph.
 */
import type { IByteClient } from '../api/client';
import { listCommits } from '../api/commits';
import { previewFile, readFile } from '../api/files';
import { listJobs } from '../api/jobs';
import { getPipeline } from '../api/pipelines';
import type * as api from '../api/types';
import type { ITableFlow } from '../lineage/flows';
import { flowsOf } from '../lineage/flows';
import type { INode } from '../lineage/graph';
import { ingestOf } from '../specs';
import { DEFAULT_BRANCH } from './selection';

const SHEET_ITEMS = 15;
/** So many of the newest jobs are looked through for those of an earlier time. */
const MAX_JOBS = 500;
/** So many pipelines of one table are looked up. */
const MAX_FLOWS = 20;
const LOCK_FILE = 'environment.lock.json';

/** What the sheet beside the graph shows of the chosen node. */
export interface ISheet {
  node: INode;
  /** Newest commits of a repo. */
  commits: readonly api.Commit[];
  /** Newest jobs of a pipeline; only those of the change that is shown, if one is. */
  jobs: readonly api.Job[];
  pipeline: api.Pipeline | null;
  /** The lock of the environment that its code was published with, as JSON; null for none. */
  environment: unknown;
  /** Of a warehouse table: the pipelines between it and the lake. */
  flows: readonly ITableFlow[];
}

/** One file of one commit. */
export interface IFile {
  repo: string;
  ref: string;
  path: string;
}

/**
 * Load what is known of a node.
 *
 * @param edges - of the graph that it is in.
 * @param until - only commits and jobs up to this time.
 */
export async function loadSheet(
  client: IByteClient,
  node: INode,
  edges: readonly api.LineageEdge[],
  globalId: string | null,
  until?: string
): Promise<ISheet> {
  const name = node.id.slice(node.kind.length + 1);
  const sheet: ISheet = {
    node,
    commits: [],
    jobs: [],
    pipeline: null,
    environment: null,
    flows: []
  };
  if (node.kind === 'repo') {
    const page = await listCommits(client, name, DEFAULT_BRANCH, { limit: SHEET_ITEMS, until });
    sheet.commits = page.results;
  } else if (node.kind === 'pipeline') {
    const [pipeline, jobs] = await Promise.all([
      getPipeline(client, name),
      newestJobs(client, name, SHEET_ITEMS, globalId, until)
    ]);
    sheet.pipeline = pipeline;
    sheet.jobs = jobs;
    sheet.environment = await environmentOf(client, pipeline);
  } else if (node.kind === 'table') {
    sheet.flows = await Promise.all(
      flowsOf(node.id, edges)
        .slice(0, MAX_FLOWS)
        .map(([direction, pipeline]) => loadFlow(client, direction, pipeline, globalId, until))
    );
  }
  return sheet;
}

async function loadFlow(
  client: IByteClient,
  direction: ITableFlow['direction'],
  name: string,
  globalId: string | null,
  until?: string
): Promise<ITableFlow> {
  const [pipeline, [job = null]] = await Promise.all([
    getPipeline(client, name),
    newestJobs(client, name, 1, globalId, until)
  ]);
  const rows =
    direction === 'written' ? (job?.rows_written ?? null) : await rowsOf(client, pipeline, job);
  return { direction, pipeline, job, rows };
}

/** Return how many rows a query brought, where its file tells that without being read. */
async function rowsOf(
  client: IByteClient,
  { name, spec }: api.Pipeline,
  job: api.Job | null
): Promise<number | null> {
  const { output, isPartitioned } = ingestOf(spec);
  if (!job?.output_commit_id || isPartitioned) {
    return null;
  }
  try {
    const query = { path: output, limit: 1 };
    const { page } = await previewFile(client, name, job.output_commit_id, query);
    return page?.total ?? null;
  } catch {
    return null; // retention has removed it; the sheet is of use without it
  }
}

/** Return the newest jobs of a pipeline, of a change or until a time if one is shown. */
async function newestJobs(
  client: IByteClient,
  pipeline: string,
  count: number,
  globalId: string | null,
  until?: string
): Promise<api.Job[]> {
  const { results } = await listJobs(client, {
    pipeline,
    global_id: globalId ?? undefined,
    limit: until === undefined ? count : MAX_JOBS
  });
  return results.filter(job => until === undefined || isUntil(job, until)).slice(0, count);
}

/** Return the repo that keeps a pipeline's published code. */
export function codeRepoOf(pipeline: string): string {
  return `${pipeline}.code`;
}

function isUntil(job: api.Job, until: string): boolean {
  return Date.parse(job.created_at) <= Date.parse(until);
}

/** Return the lock that lies with a pipeline's code; null where there is none that can be read. */
async function environmentOf(client: IByteClient, pipeline: api.Pipeline): Promise<unknown> {
  const { name, code_commit_id: commit } = pipeline;
  try {
    const bytes = await readFile(client, codeRepoOf(name), commit, { path: LOCK_FILE });
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return null; // an ingest has no code; the sheet is of use without it
  }
}
