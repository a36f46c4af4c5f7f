/**
 * The lineage graph, loaded when it is first looked at.
 */
export { LineageModel } from '../models/lineage';
export { LineagePanel } from '../panels/lineage';
