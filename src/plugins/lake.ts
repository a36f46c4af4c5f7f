/**
 * The lake itself, for the other plugins and for other extensions.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { LakeClient } from '../api/client';
import { LakeModel } from '../models/lake';
import { ILake } from '../tokens';

/** Provides the lake, and follows its events. */
export const lakePlugin: JupyterFrontEndPlugin<ILake> = {
  id: 'jupyter-datalake:lake',
  description: 'The versioned lake behind this server: its REST interface and its events.',
  autoStart: true,
  provides: ILake,
  activate: (app: JupyterFrontEnd): ILake => {
    const { serverSettings } = app.serviceManager;
    const lake = new LakeModel({ client: new LakeClient({ serverSettings }) });
    void lake.refresh();
    return lake;
  }
};
