/**
 * Paths that were added, modified or removed.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon, undoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { toggled } from '../sets';
import type { IChangeRow, IFolderRow } from './change-rows';
import { listRows, treeRows } from './change-rows';
import { formatBytes } from './formats';
import { IconButton } from './icon-button';
import { useWindow } from './windowed';

/** What a {@link ChangeList} shows and does. */
export interface IChangeListProps {
  changes: readonly api.Change[];
  hasMore: boolean;
  /** Name of the list for screen readers. */
  label: string;
  trans: TranslationBundle;
  /** Whether changes stand below their folders. */
  isTree?: boolean;
  /** Where there is something to discard: a path, or all below a folder. */
  onDiscard?: (path: string, isFolder: boolean) => void;
  /** Where more can be loaded, once the end is seen. */
  onMore?: () => void;
  /** Show a changed file, where it can be looked at. */
  onOpen?: (change: api.Change) => void;
}

/** The letter and the word for a kind of change. */
export function changeText(kind: api.ChangeKind, trans: TranslationBundle): [string, string] {
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
  const { changes, isTree, hasMore, onMore, trans } = props;
  const [closed, setClosed] = React.useState<ReadonlySet<string>>(new Set());
  const rows = React.useMemo(
    () => (isTree ? treeRows(changes, closed) : listRows(changes)),
    [changes, closed, isTree]
  );
  const list = React.useRef<HTMLUListElement>(null);
  const shown = useWindow(list, rows.length, hasMore ? onMore : undefined);
  const toggle = (path: string) => setClosed(before => toggled(before, path));
  return (
    <>
      <ul
        ref={list}
        className="jp-DatalakeChangeList"
        aria-label={props.label}
        style={{ paddingTop: shown.above_px, paddingBottom: shown.below_px }}
      >
        {rows.slice(shown.first, shown.end).map((row, index) => {
          const place = {
            'aria-posinset': shown.first + index + 1,
            'aria-setsize': hasMore ? -1 : rows.length
          };
          return row.kind === 'folder' ? (
            <FolderItem
              key={`${row.path}/`}
              {...props}
              row={row}
              place={place}
              onToggle={() => toggle(row.path)}
            />
          ) : (
            <ChangeItem key={row.change.path} {...props} row={row} place={place} />
          );
        })}
      </ul>
      {hasMore && (
        <p className="jp-DatalakeNote">
          {onMore
            ? trans.__('Loading more…')
            : trans.__('These are the first %1 changes.', changes.length)}
        </p>
      )}
    </>
  );
}

/** Where a line is among all of them, those included that are not drawn. */
interface IPlace {
  'aria-posinset': number;
  'aria-setsize': number;
}

function FolderItem(
  props: IChangeListProps & { row: IFolderRow; place: IPlace; onToggle: () => void }
): React.JSX.Element {
  const { row, trans } = props;
  const Caret = row.isOpen ? caretDownIcon : caretRightIcon;
  return (
    <li
      className="jp-DatalakeChangeList-item"
      data-path={`${row.path}/`}
      style={indent(row.depth)}
      {...props.place}
    >
      <button
        type="button"
        className="jp-DatalakeChangeList-toggle"
        aria-expanded={row.isOpen}
        title={row.path}
        onClick={props.onToggle}
      >
        <Caret.react tag="span" className="jp-DatalakeRow-icon" />
        <span className="jp-DatalakeChangeList-name">{row.name}</span>
      </button>
      <span className="jp-DatalakeCount">{row.count}</span>
      {props.onDiscard && (
        <IconButton
          icon={undoIcon}
          label={trans.__('Discard all changes below %1', row.path)}
          onClick={() => props.onDiscard?.(row.path, true)}
        />
      )}
    </li>
  );
}

function indent(depth: number): React.CSSProperties | undefined {
  return depth > 0 ? { paddingLeft: 10 + depth * 12 } : undefined;
}

function ChangeItem(
  props: IChangeListProps & { row: IChangeRow; place: IPlace }
): React.JSX.Element {
  const { isTree, trans } = props;
  const { change, depth } = props.row;
  const [letter, word] = changeText(change.kind, trans);
  const slash = change.path.lastIndexOf('/') + 1;
  const kind = (change.new ?? change.old)?.kind;
  const name = (
    <>
      <span className="jp-DatalakeChangeList-name">
        {change.path.slice(slash)}
        {kind === 'folder' && '/'}
      </span>
      {slash > 0 && !isTree && (
        <span className="jp-DatalakeChangeList-folder">{change.path.slice(0, slash - 1)}</span>
      )}
    </>
  );
  return (
    <li
      className="jp-DatalakeChangeList-item"
      data-path={change.path}
      style={indent(depth)}
      {...props.place}
    >
      <abbr className={`jp-DatalakeChangeList-kind jp-mod-${change.kind}`} title={word}>
        {letter}
      </abbr>
      {props.onOpen && kind === 'file' ? (
        <button
          type="button"
          className="jp-DatalakeChangeList-path jp-mod-button"
          title={change.path}
          onClick={() => props.onOpen?.(change)}
        >
          {name}
        </button>
      ) : (
        <span className="jp-DatalakeChangeList-path" title={change.path}>
          {name}
        </span>
      )}
      <span className="jp-DatalakeChangeList-size" title={sizeHelp(change, trans)}>
        {sizeText(change)}
      </span>
      {props.onDiscard && (
        <IconButton
          icon={undoIcon}
          label={trans.__('Discard the change of %1', change.path)}
          onClick={() => props.onDiscard?.(change.path, false)}
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
