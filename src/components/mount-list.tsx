/**
 * What is mounted where, and the sessions and drafts that are not.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { deleteIcon, refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { branchIcon, mountIcon, unmountIcon } from '../icons';
import { Ago } from './ago';
import { BehindTag } from './behind-tag';
import { IconButton } from './icon-button';
import { MountDot, mountState } from './mount-state';

/** How many paths are staged. */
export interface IStagedCount {
  count: number;
  hasMore: boolean;
}

/** What a {@link MountList} shows and does. */
export interface IMountListProps {
  points: readonly api.Mountpoint[];
  mounts: readonly api.Mount[];
  /** Sessions that no mount shows. */
  loose: readonly api.Session[];
  /** What is left of sessions that are gone. */
  lost: readonly api.SessionDraft[];
  countOf: (session: string) => IStagedCount;
  isBusy: (key: string) => boolean;
  trans: TranslationBundle;
  onOpen: (mount: api.Mount) => void;
  onSwitch: (mount: api.Mount) => void;
  onUnmount: (mount: api.Mount) => void;
  onRemount: (mount: api.Mount) => void;
  /** Mount the branch that a session is of. */
  onMount: (session: api.Session) => void;
  onDelete: (session: api.Session) => void;
  onRecover: (draft: api.SessionDraft) => void;
}

/** Mount points with their mounts, then what is not mounted. */
export function MountList(props: IMountListProps): React.JSX.Element {
  const { points, mounts, loose, lost, trans } = props;
  return (
    <>
      {points.map(point => {
        const inside = mounts.filter(mount => mount.mountpoint === point.path);
        return (
          <section key={point.path} aria-label={trans.__('Mounts at %1', point.path)}>
            <PointHeader point={point} trans={trans} />
            <ul className="jp-DatalakeMountList">
              {inside.map(mount => (
                <MountItem key={mount.name} {...props} mount={mount} point={point} />
              ))}
            </ul>
            {inside.length === 0 && (
              <p className="jp-DatalakeNote">{trans.__('Nothing is mounted here.')}</p>
            )}
          </section>
        );
      })}
      {loose.length > 0 && (
        <section aria-label={trans.__('Sessions that are not mounted')}>
          <h4 className="jp-DatalakeMountList-title">{trans.__('Not mounted')}</h4>
          <ul className="jp-DatalakeMountList">
            {loose.map(session => (
              <SessionItem key={session.id} {...props} session={session} />
            ))}
          </ul>
        </section>
      )}
      {lost.length > 0 && (
        <section aria-label={trans.__('Drafts of sessions that are gone')}>
          <h4 className="jp-DatalakeMountList-title">{trans.__('Can be recovered')}</h4>
          <ul className="jp-DatalakeMountList">
            {lost.map(draft => (
              <DraftItem key={draft.session_id} {...props} draft={draft} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function modeText(mode: api.MountMode, trans: TranslationBundle): [string, string] {
  switch (mode) {
    case 'fuse':
      return ['FUSE', trans.__('A file system: files are fetched when they are read')];
    case 'checkout':
      return [
        trans.__('files'),
        trans.__('Files are written into the folder, linked where possible')
      ];
    case 'drive':
      return [trans.__('drive'), trans.__('JupyterLab’s drive lake:, without a folder')];
  }
}

function PointHeader(props: {
  point: api.Mountpoint;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { point, trans } = props;
  const [mode, help] = modeText(point.mode, trans);
  return (
    <header className="jp-DatalakeMountList-point">
      <span className="jp-DatalakeRow-name" title={point.path}>
        {point.path}
      </span>
      <span className="jp-DatalakeTag" title={help}>
        {mode}
      </span>
      {point.state !== 'ready' && (
        <span className="jp-DatalakeTag jp-mod-warn" title={point.message}>
          {point.state}
        </span>
      )}
    </header>
  );
}

function MountItem(
  props: IMountListProps & { mount: api.Mount; point: api.Mountpoint }
): React.JSX.Element {
  const { mount, point, trans } = props;
  const isBusy = props.isBusy(mount.repo);
  return (
    <li className="jp-DatalakeRow" data-place={mount.name}>
      <button
        type="button"
        className="jp-DatalakeRow-main"
        title={mount.path}
        aria-label={trans.__('%1, mounted: show its files', mount.name)}
        onClick={() => props.onOpen(mount)}
      >
        <span className="jp-DatalakeRow-text">
          <span className="jp-DatalakeRow-title">
            <span className="jp-DatalakeRow-name">{mount.name}</span>
            {mount.session_id !== null && <Staged {...props} session={mount.session_id} />}
            <BehindTag mount={mount} trans={trans} />
          </span>
          <span className="jp-DatalakeRow-facts">
            <span>{`${mount.repo}@${mount.ref}`}</span>
            <span>{mount.is_writable ? trans.__('writable') : trans.__('read-only')}</span>
          </span>
        </span>
      </button>
      <span className="jp-DatalakeRow-actions">
        <IconButton
          icon={branchIcon}
          label={trans.__('Switch %1 to another branch, tag or commit', mount.name)}
          isDisabled={isBusy}
          onClick={() => props.onSwitch(mount)}
        />
        <IconButton
          icon={refreshIcon}
          label={trans.__('Mount %1 again', mount.name)}
          isDisabled={isBusy}
          onClick={() => props.onRemount(mount)}
        />
        <IconButton
          icon={unmountIcon}
          label={trans.__('Unmount %1', mount.name)}
          isDisabled={isBusy}
          onClick={() => props.onUnmount(mount)}
        />
      </span>
      <MountDot state={mountState(mount, point, trans)} trans={trans} />
    </li>
  );
}

function SessionItem(props: IMountListProps & { session: api.Session }): React.JSX.Element {
  const { session, trans } = props;
  const branch = `${session.repo}@${session.branch}`;
  const address = session.name === null ? branch : `${branch}+${session.name}`;
  const isBusy = props.isBusy(session.id) || props.isBusy(session.repo);
  return (
    <li className="jp-DatalakeRow jp-DatalakeMountList-loose" data-place={session.id}>
      <span className="jp-DatalakeRow-text">
        <span className="jp-DatalakeRow-title">
          <span className="jp-DatalakeRow-name" title={session.notebook ?? undefined}>
            {address}
          </span>
          <Staged {...props} session={session.id} />
        </span>
        <span className="jp-DatalakeRow-facts">
          <span className="jp-DatalakeRow-author">{session.owner}</span>
          <Ago time={session.updated_at} />
        </span>
      </span>
      <span className="jp-DatalakeRow-actions">
        {session.name === null && (
          <IconButton
            icon={mountIcon}
            label={trans.__('Mount %1', address)}
            isDisabled={isBusy}
            onClick={() => props.onMount(session)}
          />
        )}
        <IconButton
          icon={deleteIcon}
          label={trans.__('Delete the session of %1', address)}
          isDisabled={isBusy}
          onClick={() => props.onDelete(session)}
        />
      </span>
    </li>
  );
}

function DraftItem(props: IMountListProps & { draft: api.SessionDraft }): React.JSX.Element {
  const { draft, trans } = props;
  const address = `${draft.repo}@${draft.branch}`;
  return (
    <li className="jp-DatalakeRow jp-DatalakeMountList-loose" data-place={draft.session_id}>
      <span className="jp-DatalakeRow-text">
        <span className="jp-DatalakeRow-title">
          <span className="jp-DatalakeRow-name">{address}</span>
          <span className="jp-DatalakeCount">{draft.changes}</span>
        </span>
        <span className="jp-DatalakeRow-facts">
          <span className="jp-DatalakeRow-author">{draft.owner}</span>
          <Ago time={draft.saved_at} />
        </span>
      </span>
      <button
        type="button"
        className="jp-DatalakeLink"
        aria-label={trans.__('Recover the changes in %1', address)}
        disabled={props.isBusy(draft.session_id)}
        onClick={() => props.onRecover(draft)}
      >
        {trans.__('Recover')}
      </button>
    </li>
  );
}

function Staged(
  props: Pick<IMountListProps, 'countOf' | 'trans'> & { session: string }
): React.JSX.Element | null {
  const { count, hasMore } = props.countOf(props.session);
  return count === 0 ? null : (
    <span className="jp-DatalakeCount" title={props.trans.__('Changes that are not committed')}>
      {count}
      {hasMore && '+'}
    </span>
  );
}
