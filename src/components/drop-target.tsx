/**
 * A place onto which files of this computer can be dropped.
 */
import * as React from 'react';

/** The class of a place onto which files can be dropped. */
export const DROP_TARGET = 'jp-DatalakeDropTarget';

/** What a {@link DropTarget} shows and does. */
export interface IDropTargetProps {
  /** Says where what is dropped goes, while it is held above the place. */
  label: string;
  /** Takes what is dropped; left out where nothing can be. */
  onDrop?: (transfer: DataTransfer) => void;
  className?: string;
  children: React.ReactNode;
}

/** A part of a panel that takes files; the innermost of several does. */
export function DropTarget(props: IDropTargetProps): React.JSX.Element {
  const { onDrop } = props;
  const [isOver, setOver] = React.useState(false);
  const over = (event: React.DragEvent): void => {
    if (hasFiles(event.dataTransfer)) {
      event.preventDefault(); // else the browser opens the file in place of JupyterLab
      event.stopPropagation();
      event.dataTransfer.dropEffect = onDrop ? 'copy' : 'none';
      setOver(onDrop !== undefined);
    }
  };
  return (
    <div
      className={`${DROP_TARGET} ${props.className ?? ''} ${isOver ? 'jp-mod-over' : ''}`}
      onDragEnter={over}
      onDragOver={over}
      onDragLeave={event => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) {
          setOver(false);
        }
      }}
      onDrop={event => {
        if (hasFiles(event.dataTransfer)) {
          event.preventDefault();
          event.stopPropagation();
          setOver(false);
          onDrop?.(event.dataTransfer);
        }
      }}
    >
      {props.children}
      {isOver && (
        <span className="jp-DatalakeDropTarget-label" role="status">
          {props.label}
        </span>
      )}
    </div>
  );
}

/** Return whether files of this computer are dragged; what they are is told when they are dropped. */
export function hasFiles(transfer: DataTransfer): boolean {
  return transfer.types.includes('Files');
}
