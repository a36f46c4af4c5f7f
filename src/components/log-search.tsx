/**
 * Searching what the datums of a job printed: each line that is found leads to its place.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import type { ILogSearch } from '../logs';

/** What a {@link LogSearch} shows and does. */
export interface ILogSearchProps {
  /** Null while nothing is searched for. */
  search: ILogSearch | null;
  trans: TranslationBundle;
  /** Search for a text; for nothing, if it is empty. */
  onSearch: (text: string) => void;
  /** Look for more. */
  onSearchOn: () => void;
  /** Show a line where it stands. */
  onLine: (line: api.LogLine) => void;
}

/** A search field with the lines that it found. */
export function LogSearch(props: ILogSearchProps): React.JSX.Element {
  const { search, trans } = props;
  const [text, setText] = React.useState(search?.text ?? '');
  return (
    <section className="jp-DatalakeLogSearch">
      <form
        role="search"
        className="jp-DatalakeLogSearch-form"
        onSubmit={event => {
          event.preventDefault();
          props.onSearch(text);
        }}
      >
        <input
          type="search"
          className="jp-mod-styled"
          placeholder={trans.__('Search the logs of this job')}
          aria-label={trans.__('Search the logs of this job')}
          value={text}
          onChange={event => {
            setText(event.target.value);
            if (event.target.value === '') {
              props.onSearch('');
            }
          }}
        />
        <button
          type="submit"
          className="jp-DatalakeButton jp-mod-styled"
          disabled={text === '' || search?.isBusy}
        >
          {trans.__('Search')}
        </button>
      </form>
      {search && <Found {...props} search={search} />}
    </section>
  );
}

function Found(props: ILogSearchProps & { search: ILogSearch }): React.JSX.Element {
  const { search, trans } = props;
  return (
    <>
      <p className="jp-DatalakeNote" role="status">
        {countText(search, trans)}
      </p>
      {search.lines.length > 0 && (
        <ul className="jp-DatalakeLogSearch-lines" aria-label={trans.__('Lines that were found')}>
          {search.lines.map(line => (
            <li key={`${line.position}:${line.line}`}>
              <button
                type="button"
                className="jp-DatalakeLogSearch-line"
                onClick={() => props.onLine(line)}
              >
                <span className="jp-DatalakeLogSearch-place">
                  {trans.__('%1, line %2', line.label, line.line)}
                </span>
                <code>{line.text}</code>
              </button>
            </li>
          ))}
        </ul>
      )}
      {search.hasMore && (
        <button
          type="button"
          className="jp-DatalakeMore"
          disabled={search.isBusy}
          onClick={props.onSearchOn}
        >
          {trans.__('Search on')}
        </button>
      )}
    </>
  );
}

function countText(search: ILogSearch, trans: TranslationBundle): string {
  const count = search.lines.length;
  if (search.isBusy) {
    return trans.__('Searching…');
  }
  if (search.problem) {
    return search.problem;
  }
  if (count === 0) {
    return trans.__('No line holds “%1”.', search.text);
  }
  return search.hasMore
    ? trans.__('The first %1 lines', count)
    : trans._n('%1 line', '%1 lines', count, count);
}
