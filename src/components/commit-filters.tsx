/**
 * Choosing which commits of a history are shown, and how far they were looked for.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { IconButton } from './icon-button';

/** What commits are filtered by. */
export interface ICommitFilterValues {
  path: string;
  author: string;
  text: string;
}

/** What {@link CommitFilters} shows and does. */
export interface ICommitFiltersProps {
  values: ICommitFilterValues;
  /** Whether the first field has the focus when it comes up. */
  takesFocus: boolean;
  trans: TranslationBundle;
  onChange: (values: ICommitFilterValues) => void;
  /** Show all commits, and no filters. */
  onClose: () => void;
}

/** A row of fields; Escape shows all commits again. */
export function CommitFilters(props: ICommitFiltersProps): React.JSX.Element {
  const { values, trans } = props;
  const fields: [keyof ICommitFilterValues, string, string][] = [
    ['path', trans.__('Path'), trans.__('Commits that changed this file or folder')],
    ['text', trans.__('Message'), trans.__('Commits with this in the message')],
    ['author', trans.__('Author'), trans.__('Commits of people with this in their name or address')]
  ];
  return (
    <div
      className="jp-DatalakeCommitFilters"
      role="search"
      aria-label={trans.__('Filter the commits')}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          props.onClose();
        }
      }}
    >
      {fields.map(([name, label, help]) => (
        <input
          key={name}
          type="search"
          className={`jp-DatalakeField jp-mod-${name}`}
          placeholder={label}
          aria-label={label}
          title={help}
          autoFocus={props.takesFocus && name === 'path'}
          spellCheck={false}
          value={values[name]}
          onChange={event => props.onChange({ ...values, [name]: event.target.value })}
        />
      ))}
      <IconButton
        icon={closeIcon}
        label={trans.__('Show all commits')}
        onClick={() => props.onClose()}
      />
    </div>
  );
}

/** What {@link CommitSearch} shows and does. */
export interface ICommitSearchProps {
  found: number;
  looked: number;
  isLooking: boolean;
  isStopped: boolean;
  hasMore: boolean;
  trans: TranslationBundle;
  onStop: () => void;
  onGoOn: () => void;
}

/** How far commits were looked for that fit. */
export function CommitSearch(props: ICommitSearchProps): React.JSX.Element {
  const { found, trans } = props;
  const looked = props.looked.toLocaleString();
  const text = props.isLooking
    ? trans.__('Looked at %1 commits, found %2…', looked, found)
    : props.isStopped
      ? trans.__('Stopped after %1 commits; found %2.', looked, found)
      : props.hasMore
        ? trans.__('Found %1 in the newest %2 commits.', found, looked)
        : trans.__('Found %1 in all %2 commits.', found, looked);
  return (
    <p className="jp-DatalakeNote jp-DatalakeCommitSearch">
      <span role="status">{text}</span>
      {props.isLooking && (
        <button type="button" className="jp-DatalakeLink" onClick={props.onStop}>
          {trans.__('Stop')}
        </button>
      )}
      {props.isStopped && !props.isLooking && (
        <button type="button" className="jp-DatalakeLink" onClick={props.onGoOn}>
          {trans.__('Go on')}
        </button>
      )}
    </p>
  );
}
