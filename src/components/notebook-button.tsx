/**
 * The way to the notebook that a datum left.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { notebookIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** A button that opens an executed notebook. */
export function NotebookButton(props: {
  trans: TranslationBundle;
  onOpen: () => void;
}): React.JSX.Element {
  return (
    <button type="button" className="jp-DatalakeButton jp-mod-styled" onClick={props.onOpen}>
      <notebookIcon.react tag="span" className="jp-DatalakeButton-icon" />
      {props.trans.__('Open executed notebook')}
    </button>
  );
}
