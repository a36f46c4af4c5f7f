/**
 * What is known of one node of the lineage graph.
 */
import type { IByteClient } from '../api/client';
import { listCommits } from '../api/commits';
import { readFile } from '../api/files';
import { listJobs } from '../api/jobs';
import { getPipeline } from '../api/pipelines';
import type * as api from '../api/types';
import type { INode } from '../lineage/graph';
import { DEFAULT_BRANCH } from './selection';

const SHEET_ITEMS = 15;
/** So many of the newest jobs are looked through for those of an earlier time. */
const MAX_JOBS = 500;
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
 * @param until - only commits and jobs up to this time.
 */
export async function loadSheet(
  client: IByteClient,
  node: INode,
  globalId: string | null,
  until?: string
): Promise<ISheet> {
  const name = node.id.slice(node.kind.length + 1);
  const sheet: ISheet = { node, commits: [], jobs: [], pipeline: null, environment: null };
  if (node.kind === 'repo') {
    const page = await listCommits(client, name, DEFAULT_BRANCH, { limit: SHEET_ITEMS, until });
    sheet.commits = page.results;
  } else if (node.kind === 'pipeline') {
    const [pipeline, jobs] = await Promise.all([
      getPipeline(client, name),
      listJobs(client, {
        pipeline: name,
        global_id: globalId ?? undefined,
        limit: until === undefined ? SHEET_ITEMS : MAX_JOBS
      })
    ]);
    sheet.pipeline = pipeline;
    sheet.jobs = jobs.results
      .filter(job => until === undefined || isUntil(job, until))
      .slice(0, SHEET_ITEMS);
    sheet.environment = await environmentOf(client, pipeline);
  }
  return sheet;
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
