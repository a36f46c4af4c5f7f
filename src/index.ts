/**
 * The plugins of the extension, and what others can ask them for.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { browserPlugin } from './plugins/browser';
import { dagPlugin } from './plugins/dag';
import { drivePlugin } from './plugins/drive';
import { filesPlugin } from './plugins/files';
import { fixesPlugin } from './plugins/fixes';
import { jobsPlugin, notebookPlugin } from './plugins/jobs';
import { lakePlugin } from './plugins/lake';
import { lineagePlugin } from './plugins/lineage';
import { pipelinesPlugin } from './plugins/pipelines';
import { promotePlugin } from './plugins/promote';
import { runsPlugin } from './plugins/runs';
import { sidebarPlugin } from './plugins/sidebar';
import { templatesPlugin } from './plugins/templates';
import { trialsPlugin } from './plugins/trials';

export { CommandIDs } from './commands';
export { ILake, ILakeSelection } from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  lakePlugin,
  sidebarPlugin,
  drivePlugin,
  browserPlugin,
  filesPlugin,
  pipelinesPlugin,
  jobsPlugin,
  runsPlugin,
  notebookPlugin,
  trialsPlugin,
  fixesPlugin,
  lineagePlugin,
  promotePlugin,
  dagPlugin,
  templatesPlugin
];

export default plugins;
