/**
 * Writing published pipelines to a file, to edit them.
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { showFieldsDialog } from './fields-dialog';

/**
 * Ask for a place and write there; return null if it was not done.
 *
 * @param folder - the folder that is proposed, below the server's root.
 */
export function showEditPipelines<T>(
  pipeline: string,
  folder: string,
  trans: TranslationBundle,
  write: (path: string) => Promise<T>
): Promise<T | null> {
  const name = pipeline.replaceAll('/', '-');
  return showFieldsDialog({
    title: trans.__('Edit %1 as a Graph', pipeline),
    accept: trans.__('Write and open'),
    fields: {
      path: {
        label: trans.__('File'),
        help: trans.__(
          'The pipeline, those that it reads and those that read it are written there; their notebooks and other files beside it.'
        ),
        value: PathExt.join(folder, name, `${name}.pipelines.yaml`),
        pattern: /[^/]\.ya?ml$/,
        problem: trans.__('A name that ends in .pipelines.yaml')
      }
    },
    trans,
    act: ({ path }) => write(path)
  });
}
