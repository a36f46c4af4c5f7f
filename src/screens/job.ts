/**
 * The view of a job, loaded when the first one is looked at.
 */
export { JobModel } from '../models/job';
export { JobPanel } from '../panels/job';
