/**
 * The lineage view: the graph, what of it is collapsed, the change or moment that is shown, and
 * what is known of the chosen node.
 */
import { getGlobal, getGraph, getLineage, listLineage } from '../api/lineage';
import type * as api from '../api/types';
import type { INode } from '../lineage/graph';
import { search } from '../lineage/graph';
import type { IGrouping } from '../lineage/grouping';
import { closedAround, collapse, groupsAround, groupsOf } from '../lineage/grouping';
import type { ILayout } from '../lineage/layout';
import { layout, placesOf } from '../lineage/layout';
import type { IFile, ISheet } from './lineage-sheet';
import { loadSheet } from './lineage-sheet';
import { RefreshingModel } from './refreshing';

const CHANGES = 100;
const FOUND = 12;
const UNRELATED = new Set(['session.changed', 'mount.changed', 'datum.changed']);
const NOTHING: api.LineageGraph = { nodes: [], edges: [] };

/** The graph of repos and pipelines: whole, of one change, or as of a moment. */
export class LineageModel extends RefreshingModel {
  /** The changes that can be chosen, newest first. */
  get changes(): readonly api.GlobalRecord[] {
    return this._changes;
  }

  /** Whether there are older changes than those. */
  get hasOlder(): boolean {
    return this._hasOlder;
  }

  /** The change that is shown; null for everything. */
  get globalId(): string | null {
    return this._globalId;
  }
  set globalId(value: string | null) {
    if (value !== this._globalId) {
      this._globalId = value;
      this._moment = null;
      this._summary = null;
      this._isFresh = true; // few of many: they would be strewn about
      this.stateChanged.emit();
      this.invalidate();
    }
  }

  /** The change behind which the graph is shown as it was then; null for now. */
  get moment(): api.GlobalRecord | null {
    return this._moment;
  }
  set moment(value: api.GlobalRecord | null) {
    if (value?.id !== this._moment?.id) {
      this._isFresh = this._globalId !== null;
      this._moment = value;
      this._globalId = null;
      this._summary = null;
      this.stateChanged.emit();
      void this.refresh();
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

  /** The groups of the graph. */
  get grouping(): IGrouping {
    return this._grouping;
  }

  /** Whether any group is open. */
  get isExpanded(): boolean {
    return [...this._grouping.groups.keys()].some(id => this._isOpen(id));
  }

  /** Whether flows that were only observed are shown. */
  get hasObserved(): boolean {
    return this._hasObserved;
  }
  set hasObserved(value: boolean) {
    this._hasObserved = value;
    this._arrange();
  }

  /** Whether the legend is open. */
  get hasLegend(): boolean {
    return this._hasLegend;
  }
  set hasLegend(value: boolean) {
    this._hasLegend = value;
    this.stateChanged.emit();
  }

  /** Id of the chosen node; null when there is none. */
  get chosen(): string | null {
    return this._chosen;
  }
  set chosen(value: string | null) {
    this._file = null;
    if (value !== this._chosen) {
      this._chosen = value;
      this._sheet = null;
      this.stateChanged.emit();
      if (value !== null) {
        void this.refresh();
      }
    }
  }

  /** The file whose makers and uses are shown; null when none are. */
  get file(): IFile | null {
    return this._file;
  }
  set file(value: IFile | null) {
    this._file = value;
    this._fileLineage = null;
    this.stateChanged.emit();
    void this.refresh();
  }

  /** What made the file and what uses it; null until it is loaded. */
  get fileLineage(): api.Lineage | null {
    return this._fileLineage;
  }

  /** The node that was looked for last. */
  get sought(): { id: string } | null {
    return this._sought;
  }

  /** What is known of the chosen node; null until it is loaded. */
  get sheet(): ISheet | null {
    return this._sheet;
  }

  /** Return the nodes that a text finds, also those in closed groups. */
  find(text: string): INode[] {
    return search(this._graph.nodes, text, FOUND);
  }

  /** Choose a node and show it, opening the groups that it is in. */
  seek(id: string): void {
    for (const group of groupsAround(id, this._grouping)) {
      this._toggled.set(group, true);
    }
    this._arrange();
    this._sought = { id };
    this.chosen = id;
  }

  /** Open a group, or close it. */
  toggle(group: string): void {
    this._toggled.set(group, !this._isOpen(group));
    this._arrange();
    if (this._layout.nodes.every(({ node }) => node.id !== this._chosen)) {
      this.chosen = this._isOpen(group) ? null : group;
    }
  }

  /** Open all groups, or close them. */
  toggleAll(isOpen: boolean): void {
    for (const id of this._grouping.groups.keys()) {
      this._toggled.set(id, isOpen);
    }
    this._isFresh = true;
    this._arrange();
  }

  /** Lay the graph out anew, whatever it was like before. */
  tidy(): void {
    this._isFresh = true;
    this._arrange();
  }

  /** Return the groups that a node is in, the outermost first. */
  groupsAround(node: string): string[] {
    return groupsAround(node, this._grouping);
  }

  /** Load changes that are older than those that are known. */
  async loadOlder(): Promise<void> {
    this._wanted += CHANGES;
    await this.refresh();
  }

  protected async load(): Promise<void> {
    const [globalId, moment] = [this._globalId ?? undefined, this._moment];
    const at = this._until;
    const [graph, summary] = await Promise.all([
      getGraph(this.lake.client, { global_id: globalId, at }),
      globalId === undefined ? null : getGlobal(this.lake.client, globalId),
      this._loadChanges()
    ]);
    if (globalId !== (this._globalId ?? undefined) || moment !== this._moment) {
      return;
    }
    this._summary = summary;
    const written = JSON.stringify(graph);
    if (written !== this._written) {
      this._written = written;
      this._graph = graph;
      this._arrange();
    }
    this._isFresh = false;
    await this._loadSheet();
    const file = this._file;
    const lineage = file && (await getLineage(this.lake.client, file.repo, file.ref, file.path));
    if (file === this._file) {
      this._fileLineage = lineage;
    }
  }

  protected concerns(event: api.Event): boolean {
    return !UNRELATED.has(event.kind);
  }

  private async _loadChanges(): Promise<void> {
    const found: api.GlobalRecord[] = [];
    let page: api.GlobalRecord[];
    do {
      const before = found[found.length - 1]?.created_at;
      const { results } = await listLineage(this.lake.client, { before, limit: CHANGES });
      page = results;
      found.push(...page);
    } while (page.length === CHANGES && found.length < this._wanted);
    this._changes = found;
    this._hasOlder = page.length === CHANGES;
  }

  /** Collapse and lay out what is known. */
  private _arrange(): void {
    const graph = this._hasObserved ? this._graph : declaredOnly(this._graph);
    this._grouping = groupsOf(graph);
    const open = new Set([...this._grouping.groups.keys()].filter(id => this._isOpen(id)));
    const shown = collapse(graph, this._grouping, open);
    this._layout = layout(shown, this._isFresh ? undefined : this._placesFor(graph, open));
    this._isFresh = false;
    this.stateChanged.emit();
  }

  /** Return where nodes were, and in their stead the groups that they were or will be in. */
  private _placesFor(graph: api.LineageGraph, open: ReadonlySet<string>): Map<string, number> {
    const places = placesOf(this._layout);
    for (const { id } of graph.nodes) {
      const y = places.get(id);
      const groups = groupsAround(id, this._grouping);
      const closed = closedAround(id, this._grouping, open);
      if (y !== undefined && closed !== undefined && !places.has(closed)) {
        places.set(closed, y);
      } else if (y === undefined) {
        const was = groups.map(group => places.get(group)).find(place => place !== undefined);
        if (was !== undefined) {
          places.set(id, was);
          if (closed !== undefined && !places.has(closed)) {
            places.set(closed, was);
          }
        }
      }
    }
    return places;
  }

  private _isOpen(group: string): boolean {
    return this._toggled.get(group) ?? !this._grouping.isLarge;
  }

  /** The moment that is shown; undefined for now. */
  private get _until(): string | undefined {
    return this._moment === null ? undefined : endOf(this._moment, this._changes);
  }

  private async _loadSheet(): Promise<void> {
    const chosen = this._chosen;
    const node =
      this._graph.nodes.find(one => one.id === chosen) ??
      this._layout.nodes.find(one => one.node.id === chosen)?.node;
    const sheet = node
      ? await loadSheet(this.lake.client, node, this._graph.edges, this._globalId, this._until)
      : null;
    if (chosen === this._chosen) {
      this._sheet = sheet;
    }
  }

  private _changes: api.GlobalRecord[] = [];
  private _wanted = CHANGES;
  private _hasOlder = false;
  private _globalId: string | null = null;
  private _moment: api.GlobalRecord | null = null;
  private _summary: api.GlobalLineage | null = null;
  private _graph = NOTHING;
  private _grouping = groupsOf(NOTHING);
  /** Groups that somebody opened or closed. */
  private readonly _toggled = new Map<string, boolean>();
  private _hasObserved = true;
  private _hasLegend = true;
  private _isFresh = true;
  private _layout: ILayout = layout(NOTHING);
  private _written = '';
  private _chosen: string | null = null;
  private _sought: { id: string } | null = null;
  private _sheet: ISheet | null = null;
  private _file: IFile | null = null;
  private _fileLineage: api.Lineage | null = null;
}

/** Return the moment until which a change is the newest: its jobs are on their way or have ended. */
function endOf(record: api.GlobalRecord, changes: readonly api.GlobalRecord[]): string {
  const at = changes.findIndex(({ id }) => id === record.id);
  const next = changes[at - 1];
  if (!next) {
    return at === 0 ? new Date().toISOString() : record.created_at;
  }
  const before = new Date(Date.parse(next.created_at) - 1).toISOString();
  return Date.parse(before) < Date.parse(record.created_at) ? record.created_at : before;
}

function declaredOnly({ nodes, edges }: api.LineageGraph): api.LineageGraph {
  return {
    nodes: nodes.filter(({ kind }) => kind !== 'notebook'),
    edges: edges.filter(({ basis }) => basis === 'declared')
  };
}
