/**
 * The lineage view: the graph, the change it is filtered by, and what is known of the chosen node.
 */
import { listCommits } from '../api/commits';
import { listJobs } from '../api/jobs';
import { getGlobal, getGraph, listLineage } from '../api/lineage';
import { getPipeline } from '../api/pipelines';
import type * as api from '../api/types';
import type { ILayout } from '../lineage/layout';
import { layout } from '../lineage/layout';
import { RefreshingModel } from './refreshing';
import { DEFAULT_BRANCH } from './selection';

const CHANGES = 100;
const SHEET_ITEMS = 15;
const UNRELATED = new Set(['session.changed', 'mount.changed', 'datum.changed']);

/** What the sheet beside the graph shows of the chosen node. */
export interface ISheet {
  node: api.LineageNode;
  /** Newest commits of a repo. */
  commits: readonly api.Commit[];
  /** Newest jobs of a pipeline; only those of the change that is shown, if one is. */
  jobs: readonly api.Job[];
  pipeline: api.Pipeline | null;
}

/** The graph of repos and pipelines, whole or of one change. */
export class LineageModel extends RefreshingModel {
  /** The changes that can be chosen, newest first. */
  get changes(): readonly api.GlobalRecord[] {
    return this._changes;
  }

  /** The change that is shown; null for everything. */
  get globalId(): string | null {
    return this._globalId;
  }
  set globalId(value: string | null) {
    if (value !== this._globalId) {
      this._globalId = value;
      this._summary = null;
      this.stateChanged.emit();
      this.invalidate();
    }
  }

  /** What hangs on the change that is shown. */
  get summary(): api.GlobalLineage | null {
    return this._summary;
  }

  /** The graph with places. */
  get layout(): ILayout {
    return this._layout;
  }

  /** Id of the chosen node; null when there is none. */
  get chosen(): string | null {
    return this._chosen;
  }
  set chosen(value: string | null) {
    if (value !== this._chosen) {
      this._chosen = value;
      this._sheet = null;
      this.stateChanged.emit();
      if (value !== null) {
        void this.refresh();
      }
    }
  }

  /** What is known of the chosen node; null until it is loaded. */
  get sheet(): ISheet | null {
    return this._sheet;
  }

  protected async load(): Promise<void> {
    const globalId = this._globalId ?? undefined;
    const [changes, graph, summary] = await Promise.all([
      listLineage(this.lake.client, { limit: CHANGES }),
      getGraph(this.lake.client, { global_id: globalId }),
      globalId === undefined ? null : getGlobal(this.lake.client, globalId)
    ]);
    if (globalId !== (this._globalId ?? undefined)) {
      return;
    }
    this._changes = changes.results;
    this._summary = summary;
    const written = JSON.stringify(graph);
    if (written !== this._written) {
      this._written = written;
      this._layout = layout(graph);
    }
    await this._loadSheet(graph);
  }

  protected concerns(event: api.Event): boolean {
    return !UNRELATED.has(event.kind);
  }

  private async _loadSheet(graph: api.LineageGraph): Promise<void> {
    const chosen = this._chosen;
    const node = graph.nodes.find(one => one.id === chosen);
    if (!node) {
      this._sheet = null;
      return;
    }
    const name = node.id.slice(node.kind.length + 1);
    const sheet: ISheet = { node, commits: [], jobs: [], pipeline: null };
    const { client } = this.lake;
    if (node.kind === 'repo') {
      const page = await listCommits(client, name, DEFAULT_BRANCH, { limit: SHEET_ITEMS });
      sheet.commits = page.results;
    } else if (node.kind === 'pipeline') {
      const [pipeline, jobs] = await Promise.all([
        getPipeline(client, name),
        listJobs(client, {
          pipeline: name,
          global_id: this._globalId ?? undefined,
          limit: SHEET_ITEMS
        })
      ]);
      sheet.pipeline = pipeline;
      sheet.jobs = jobs.results;
    }
    if (chosen === this._chosen) {
      this._sheet = sheet;
    }
  }

  private _changes: api.GlobalRecord[] = [];
  private _globalId: string | null = null;
  private _summary: api.GlobalLineage | null = null;
  private _layout: ILayout = layout({ nodes: [], edges: [] });
  private _written = '';
  private _chosen: string | null = null;
  private _sheet: ISheet | null = null;
}
