/**
 * The history of a ref: one row per commit, which opens.
 */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type * as api from '../api/types';
import type { ILaneRow } from '../history/lanes';
import { lanesOf, NO_LANES } from '../history/lanes';
import { branchIcon, pipelineIcon, tagIcon } from '../icons';
import { Ago } from './ago';
import type { ICommitDetailsProps } from './commit-details';
import { CommitDetails } from './commit-details';
import { CommitLanes, LanesBeside } from './commit-lanes';
import { formatBytes, shortId } from './formats';
import { useWindow } from './windowed';

/** What a {@link CommitList} shows and does. */
export interface ICommitListProps extends Omit<
  ICommitDetailsProps,
  'commit' | 'changes' | 'error' | 'files'
> {
  commits: readonly api.Commit[];
  hasMore: boolean;
  /** Whether the graph is drawn: all that led to the ref is there, in its order. */
  isGraph: boolean;
  /** Branches and tags that point to a commit. */
  refsAt: (commit: string) => readonly api.Ref[];
  /** What an opened commit shows; undefined for a closed one. */
  detailsOf: (
    commit: string
  ) => Pick<ICommitDetailsProps, 'changes' | 'error' | 'files'> | undefined;
  onToggle: (commit: api.Commit) => void;
  onMore: () => void;
}

const ROW = 'jp-DatalakeCommitList-row';
const FROM_KEY: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };

/** Commits, newest first. */
export function CommitList(props: ICommitListProps): React.JSX.Element {
  const { commits, hasMore, trans } = props;
  const list = React.useRef<HTMLOListElement>(null);
  const graph = React.useRef(NO_LANES);
  graph.current = props.isGraph ? lanesOf(graph.current, commits) : NO_LANES;
  const [heights, setHeights] = React.useState<ReadonlyMap<string, number>>(new Map());
  const tall = commits.flatMap(({ id }, index) =>
    props.detailsOf(id) ? [{ index, extra_px: heights.get(id) ?? 0 }] : []
  );
  const onMore = hasMore ? props.onMore : undefined;
  const shown = useWindow(list, commits.length, onMore, tall, `.${ROW}`);
  const onHeight = React.useCallback(
    (id: string, height: number) =>
      setHeights(before => (before.get(id) === height ? before : new Map(before).set(id, height))),
    []
  );
  return (
    <>
      <ol
        ref={list}
        className="jp-DatalakeCommitList"
        aria-label={trans.__('Commits')}
        style={{ paddingTop: shown.above_px, paddingBottom: shown.below_px }}
        onKeyDown={moveFocus}
      >
        {commits.slice(shown.first, shown.end).map((commit, index) => (
          <CommitItem
            key={commit.id}
            {...props}
            commit={commit}
            row={graph.current.rows[shown.first + index]}
            width={graph.current.width}
            position={shown.first + index + 1}
            onHeight={onHeight}
          />
        ))}
      </ol>
      {hasMore && (
        <button type="button" className="jp-DatalakeMore" onClick={props.onMore}>
          {trans.__('Show older commits')}
        </button>
      )}
    </>
  );
}

/** Move between rows by the arrow keys. */
function moveFocus(event: React.KeyboardEvent<HTMLElement>): void {
  const step = FROM_KEY[event.key];
  const row = (event.target as HTMLElement).closest(`.${ROW}`);
  if (step === undefined || !row) {
    return;
  }
  const rows = [...event.currentTarget.querySelectorAll(`.${ROW}`)];
  const next = rows[rows.indexOf(row) + step]?.querySelector('button');
  if (next) {
    event.preventDefault();
    next.focus();
  }
}

interface ICommitItemProps extends ICommitListProps {
  commit: api.Commit;
  row: ILaneRow | undefined;
  width: number;
  /** Among all commits, from 1. */
  position: number;
  onHeight: (commit: string, height: number) => void;
}

function CommitItem(props: ICommitItemProps): React.JSX.Element {
  const { commit, row, trans } = props;
  const details = props.detailsOf(commit.id);
  const isOpen = details !== undefined;
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  const isJob = commit.provenance.origin === 'job';
  return (
    <li
      className="jp-DatalakeCommitList-item"
      data-commit={commit.id}
      aria-posinset={props.position}
      aria-setsize={props.hasMore ? -1 : props.commits.length}
    >
      <div className={ROW} data-repo={commit.repo} data-ref={commit.id}>
        {row && (
          <CommitLanes
            row={row}
            width={props.width}
            isMerge={commit.parents.length > 1}
            trans={trans}
          />
        )}
        <button
          type="button"
          className="jp-DatalakeRow jp-DatalakeRow-main"
          aria-expanded={isOpen}
          title={commit.message}
          onClick={() => props.onToggle(commit)}
        >
          <Caret.react tag="span" className="jp-DatalakeRow-icon" />
          <span className="jp-DatalakeRow-text">
            <span className="jp-DatalakeRow-title">
              {isJob && (
                <pipelineIcon.react
                  tag="span"
                  className="jp-DatalakeRow-icon"
                  title={trans.__('Made by a pipeline')}
                />
              )}
              <span className="jp-DatalakeRow-name">{commit.message.split('\n')[0]}</span>
              {props.refsAt(commit.id).map(ref => (
                <RefTag key={`${ref.kind}:${ref.name}`} item={ref} />
              ))}
              {props.selected === commit.id && (
                <span className="jp-DatalakeTag jp-mod-selected">{trans.__('to compare')}</span>
              )}
            </span>
            <span className="jp-DatalakeRow-facts">
              <code>{shortId(commit.id)}</code>
              <span className="jp-DatalakeRow-author">{commit.author.name}</span>
              <Ago time={commit.created_at} />
              <span>
                {trans._n('%1 file', '%1 files', commit.file_count)}
                {commit.file_count > 0 && `, ${formatBytes(commit.size_bytes)}`}
              </span>
            </span>
          </span>
        </button>
      </div>
      {details && (
        <Measured onHeight={height => props.onHeight(commit.id, height)}>
          {row && <LanesBeside row={row} width={props.width} />}
          <CommitDetails {...props} {...details} />
        </Measured>
      )}
    </li>
  );
}

/** What tells how high it is, and when that changes. */
function Measured(
  props: React.PropsWithChildren<{ onHeight: (height: number) => void }>
): React.JSX.Element {
  const place = React.useRef<HTMLDivElement>(null);
  const tell = React.useRef(props.onHeight);
  tell.current = props.onHeight;
  React.useLayoutEffect(() => {
    const node = place.current;
    if (!node) {
      return undefined;
    }
    const observer = new ResizeObserver(() => tell.current(node.offsetHeight));
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={place} className="jp-DatalakeCommitList-opened">
      {props.children}
    </div>
  );
}

function RefTag({ item }: { item: api.Ref }): React.JSX.Element {
  const Icon = item.kind === 'branch' ? branchIcon : tagIcon;
  return (
    <span className={`jp-DatalakeTag jp-mod-${item.kind}`}>
      <Icon.react tag="span" className="jp-DatalakeTag-icon" />
      {item.name}
    </span>
  );
}
