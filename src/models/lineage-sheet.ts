/**
 * What is known of one node of the lineage graph.
 */
import type { IClient } from '../api/client';
import { listCommits } from '../api/commits';
import { listJobs } from '../api/jobs';
import { getPipeline } from '../api/pipelines';
import type * as api from '../api/types';
import type { INode } from '../lineage/graph';
import { DEFAULT_BRANCH } from './selection';

const SHEET_ITEMS = 15;

/** What the sheet beside the graph shows of the chosen node. */
export interface ISheet {
  node: INode;
  /** Newest commits of a repo. */
  commits: readonly api.Commit[];
  /** Newest jobs of a pipeline; only those of the change that is shown, if one is. */
  jobs: readonly api.Job[];
  pipeline: api.Pipeline | null;
}

/** One file of one commit. */
export interface IFile {
  repo: string;
  ref: string;
  path: string;
}

/** Load what is known of a node. */
export async function loadSheet(
  client: IClient,
  node: INode,
  globalId: string | null
): Promise<ISheet> {
  const name = node.id.slice(node.kind.length + 1);
  const sheet: ISheet = { node, commits: [], jobs: [], pipeline: null };
  if (node.kind === 'repo') {
    const page = await listCommits(client, name, DEFAULT_BRANCH, { limit: SHEET_ITEMS });
    sheet.commits = page.results;
  } else if (node.kind === 'pipeline') {
    const [pipeline, jobs] = await Promise.all([
      getPipeline(client, name),
      listJobs(client, { pipeline: name, global_id: globalId ?? undefined, limit: SHEET_ITEMS })
    ]);
    sheet.pipeline = pipeline;
    sheet.jobs = jobs.results;
  }
  return sheet;
}
