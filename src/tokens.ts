/**
 * What other extensions can ask this one for.
 */
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { IByteClient, LakeApiError } from './api/client';
import type * as api from './api/types';

/** The lake that this server serves, as the browser sees it. */
export interface ILake {
  /** Answers the requests of the contract; see the functions in `api/`. */
  readonly client: IByteClient;

  /** Emitted for everything that happens in the lake, in order, each event once. */
  readonly happened: ISignal<ILake, api.Event>;

  /** Emitted when what is shown may be out of date as a whole, as after a lost connection. */
  readonly outdated: ISignal<ILake, void>;

  /** What the lake is; null until it answered. */
  readonly status: api.Status | null;

  /** Why the lake does not answer; null if it does. */
  readonly error: LakeApiError | null;

  /** Whether events arrived once and do not now. */
  readonly isCutOff: boolean;

  /** Emitted when the status, the error or the connection changed. */
  readonly stateChanged: ISignal<ILake, void>;

  /** Ask again how the lake is doing. */
  refresh(): Promise<void>;
}

/** The lake that this server serves. */
export const ILake = new Token<ILake>(
  'jupyter_datalake:ILake',
  'The versioned lake behind this server: its REST interface and its events.'
);

/** What is looked at in the panel: one repo, and the ref whose history is shown. */
export interface ILakeSelection {
  /** Name of the repo; null when there is none. */
  readonly repo: string | null;

  /** Ref expression within the repo. */
  readonly ref: string;

  /** Emitted when either changes. */
  readonly changed: ISignal<ILakeSelection, void>;

  /** Look at a repo, by default at its branch main. */
  select(repo: string | null, ref?: string): void;
}

/** What is looked at in the panel. */
export const ILakeSelection = new Token<ILakeSelection>(
  'jupyter_datalake:ILakeSelection',
  'The repo and ref that are selected in the panel of the lake.'
);
