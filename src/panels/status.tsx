/**
 * How the lake is doing, in the status bar.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { lakeIcon } from '../icons';
import type { ILake } from '../tokens';

/** A few words on running jobs; opens the panel. */
export class LakeStatus extends ReactWidget {
  constructor(private readonly _options: LakeStatus.IOptions) {
    super();
    this.addClass('jp-DatalakeStatus');
    _options.lake.stateChanged.connect(this.update, this);
  }

  protected render(): React.JSX.Element {
    const { lake, trans, onClick } = this._options;
    const jobs = lake.status?.live_jobs ?? 0;
    const isIdle = lake.status !== null && lake.status.controller === null;
    const text = lake.isCutOff
      ? trans.__('lake: no connection')
      : isIdle
        ? trans.__('lake: no controller')
        : jobs > 0
          ? trans._n('%1 job', '%1 jobs', jobs)
          : '';
    const title = isIdle
      ? trans.__('No controller is running, so pipelines do not run')
      : trans.__('Data lake %1', lake.status?.url ?? '');
    return (
      <button
        type="button"
        className={`jp-DatalakeStatus-item ${jobs > 0 ? 'jp-mod-busy' : ''}`}
        title={title}
        aria-label={text ? `${title}: ${text}` : title}
        onClick={onClick}
      >
        <lakeIcon.react tag="span" className="jp-DatalakeStatus-icon" />
        {text}
      </button>
    );
  }
}

/** What a {@link LakeStatus} is made of. */
export namespace LakeStatus {
  export interface IOptions {
    lake: ILake;
    trans: TranslationBundle;
    onClick: () => void;
  }
}
