/**
 * The files of a commit; folders are loaded when they are opened.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  caretDownIcon,
  caretRightIcon,
  fileIcon,
  folderIcon,
  linkIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import { lineageIcon } from '../icons';
import { formatBytes } from './formats';
import { IconButton } from './icon-button';

/** One folder, as far as it is loaded. */
export interface ITreeFolder {
  readonly files: readonly api.File[];
  readonly next: string | null;
  readonly isLoading: boolean;
  readonly error: Error | null;
}

/** What a {@link FileTree} shows and does. */
export interface IFileTreeProps {
  /** Folders that are open, by path; the root is the empty path. */
  folders: ReadonlyMap<string, ITreeFolder>;
  trans: TranslationBundle;
  onToggle: (path: string) => void;
  onMore: (path: string) => void;
  /** Show a file. */
  onOpen: (path: string) => void;
  /** Show what made a file and what uses it. */
  onLineage?: (path: string) => void;
}

/** The files below the root. */
export function FileTree(props: IFileTreeProps): React.JSX.Element {
  const isOpen = props.folders.has('');
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  return (
    <div className="jp-DatalakeFileTree">
      <button
        type="button"
        className="jp-DatalakeDisclosure"
        aria-expanded={isOpen}
        onClick={() => props.onToggle('')}
      >
        <Caret.react tag="span" className="jp-DatalakeRow-icon" />
        {props.trans.__('All files')}
      </button>
      {isOpen && <Folder path="" depth={0} {...props} />}
    </div>
  );
}

function Folder(props: IFileTreeProps & { path: string; depth: number }): React.JSX.Element {
  const { path, depth, trans } = props;
  const folder = props.folders.get(path);
  const indent = { paddingLeft: 8 + depth * 12 };
  return (
    <ul className="jp-DatalakeFileTree-list">
      {folder?.files.map(file => (
        <li key={file.path}>
          <FileLine {...props} file={file} />
        </li>
      ))}
      {folder?.isLoading && <li style={indent}>{trans.__('Loading…')}</li>}
      {folder?.error && (
        <li style={indent} role="alert">
          {folder.error.message}
        </li>
      )}
      {folder && !folder.isLoading && !folder.error && folder.files.length === 0 && (
        <li style={indent}>{trans.__('no files')}</li>
      )}
      {folder?.next && (
        <li style={indent}>
          <button type="button" className="jp-DatalakeLink" onClick={() => props.onMore(path)}>
            {trans.__('Show more')}
          </button>
        </li>
      )}
    </ul>
  );
}

function FileLine(
  props: IFileTreeProps & { path: string; depth: number; file: api.File }
): React.JSX.Element {
  const { file, depth, onLineage, trans } = props;
  const style = { paddingLeft: 8 + depth * 12 };
  if (file.kind === 'symlink') {
    return (
      <span className="jp-DatalakeFileTree-line" style={style} title={file.target ?? file.path}>
        <linkIcon.react tag="span" className="jp-DatalakeRow-icon" />
        <span className="jp-DatalakeFileTree-name">{file.name}</span>
        <span className="jp-DatalakeFileTree-size">{formatBytes(file.size_bytes)}</span>
      </span>
    );
  }
  if (file.kind === 'file') {
    return (
      <span className="jp-DatalakeFileTree-file" data-path={file.path}>
        <button
          type="button"
          className="jp-DatalakeFileTree-line"
          style={style}
          title={file.path}
          onClick={() => props.onOpen(file.path)}
        >
          <fileIcon.react tag="span" className="jp-DatalakeRow-icon" />
          <span className="jp-DatalakeFileTree-name">{file.name}</span>
          <span className="jp-DatalakeFileTree-size">{formatBytes(file.size_bytes)}</span>
        </button>
        {onLineage && (
          <IconButton
            className="jp-DatalakeFileTree-action"
            icon={lineageIcon}
            label={trans.__('What made %1, and what uses it', file.name)}
            onClick={() => onLineage(file.path)}
          />
        )}
      </span>
    );
  }
  const isOpen = props.folders.has(file.path);
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  return (
    <>
      <button
        type="button"
        className="jp-DatalakeFileTree-line"
        style={style}
        aria-expanded={isOpen}
        onClick={() => props.onToggle(file.path)}
      >
        <Caret.react tag="span" className="jp-DatalakeRow-icon" />
        <folderIcon.react tag="span" className="jp-DatalakeRow-icon" />
        <span className="jp-DatalakeFileTree-name">{file.name}</span>
      </button>
      {isOpen && <Folder {...props} path={file.path} depth={depth + 1} />}
    </>
  );
}
