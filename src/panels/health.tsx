/**
 * Says when the lake cannot be reached; otherwise nothing.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ErrorBanner } from '../components/error-banner';
import type { ILake } from '../tokens';

const CUT_OFF = { kind: 'unreachable', message: '' };

/** How the lake is doing, where that is worth a word. */
export class LakeHealth extends ReactWidget {
  constructor(
    private readonly _lake: ILake,
    private readonly _trans: TranslationBundle
  ) {
    super();
    _lake.stateChanged.connect(this.update, this);
  }

  protected render(): React.JSX.Element {
    const lake = this._lake;
    return (
      <ErrorBanner
        error={lake.error ?? (lake.isCutOff ? CUT_OFF : null)}
        trans={this._trans}
        onRetry={() => void lake.refresh()}
      />
    );
  }
}
