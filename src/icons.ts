/**
 * Icons that JupyterLab has not.
 */
import { LabIcon } from '@jupyterlab/ui-components';

import branchSvg from '../style/icons/branch.svg';
import calendarSvg from '../style/icons/calendar.svg';
import clockSvg from '../style/icons/clock.svg';
import commitSvg from '../style/icons/commit.svg';
import compareSvg from '../style/icons/compare.svg';
import lakeSvg from '../style/icons/lake.svg';
import lineageSvg from '../style/icons/lineage.svg';
import mergeSvg from '../style/icons/merge.svg';
import mountSvg from '../style/icons/mount.svg';
import pickSvg from '../style/icons/pick.svg';
import pipelineSvg from '../style/icons/pipeline.svg';
import promoteSvg from '../style/icons/promote.svg';
import repoSvg from '../style/icons/repo.svg';
import resetSvg from '../style/icons/reset.svg';
import tagSvg from '../style/icons/tag.svg';
import unmountSvg from '../style/icons/unmount.svg';

export const branchIcon = new LabIcon({ name: 'datalake:branch', svgstr: branchSvg });
export const calendarIcon = new LabIcon({ name: 'datalake:calendar', svgstr: calendarSvg });
export const clockIcon = new LabIcon({ name: 'datalake:clock', svgstr: clockSvg });
export const commitIcon = new LabIcon({ name: 'datalake:commit', svgstr: commitSvg });
export const compareIcon = new LabIcon({ name: 'datalake:compare', svgstr: compareSvg });
export const lakeIcon = new LabIcon({ name: 'datalake:lake', svgstr: lakeSvg });
export const lineageIcon = new LabIcon({ name: 'datalake:lineage', svgstr: lineageSvg });
export const mergeIcon = new LabIcon({ name: 'datalake:merge', svgstr: mergeSvg });
export const mountIcon = new LabIcon({ name: 'datalake:mount', svgstr: mountSvg });
export const pickIcon = new LabIcon({ name: 'datalake:pick', svgstr: pickSvg });
export const pipelineIcon = new LabIcon({ name: 'datalake:pipeline', svgstr: pipelineSvg });
export const promoteIcon = new LabIcon({ name: 'datalake:promote', svgstr: promoteSvg });
export const repoIcon = new LabIcon({ name: 'datalake:repo', svgstr: repoSvg });
export const resetIcon = new LabIcon({ name: 'datalake:reset', svgstr: resetSvg });
export const tagIcon = new LabIcon({ name: 'datalake:tag', svgstr: tagSvg });
export const unmountIcon = new LabIcon({ name: 'datalake:unmount', svgstr: unmountSvg });
