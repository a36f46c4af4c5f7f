/**
 * Paths that two sides changed, and whose version is taken.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon, launchIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { toggled } from '../sets';
import { IconButton } from './icon-button';

const SHOWN = 200;

/** Whose version of a path is wanted. */
export type Side = 'mine' | 'theirs';

/** What a {@link ConflictList} shows and does. */
export interface IConflictListProps {
  paths: readonly string[];
  /** How many there are, where these are only the first. */
  count?: number;
  choices: ReadonlyMap<string, Side>;
  /** What each side is, in a word or two. */
  sides: Readonly<Record<Side, string>>;
  trans: TranslationBundle;
  onChoose: (paths: readonly string[], side: Side) => void;
  /** Show both versions of a path, where they can be looked at. */
  onOpen?: (path: string) => void;
  /** Both versions of a path, where they are shown below it. */
  renderVersions?: (path: string) => React.ReactNode;
}

/** One line for each path, with a choice. */
export function ConflictList(props: IConflictListProps): React.JSX.Element {
  const { paths, choices, trans } = props;
  const [shown, setShown] = React.useState<ReadonlySet<string>>(new Set());
  const open = paths.filter(path => !choices.has(path)).length;
  const count = props.count ?? paths.length;
  return (
    <section className="jp-DatalakeConflicts" aria-label={trans.__('Conflicts')}>
      <header className="jp-DatalakeConflicts-header">
        <span role="status">
          {open > 0
            ? trans._n(
                '%1 path was changed on both sides. Choose whose version stays.',
                '%1 paths were changed on both sides. Choose whose version stays.',
                count
              )
            : trans.__('Every conflict is decided.')}
        </span>
        {paths.length > 1 && (
          <span className="jp-DatalakeConflicts-all">
            <span aria-hidden="true">{trans.__('All')}</span>
            <Choice {...props} label={trans.__('For all')} paths={paths} chosen={same(props)} />
          </span>
        )}
      </header>
      <ul>
        {paths.slice(0, SHOWN).map(path => (
          <li key={path} className="jp-DatalakeConflicts-item" data-path={path}>
            {props.renderVersions && (
              <IconButton
                icon={shown.has(path) ? caretDownIcon : caretRightIcon}
                label={trans.__('Compare both versions of %1', path)}
                isExpanded={shown.has(path)}
                onClick={() => setShown(toggled(shown, path))}
              />
            )}
            <span className="jp-DatalakeRow-name" title={path}>
              {path}
            </span>
            {props.onOpen && (
              <IconButton
                icon={launchIcon}
                label={trans.__('Open both versions of %1', path)}
                onClick={() => props.onOpen?.(path)}
              />
            )}
            <Choice {...props} label={path} paths={[path]} chosen={choices.get(path)} />
            {shown.has(path) && (
              <div className="jp-DatalakeConflicts-versions">{props.renderVersions?.(path)}</div>
            )}
          </li>
        ))}
      </ul>
      {count > Math.min(paths.length, SHOWN) && (
        <p className="jp-DatalakeNote">
          {trans.__('These are the first %1.', Math.min(paths.length, SHOWN))}
        </p>
      )}
    </section>
  );
}

/** Return the side that is chosen for every path, if one is. */
function same({ paths, choices }: IConflictListProps): Side | undefined {
  const first = choices.get(paths[0] ?? '');
  return paths.every(path => choices.get(path) === first) ? first : undefined;
}

function Choice(
  props: Pick<IConflictListProps, 'paths' | 'sides' | 'onChoose'> & {
    label: string;
    chosen: Side | undefined;
  }
): React.JSX.Element {
  return (
    <span className="jp-DatalakeChoice" role="group" aria-label={props.label}>
      {(['mine', 'theirs'] as const).map(side => (
        <button
          key={side}
          type="button"
          className="jp-DatalakeChoice-side"
          aria-pressed={props.chosen === side}
          onClick={() => props.onChoose(props.paths, side)}
        >
          {props.sides[side]}
        </button>
      ))}
    </span>
  );
}
