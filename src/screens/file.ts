/**
 * The view of a file, loaded when the first one is looked at.
 */
export { FileViewModel } from '../models/file-view';
export { BothVersions } from '../dialogs/both-versions';
export { FileView } from '../panels/file-view';
