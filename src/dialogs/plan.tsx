/**
 * What applying a file of specs would do.
 */
import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { actionText } from '../components/promotion-steps';
import type { PipelineChange } from '../models/dag';

/** Show what would be done; return whether it is to be done. */
export async function showPlan(
  changes: readonly PipelineChange[],
  trans: TranslationBundle
): Promise<boolean> {
  const isSome = changes.some(({ action }) => action !== 'unchanged');
  const { button } = await showDialog({
    title: trans.__('Plan'),
    body: ReactWidget.create(<Plan changes={changes} trans={trans} />),
    buttons: isSome
      ? [
          Dialog.cancelButton({ label: trans.__('Cancel') }),
          Dialog.okButton({ label: trans.__('Apply') })
        ]
      : [Dialog.okButton({ label: trans.__('Close') })]
  });
  return isSome && button.accept;
}

function Plan(props: {
  changes: readonly PipelineChange[];
  trans: TranslationBundle;
}): React.JSX.Element {
  const { changes, trans } = props;
  return (
    <table className="jp-DatalakeDagPlan">
      <caption className="jp-DatalakeNote">
        {trans.__('What makes the pipelines of the lake those of this file, in this order')}
      </caption>
      <thead>
        <tr>
          <th scope="col">{trans.__('Pipeline')}</th>
          <th scope="col">{trans.__('What is done')}</th>
          <th scope="col">{trans.__('What differs')}</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ pipeline, action, differs }) => (
          <tr key={pipeline} data-action={action}>
            <th scope="row">{pipeline}</th>
            <td>{actionText(action, trans)}</td>
            <td>{action === 'create' ? trans.__('it is new') : differs.join(', ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
