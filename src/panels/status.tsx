/**
 * How the lake is doing, in the status bar.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { lakeIcon } from '../icons';
import type { MountsModel } from '../models/mounts';
import type { SessionsModel } from '../models/sessions';
import type { ILake } from '../tokens';
import { ModelPanel } from './model-panel';

/** By what means repos are mounted, what is staged, and who runs pipelines; opens the panel. */
export class LakeStatus extends ModelPanel {
  constructor(options: LakeStatus.IOptions) {
    const { lake, mounts, sessions } = options;
    super({ ...options, models: [mounts, sessions], signals: [lake.stateChanged] });
    this.removeClass('jp-DatalakePanel');
    this.addClass('jp-DatalakeStatus');
    this._options = options;
  }

  protected render(): React.JSX.Element {
    const { lake, mounts, sessions, onClick } = this._options;
    const { trans } = this;
    const modes = new Set(mounts.mounts.map(one => mounts.pointOf(one)?.mode));
    const jobs = lake.status?.live_jobs ?? 0;
    const isIdle = lake.status !== null && lake.status.controller === null;
    const parts = lake.isCutOff
      ? [trans.__('lake: no connection')]
      : [
          ...[...modes].map(mode => (mode === undefined ? '' : modeText(mode, trans))),
          sessions.count > 0 ? trans._n('%1 change', '%1 changes', sessions.count) : '',
          jobs > 0 ? trans._n('%1 job', '%1 jobs', jobs) : '',
          isIdle ? trans.__('no controller') : ''
        ].filter(part => part !== '');
    const title = [
      trans.__('Data lake %1', lake.status?.url ?? ''),
      ...[...modes].map(mode => (mode === undefined ? '' : modeHelp(mode, trans))),
      isIdle
        ? trans.__('No controller is running, so pipelines do not run')
        : trans.__('Pipelines are run by %1', lake.status?.controller ?? '')
    ]
      .filter(part => part !== '')
      .join('\n');
    return (
      <button
        type="button"
        className={`jp-DatalakeStatus-item ${jobs > 0 ? 'jp-mod-busy' : ''}`}
        title={title}
        aria-label={trans.__('Data Lake: %1', parts.join(', ') || trans.__('nothing is mounted'))}
        onClick={onClick}
      >
        <lakeIcon.react tag="span" className="jp-DatalakeStatus-icon" />
        {parts.join(' · ')}
      </button>
    );
  }

  private readonly _options: LakeStatus.IOptions;
}

function modeText(mode: api.Mountpoint['mode'], trans: TranslationBundle): string {
  switch (mode) {
    case 'fuse':
      return trans.__('FUSE');
    case 'checkout':
      return trans.__('checkout');
    case 'drive':
      return trans.__('drive');
  }
}

function modeHelp(mode: api.Mountpoint['mode'], trans: TranslationBundle): string {
  switch (mode) {
    case 'fuse':
      return trans.__('Repos are mounted as a file system');
    case 'checkout':
      return trans.__('Repos are written into folders');
    case 'drive':
      return trans.__('Repos are shown by the drive, without folders');
  }
}

/** What a {@link LakeStatus} is made of. */
export namespace LakeStatus {
  export interface IOptions extends ModelPanel.IContext {
    lake: ILake;
    mounts: MountsModel;
    sessions: SessionsModel;
    onClick: () => void;
  }
}
