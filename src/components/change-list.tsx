/**
 * Paths that were added, modified or removed.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { undoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { formatBytes } from './formats';
import { IconButton } from './icon-button';

/** What a {@link ChangeList} shows and does. */
export interface IChangeListProps {
  changes: readonly api.Change[];
  hasMore: boolean;
  /** Name of the list for screen readers. */
  label: string;
  trans: TranslationBundle;
  /** Where there is something to discard. */
  onDiscard?: (path: string) => void;
}

/** The letter and the word for a kind of change. */
function kindText(kind: api.ChangeKind, trans: TranslationBundle): [string, string] {
  switch (kind) {
    case 'added':
      return ['A', trans.__('added')];
    case 'modified':
      return ['M', trans.__('modified')];
    case 'removed':
      return ['D', trans.__('removed')];
    case 'renamed':
      return ['R', trans.__('renamed')];
  }
}

/** Changes by path, one line each. */
export function ChangeList(props: IChangeListProps): React.JSX.Element {
  const { trans } = props;
  return (
    <>
      <ul className="jp-DatalakeChangeList" aria-label={props.label}>
        {props.changes.map(change => (
          <ChangeItem key={change.path} {...props} change={change} />
        ))}
      </ul>
      {props.hasMore && (
        <p className="jp-DatalakeNote">
          {trans.__('These are the first %1 changes.', props.changes.length)}
        </p>
      )}
    </>
  );
}

function ChangeItem(props: IChangeListProps & { change: api.Change }): React.JSX.Element {
  const { change, trans } = props;
  const [letter, word] = kindText(change.kind, trans);
  const slash = change.path.lastIndexOf('/') + 1;
  const isFolder = (change.new ?? change.old)?.kind === 'folder';
  return (
    <li className="jp-DatalakeChangeList-item" data-path={change.path}>
      <abbr className={`jp-DatalakeChangeList-kind jp-mod-${change.kind}`} title={word}>
        {letter}
      </abbr>
      <span className="jp-DatalakeChangeList-path" title={change.path}>
        <span className="jp-DatalakeChangeList-name">
          {change.path.slice(slash)}
          {isFolder && '/'}
        </span>
        {slash > 0 && (
          <span className="jp-DatalakeChangeList-folder">{change.path.slice(0, slash - 1)}</span>
        )}
      </span>
      <span className="jp-DatalakeChangeList-size" title={sizeHelp(change, trans)}>
        {sizeText(change)}
      </span>
      {props.onDiscard && (
        <IconButton
          icon={undoIcon}
          label={trans.__('Discard the change of %1', change.path)}
          onClick={() => props.onDiscard?.(change.path)}
        />
      )}
    </li>
  );
}

function sizeText(change: api.Change): string {
  const { size_change_bytes: bytes } = change;
  if (bytes === 0) {
    return change.kind === 'modified' ? '±0' : '';
  }
  return `${bytes > 0 ? '+' : ''}${formatBytes(bytes)}`;
}

function sizeHelp(change: api.Change, trans: TranslationBundle): string {
  const { old, new: now } = change;
  if (old && now) {
    return trans.__('%1 before, %2 now', formatBytes(old.size_bytes), formatBytes(now.size_bytes));
  }
  return formatBytes((now ?? old)?.size_bytes ?? 0);
}
