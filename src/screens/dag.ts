/**
 * The editor of files of specs, loaded when the first file is opened in it.
 */
export { dagNotes } from '../components/dag-sheet';
export { DagModel } from '../models/dag';
export { TrialModel } from '../models/trial';
export { DagPanel } from '../panels/dag';
