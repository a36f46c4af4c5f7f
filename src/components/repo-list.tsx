/**
 * The repos of the lake with their branch, last commit and mount.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { folderIcon, historyIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { branchIcon, mountIcon, repoIcon, unmountIcon } from '../icons';
import { Ago } from './ago';
import { BehindTag } from './behind-tag';
import { DropTarget } from './drop-target';
import { shortId } from './formats';
import { REPO_MIME } from './formats';
import { IconButton } from './icon-button';
import { MountDot, mountState } from './mount-state';

/** What a row does. */
export interface IRepoActions {
  /** Mount the repo if it is not, and show its files. */
  onOpen: (repo: api.Repo) => void;
  onMount: (repo: api.Repo) => void;
  onUnmount: (mount: api.Mount) => void;
  /** Show another ref in the folder of a mount. */
  onSwitch: (mount: api.Mount) => void;
  onOpenMount: (mount: api.Mount) => void;
  onHistory: (repo: api.Repo) => void;
  /** Takes files of this computer. */
  onDrop: (transfer: DataTransfer, repo: api.Repo) => void;
}

/** What a {@link RepoList} shows and does. */
export interface IRepoListProps extends IRepoActions {
  repos: readonly api.Repo[];
  mountsOf: (repo: string) => readonly api.Mount[];
  pointOf: (mount: api.Mount) => api.Mountpoint | undefined;
  isBusy: (repo: string) => boolean;
  /** Name of the repo whose history is shown. */
  selected: string | null;
  trans: TranslationBundle;
}

/** All repos. */
export function RepoList(props: IRepoListProps): React.JSX.Element {
  return (
    <ul className="jp-DatalakeRepoList" aria-label={props.trans.__('Repos')}>
      {props.repos.map(repo => (
        <RepoItem key={repo.name} {...props} repo={repo} />
      ))}
    </ul>
  );
}

function RepoItem(props: IRepoListProps & { repo: api.Repo }): React.JSX.Element {
  const { repo, trans } = props;
  const mounts = props.mountsOf(repo.name);
  const main = mounts.find(mount => mount.name === repo.name);
  const isBusy = props.isBusy(repo.name);
  const state = main && mountState(main, props.pointOf(main), trans);
  const isSelected = props.selected === repo.name;
  const place = React.useRef<HTMLLIElement>(null);
  React.useEffect(() => {
    if (isSelected) {
      place.current?.scrollIntoView({ block: 'nearest' }); // one that was just made, for instance
    }
  }, [isSelected]);
  return (
    <li
      ref={place}
      className={`jp-DatalakeRepoList-item ${isSelected ? 'jp-mod-selected' : ''}`}
      data-repo={repo.name}
      data-mounted={main !== undefined}
      data-kind={repo.kind}
    >
      <DropTarget
        label={trans.__('Drop to upload to %1', repo.name)}
        // What a pipeline writes is nobody else's to write.
        onDrop={repo.kind === 'user' ? transfer => props.onDrop(transfer, repo) : undefined}
      >
        <div
          className="jp-DatalakeRow"
          draggable
          onDragStart={event => {
            event.dataTransfer.setData(REPO_MIME, repo.name);
            event.dataTransfer.effectAllowed = 'copy';
          }}
        >
          <button
            type="button"
            className="jp-DatalakeRow-main"
            aria-current={isSelected ? 'true' : undefined}
            aria-label={
              main
                ? trans.__('%1, mounted: show its files', repo.name)
                : trans.__('%1: mount it and show its files', repo.name)
            }
            title={repo.description || undefined}
            onClick={() => props.onOpen(repo)}
          >
            <repoIcon.react tag="span" className="jp-DatalakeRow-icon" />
            <span className="jp-DatalakeRow-text">
              <span className="jp-DatalakeRow-title">
                <span className="jp-DatalakeRow-name">{repo.name}</span>
                {repo.kind === 'output' && (
                  <span
                    className="jp-DatalakeTag"
                    title={trans.__('Written by the pipeline of this name')}
                  >
                    {trans.__('output')}
                  </span>
                )}
                {main && <BehindTag mount={main} trans={trans} />}
              </span>
              <RepoFacts repo={repo} mount={main} trans={trans} />
            </span>
          </button>
          <span className="jp-DatalakeRow-actions">
            <IconButton
              icon={historyIcon}
              label={trans.__('History of %1', repo.name)}
              onClick={() => props.onHistory(repo)}
            />
            {main ? (
              <>
                <IconButton
                  icon={branchIcon}
                  label={trans.__('Switch %1 to another branch, tag or commit', repo.name)}
                  isDisabled={isBusy}
                  onClick={() => props.onSwitch(main)}
                />
                <IconButton
                  icon={unmountIcon}
                  label={trans.__('Unmount %1', repo.name)}
                  isDisabled={isBusy}
                  onClick={() => props.onUnmount(main)}
                />
              </>
            ) : (
              <IconButton
                icon={mountIcon}
                label={trans.__('Mount %1', repo.name)}
                isDisabled={isBusy}
                onClick={() => props.onMount(repo)}
              />
            )}
          </span>
          {isBusy ? (
            <span
              className="jp-DatalakeMountDot jp-mod-busy"
              role="img"
              aria-label={trans.__('Working…')}
              title={trans.__('Working…')}
            />
          ) : (
            <MountDot state={state} trans={trans} />
          )}
        </div>
        {mounts
          .filter(mount => mount !== main)
          .map(mount => (
            <MountItem key={mount.name} {...props} mount={mount} />
          ))}
      </DropTarget>
    </li>
  );
}

/** What the folder of a repo shows; of one that is not mounted, its branch. */
function RepoFacts(props: {
  repo: api.Repo;
  mount: api.Mount | undefined;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { repo, mount, trans } = props;
  const head = repo.head;
  const shown = mount?.standing?.commit_id ?? head?.commit_id;
  return (
    <span className="jp-DatalakeRow-facts">
      <span>{mount?.ref ?? 'main'}</span>
      {shown && shown !== head?.commit_id ? (
        <code title={shown}>{shortId(shown)}</code>
      ) : head ? (
        <>
          <code title={`${head.commit_id}\n${head.message}`}>{shortId(head.commit_id)}</code>
          <Ago time={head.created_at} />
        </>
      ) : (
        <span>{trans.__('no commit yet')}</span>
      )}
    </span>
  );
}

/** One more ref of a repo that is mounted beside its branch. */
function MountItem(props: IRepoListProps & { mount: api.Mount }): React.JSX.Element {
  const { mount, trans } = props;
  const state = mountState(mount, props.pointOf(mount), trans);
  const ref = mount.name.slice(mount.repo.length);
  return (
    <div className="jp-DatalakeRow jp-mod-nested" data-mount={mount.name}>
      <button
        type="button"
        className="jp-DatalakeRow-main"
        aria-label={trans.__('%1, mounted: show its files', mount.name)}
        onClick={() => props.onOpenMount(mount)}
      >
        <folderIcon.react tag="span" className="jp-DatalakeRow-icon" />
        <span className="jp-DatalakeRow-name">{ref || mount.name}</span>
        {!mount.is_writable && <span className="jp-DatalakeTag">{trans.__('read-only')}</span>}
        <BehindTag mount={mount} trans={trans} />
      </button>
      <span className="jp-DatalakeRow-actions">
        <IconButton
          icon={unmountIcon}
          label={trans.__('Unmount %1', mount.name)}
          onClick={() => props.onUnmount(mount)}
        />
      </span>
      <MountDot state={state} trans={trans} />
    </div>
  );
}
