/**
 * One file of one commit: what made it, and what uses it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, notebookIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { shortId } from './formats';
import { IconButton } from './icon-button';

/** One file of one commit, as the sheet names it. */
interface IPlace {
  repo: string;
  ref: string;
  path: string;
}

/** What a {@link FileSheet} shows and does. */
export interface IFileSheetProps {
  file: IPlace;
  /** Null until it is loaded. */
  lineage: api.Lineage | null;
  trans: TranslationBundle;
  /** Show another file. */
  onFile: (file: IPlace) => void;
  onJob: (job: string) => void;
  onNotebook: (job: string, datum: number) => void;
  onHistory: (repo: string, ref: string) => void;
  onClose: () => void;
}

/** The sheet of a file beside the graph. */
export function FileSheet(props: IFileSheetProps): React.JSX.Element {
  const { file, lineage, trans } = props;
  const ref = lineage?.commit.id ?? file.ref;
  return (
    <aside className="jp-DatalakeLineageSheet" aria-label={trans.__('file %1', file.path)}>
      <header className="jp-DatalakeLineageSheet-header">
        <span className="jp-DatalakeLineageSheet-kind">{trans.__('file')}</span>
        <h3 className="jp-DatalakeLineageSheet-title" title={file.path}>
          {file.path}
        </h3>
        <IconButton icon={closeIcon} label={trans.__('Close')} onClick={props.onClose} />
      </header>
      <div className="jp-DatalakeLineageSheet-buttons">
        <button
          type="button"
          className="jp-DatalakeLink"
          title={trans.__('Show this commit in the history')}
          onClick={() => props.onHistory(file.repo, ref)}
        >
          {file.repo}@{shortId(ref)}
        </button>
      </div>
      {lineage === null ? (
        <p className="jp-DatalakeNote">{trans.__('Loading…')}</p>
      ) : (
        <>
          <h4 className="jp-DatalakeLineageSheet-section">{trans.__('What made this?')}</h4>
          <Makers {...props} lineage={lineage} />
          <h4 className="jp-DatalakeLineageSheet-section">{trans.__('What uses this?')}</h4>
          <Uses {...props} lineage={lineage} />
        </>
      )}
    </aside>
  );
}

type ILoadedProps = IFileSheetProps & { lineage: api.Lineage };

function Makers(props: ILoadedProps): React.JSX.Element {
  const { lineage, trans } = props;
  const { commit, makers } = lineage;
  if (makers.length === 0) {
    return (
      <p className="jp-DatalakeNote">
        {commit.provenance.pipeline
          ? trans.__('%1; which of its datums is not known any more.', commit.provenance.pipeline)
          : trans.__('%1 committed it.', commit.author.name)}
      </p>
    );
  }
  return (
    <ul className="jp-DatalakeLineageSheet-list" aria-label={trans.__('What made this?')}>
      {makers.map(datum => (
        <li key={`${datum.job_id} ${datum.position}`} className="jp-DatalakeRow">
          <span className="jp-DatalakeRow-text">
            <button
              type="button"
              className="jp-DatalakeLink"
              onClick={() => props.onJob(datum.job_id)}
            >
              {trans.__('%1, datum %2', commit.provenance.pipeline ?? '', datum.position)}
            </button>
            <Inputs {...props} datum={datum} />
          </span>
          <span className="jp-DatalakeRow-actions">
            <IconButton
              icon={notebookIcon}
              label={trans.__('Open what datum %1 ran', datum.position)}
              onClick={() => props.onNotebook(datum.job_id, datum.position)}
            />
          </span>
        </li>
      ))}
    </ul>
  );
}

/** What a datum read; a file leads to what made it. */
function Inputs(props: ILoadedProps & { datum: api.Datum }): React.JSX.Element {
  const { datum, trans } = props;
  return (
    <span className="jp-DatalakeRow-facts">
      {datum.inputs.map(({ name, repo, commit_id: ref, path }) =>
        repo !== null && ref !== null && path !== '' ? (
          <button
            key={name}
            type="button"
            className="jp-DatalakeLink"
            title={trans.__('What made this file, and what uses it')}
            onClick={() => props.onFile({ repo, ref, path })}
          >
            {repo}/{path}
          </button>
        ) : (
          <span key={name}>{repo === null ? path : trans.__('all of %1', repo)}</span>
        )
      )}
    </span>
  );
}

function Uses(props: ILoadedProps): React.JSX.Element {
  const { lineage, trans } = props;
  if (lineage.uses.length === 0) {
    return (
      <p className="jp-DatalakeNote">{trans.__('No output was made from it at this commit.')}</p>
    );
  }
  return (
    <ul className="jp-DatalakeLineageSheet-list" aria-label={trans.__('What uses this?')}>
      {lineage.uses.map(use => (
        <li key={`${use.commit_id} ${use.position} ${use.path}`} className="jp-DatalakeRow">
          <span className="jp-DatalakeRow-text">
            <button
              type="button"
              className="jp-DatalakeLink"
              onClick={() => props.onJob(use.job_id)}
            >
              {trans.__('%1, datum %2', use.repo, use.position)}
            </button>
            <span className="jp-DatalakeRow-facts">
              <button
                type="button"
                className="jp-DatalakeLink"
                title={trans.__('Show this commit in the history')}
                onClick={() => props.onHistory(use.repo, use.commit_id)}
              >
                {use.repo}@{shortId(use.commit_id)}
              </button>
              <span>{trans.__('as %1', use.name)}</span>
            </span>
          </span>
          <span className="jp-DatalakeRow-actions">
            <IconButton
              icon={notebookIcon}
              label={trans.__('Open what datum %1 ran', use.position)}
              onClick={() => props.onNotebook(use.job_id, use.position)}
            />
          </span>
        </li>
      ))}
    </ul>
  );
}
