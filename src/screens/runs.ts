/**
 * All runs, and two of them beside each other, loaded when they are first looked at.
 */
export { ComparisonModel } from '../models/comparison';
export { ComparisonPanel } from '../panels/comparison';
export { RunsPanel } from '../panels/runs';
