/**
 * Looking for a node of the lineage graph: type, walk the results by arrows, Enter shows one.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { INode } from '../lineage/graph';
import { kindText } from './lineage-node';

/** What a {@link LineageSearch} shows and does. */
export interface ILineageSearchProps {
  find: (text: string) => INode[];
  trans: TranslationBundle;
  onPick: (id: string) => void;
}

/** A field with the nodes that it finds below it. */
export function LineageSearch(props: ILineageSearchProps): React.JSX.Element {
  const { find, trans } = props;
  const id = React.useId();
  const [text, setText] = React.useState('');
  const [isOpen, setIsOpen] = React.useState(false);
  const [at, setAt] = React.useState(0);
  const found = isOpen ? find(text) : [];
  const current = found[Math.min(at, found.length - 1)];
  const pick = (node: INode) => {
    setIsOpen(false);
    props.onPick(node.id);
  };
  const keys: Record<string, () => void> = {
    ArrowDown: () => setAt((at + 1) % Math.max(1, found.length)),
    ArrowUp: () => setAt((at + found.length - 1) % Math.max(1, found.length)),
    Enter: () => current && pick(current),
    Escape: () => setIsOpen(false)
  };
  return (
    <div className="jp-DatalakeLineageSearch">
      <input
        className="jp-DatalakeField"
        type="text"
        role="combobox"
        aria-label={trans.__('Find a node')}
        aria-expanded={found.length > 0}
        aria-controls={`${id}-found`}
        aria-autocomplete="list"
        aria-activedescendant={current ? `${id}-${current.id}` : undefined}
        placeholder={trans.__('Find a node')}
        value={text}
        onChange={event => {
          setText(event.target.value);
          setAt(0);
          setIsOpen(true);
        }}
        onFocus={() => setIsOpen(text !== '')}
        onBlur={() => setIsOpen(false)}
        onKeyDown={event => {
          const key = keys[event.key];
          if (key) {
            event.preventDefault();
            key();
          }
        }}
      />
      <ul
        id={`${id}-found`}
        className="jp-DatalakeLineageSearch-found"
        role="listbox"
        aria-label={trans.__('Nodes found')}
        hidden={found.length === 0}
      >
        {found.map(node => (
          <li
            key={node.id}
            id={`${id}-${node.id}`}
            role="option"
            aria-selected={node === current}
            className="jp-DatalakeLineageSearch-option"
            onPointerDown={event => {
              event.preventDefault(); // or the field loses the focus, and the list closes
              pick(node);
            }}
          >
            <span className="jp-DatalakeRow-name">{node.label}</span>{' '}
            <span className="jp-DatalakeRow-version">{kindText(node.kind, trans)}</span>
          </li>
        ))}
      </ul>
      {isOpen && text !== '' && found.length === 0 && (
        <p className="jp-DatalakeLineageSearch-found" role="status">
          {trans.__('Nothing is named so')}
        </p>
      )}
    </div>
  );
}
