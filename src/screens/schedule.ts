/**
 * The form of a schedule, loaded when one is first changed.
 */
export { showSchedule } from '../dialogs/schedule';
export { PipelineScheduleModel } from '../models/pipeline-schedule';
