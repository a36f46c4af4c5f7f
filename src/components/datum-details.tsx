/**
 * What one datum was given, what it opened of it, and what it made.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { formatBytes } from './formats';

const SHOWN = 100;

/** What {@link DatumDetails} show. */
export interface IDatumDetailsProps {
  datum: api.Datum;
  /** What it was seen to open, newest first. */
  opened: readonly api.Observation[];
  /** The commit that has what it made, with that of the other datums; null where there is none. */
  output: { repo: string; commit: string } | null;
  trans: TranslationBundle;
  /** Show a file or folder at a commit. */
  onFile: (repo: string, commit: string, path: string) => void;
}

/** Inputs and output of a datum, each to be looked at with a click. */
export function DatumDetails(props: IDatumDetailsProps): React.JSX.Element {
  const { datum, opened, output, trans, onFile } = props;
  return (
    <section
      className="jp-DatalakeDatumDetails"
      aria-label={trans.__('Inputs and output of %1', datum.label)}
    >
      <dl className="jp-DatalakeFacts">
        {datum.inputs.slice(0, SHOWN).map((input, index) => (
          <React.Fragment key={index}>
            <dt>{input.name}</dt>
            <dd>
              <Place
                repo={input.repo}
                commit={input.commit_id}
                path={input.path}
                trans={trans}
                onFile={onFile}
              />{' '}
              <span className="jp-DatalakeRow-version">{formatBytes(input.size_bytes)}</span>
            </dd>
          </React.Fragment>
        ))}
        {datum.inputs.length > SHOWN && (
          <>
            <dt />
            <dd>{trans.__('and %1 more', datum.inputs.length - SHOWN)}</dd>
          </>
        )}
        {output && (
          <>
            <dt>{trans.__('Output')}</dt>
            <dd>
              <Place {...output} path="" trans={trans} onFile={onFile} />
            </dd>
          </>
        )}
      </dl>
      {opened.length > 0 && (
        <>
          <h3 className="jp-DatalakeDatumDetails-title">{trans.__('Seen to open')}</h3>
          <ul className="jp-DatalakeDatumDetails-list" aria-label={trans.__('Opened files')}>
            {opened.slice(0, SHOWN).map(({ repo, commit_id, path, opens, kind, seen_by }) => (
              <li key={`${kind} ${seen_by} ${repo}@${commit_id}/${path}`}>
                <Place repo={repo} commit={commit_id} path={path} trans={trans} onFile={onFile} />
                {opens > 1 && (
                  <span className="jp-DatalakeRow-version"> {trans.__('%1 times', opens)}</span>
                )}
                {kind === 'write' && (
                  <span className="jp-DatalakeRow-version"> {trans.__('to write')}</span>
                )}
              </li>
            ))}
          </ul>
          {opened.length > SHOWN && (
            <p className="jp-DatalakeNote">{trans.__('These are the newest %1.', SHOWN)}</p>
          )}
        </>
      )}
    </section>
  );
}

/** A path, to be shown with a click where it is known of which commit it is. */
function Place(props: {
  repo: string | null;
  commit: string | null;
  path: string;
  trans: TranslationBundle;
  onFile: IDatumDetailsProps['onFile'];
}): React.JSX.Element {
  const { repo, commit, trans } = props;
  const path = props.path.replace(/^\/+/, '');
  if (repo === null || commit === null) {
    return <code>{path}</code>;
  }
  const text = `${repo}/${path}`;
  return (
    <button
      type="button"
      className="jp-DatalakeLink"
      title={trans.__('Show %1 as it was read or made', text)}
      onClick={() => props.onFile(repo, commit, path)}
    >
      {text}
    </button>
  );
}
