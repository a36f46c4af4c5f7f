/**
 * Choosing a version of a repo: a branch, a tag, or what is staged.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';
import { shortId } from './formats';

/** A commit by a ref expression, or what is staged in a session. */
type Version = { ref: string } | { session: string };

/** What a {@link VersionPicker} shows and does. */
export interface IVersionPickerProps {
  /** What it chooses. */
  label: string;
  value: Version;
  refs: readonly api.Ref[];
  /** Sessions of the repo; none can be chosen when left out. */
  sessions?: readonly api.Session[];
  trans: TranslationBundle;
  onChange: (version: Version) => void;
}

/** Refs, and sessions by what they are mounted as. */
export function VersionPicker(props: IVersionPickerProps): React.JSX.Element {
  const { value, refs, sessions = [], trans } = props;
  const ofKind = (kind: api.Ref['kind']) => refs.filter(ref => ref.kind === kind);
  const isKnown =
    'ref' in value
      ? refs.some(({ name }) => name === value.ref)
      : sessions.some(({ id }) => id === value.session);
  return (
    <select
      className="jp-DatalakeField jp-DatalakeRefPicker"
      aria-label={props.label}
      value={textOf(value)}
      onChange={event => {
        const { value: chosen } = event.target;
        const [kind, name] = [chosen.slice(0, 1), chosen.slice(2)];
        props.onChange(kind === 's' ? { session: name } : { ref: name });
      }}
    >
      {!isKnown && 'ref' in value && (
        <option value={textOf(value)}>
          {/^[0-9a-f]{64}$/.test(value.ref) ? shortId(value.ref) : value.ref}
        </option>
      )}
      {!isKnown && 'session' in value && (
        <option value={textOf(value)}>{trans.__('What is staged')}</option>
      )}
      {sessions.length > 0 && (
        <optgroup label={trans.__('Not committed')}>
          {sessions.map(session => (
            <option key={session.id} value={textOf({ session: session.id })}>
              {stagedText(session, trans)}
            </option>
          ))}
        </optgroup>
      )}
      <Refs label={trans.__('Branches')} refs={ofKind('branch')} />
      <Refs label={trans.__('Tags')} refs={ofKind('tag')} />
    </select>
  );
}

/** Return how what is staged in a session is called. */
export function stagedText({ repo, branch, name }: api.Session, trans: TranslationBundle): string {
  const place = `${repo}@${branch}`;
  return trans.__('what is staged in %1', name === null ? place : `${place}+${name}`);
}

function Refs(props: { label: string; refs: readonly api.Ref[] }): React.JSX.Element | null {
  return props.refs.length === 0 ? null : (
    <optgroup label={props.label}>
      {props.refs.map(({ name }) => (
        <option key={name} value={textOf({ ref: name })}>
          {name}
        </option>
      ))}
    </optgroup>
  );
}

/** Return a version as the value of an option: no ref begins with another letter and a colon. */
function textOf(version: Version): string {
  return 'session' in version ? `s:${version.session}` : `r:${version.ref}`;
}
