/**
 * Choosing a branch or tag.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type * as api from '../api/types';

/** What a {@link RefPicker} shows and does. */
export interface IRefPickerProps {
  /** The ref that is chosen; it may be an expression that is no branch or tag. */
  value: string;
  branches: readonly api.Ref[];
  tags: readonly api.Ref[];
  trans: TranslationBundle;
  onChange: (ref: string) => void;
}

/** Branches and tags to choose from. */
export function RefPicker(props: IRefPickerProps): React.JSX.Element {
  const { value, branches, tags, trans } = props;
  const isKnown = [...branches, ...tags].some(ref => ref.name === value);
  return (
    <select
      className="jp-DatalakeField jp-DatalakeRefPicker"
      aria-label={trans.__('Branch or tag')}
      value={value}
      onChange={event => props.onChange(event.target.value)}
    >
      {!isKnown && <option value={value}>{value}</option>}
      <optgroup label={trans.__('Branches')}>
        {branches.map(ref => (
          <option key={ref.name} value={ref.name}>
            {ref.name}
          </option>
        ))}
      </optgroup>
      {tags.length > 0 && (
        <optgroup label={trans.__('Tags')}>
          {tags.map(ref => (
            <option key={ref.name} value={ref.name}>
              {ref.name}
            </option>
          ))}
        </optgroup>
      )}
    </select>
  );
}
