/**
 * Two versions of a file, compared where somebody decides between them.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IByteClient } from '../api/client';
import { ErrorBanner } from '../components/error-banner';
import { FileDiff } from '../components/file-diff';
import { FileViewModel } from '../models/file-view';

/** What {@link BothVersions} compares. */
export interface IBothVersionsProps {
  client: IByteClient;
  repo: string;
  path: string;
  /** The commits that hold the versions. */
  old: string;
  new: string;
  trans: TranslationBundle;
}

/** How they differ, as what the file is. */
export function BothVersions(props: IBothVersionsProps): React.JSX.Element {
  const { client, repo, path, trans } = props;
  const [model, setModel] = React.useState<FileViewModel | null>(null);
  const [, redraw] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const made = new FileViewModel({
      client,
      repo,
      ref: props.new,
      base: props.old,
      path,
      tab: 'changes'
    });
    made.stateChanged.connect(redraw);
    setModel(made);
    return () => made.dispose();
  }, [client, repo, path, props.old, props.new]);
  const error = model?.error ?? model?.failure;
  if (model && error) {
    return <ErrorBanner error={error} trans={trans} onRetry={() => void model.load()} />;
  }
  if (!model?.diff) {
    return (
      <p className="jp-DatalakeNote" role="status">
        {trans.__('Working it out…')}
      </p>
    );
  }
  return (
    <FileDiff
      diff={model.diff}
      path={path}
      isAudio={model.isAudio}
      columns={model.columnNames}
      onKey={key => {
        model.key = key;
      }}
      trans={trans}
    />
  );
}
