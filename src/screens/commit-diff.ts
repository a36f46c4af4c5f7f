/**
 * Two commits beside each other, loaded when two are first compared.
 */
export { CommitDiffModel } from '../models/commit-diff';
export { CommitDiffPanel } from '../panels/commit-diff';
