/**
 * The view of a trial, loaded when the first one is looked at.
 */
export { TrialModel } from '../models/trial';
export { TrialPanel } from '../panels/trial';
