/**
 * Asking how a step is to read a repo.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IClient } from '../api/client';
import { previewPipeline } from '../api/pipelines';
import type * as api from '../api/types';
import { DatumPreview } from '../components/datum-preview';
import type { IFailure } from '../components/errors';
import { Field } from '../components/field';
import { InputLine } from '../components/input-fields';
import { changedInput } from '../models/promotion-form';
import { asLakeError } from '../models/refreshing';
import type { IRepoInput } from '../specs';
import { inputOf, variableName } from '../specs';
import { ActingDialog } from './acting-dialog';

const DEBOUNCE_MS = 350;
const PREVIEWED = 50;

/** A step that may read the repo. */
export interface ITarget {
  id: string;
  name: string;
  /** The variable that the repo most likely is for. */
  variable: string;
}

/** What was asked. */
export interface IConnection {
  target: string;
  input: IRepoInput;
}

/** What {@link showConnect} asks about. */
export interface IConnectOptions {
  repo: string;
  /** A step that writes the repo: it may have nothing in it yet. */
  isMade: boolean;
  targets: readonly ITarget[];
  client: IClient;
  trans: TranslationBundle;
}

/** Ask which step reads a repo and how; return null if it was not said. */
export async function showConnect(options: IConnectOptions): Promise<IConnection | null> {
  const body = new ConnectBody(options);
  const dialog = new ActingDialog<IConnection>({
    title: options.trans.__('Read %1', options.repo),
    accept: options.trans.__('Connect'),
    body,
    focus: 'select:not([disabled]), input',
    trans: options.trans,
    act: () => Promise.resolve(body.value)
  });
  dialog.addClass('jp-DatalakePromoteDialog');
  return dialog.run();
}

class ConnectBody extends ReactWidget {
  constructor(private readonly _options: IConnectOptions) {
    super();
    const { repo, targets } = _options;
    this.value = {
      target: targets[0]?.id ?? '',
      input: {
        name: targets[0]?.variable ?? variableName(repo),
        repo,
        branch: 'main',
        glob: '/'
      }
    };
  }

  value: IConnection;

  protected render(): React.JSX.Element {
    return (
      <ConnectForm
        {...this._options}
        value={this.value}
        onChange={value => {
          this.value = value;
        }}
      />
    );
  }
}

function ConnectForm(
  props: IConnectOptions & { value: IConnection; onChange: (value: IConnection) => void }
): React.JSX.Element {
  const { repo, targets, trans } = props;
  const [value, setValue] = React.useState(props.value);
  const { preview, error } = usePreview(value.input, props.client);
  const change = (next: IConnection) => {
    props.onChange(next);
    setValue(next);
  };
  const isEmpty = props.isMade && error !== null;
  return (
    <div className="jp-DatalakeForm">
      <Field label={trans.__('Step')} help={trans.__('It runs whenever %1 changes.', repo)}>
        {attributes => (
          <select
            {...attributes}
            className="jp-DatalakeField"
            value={value.target}
            disabled={targets.length < 2}
            onChange={event => {
              const target = event.target.value;
              const name = targets.find(({ id }) => id === target)?.variable ?? '';
              change({ target, input: { ...value.input, name } });
            }}
          >
            {targets.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <InputLine
        input={value.input}
        index={0}
        repos={[repo]}
        problemAt={() => ''}
        trans={trans}
        onChange={(_, edit) => change({ ...value, input: changedInput(value.input, edit) })}
      />
      <p className="jp-DatalakeNote">
        {trans.__(
          'The glob cuts it into datums: / is everything as one, /* one per file or folder.'
        )}
      </p>
      {isEmpty ? (
        <p className="jp-DatalakeNote" role="status">
          {trans.__('%1 has not been written yet: its datums show when it has.', repo)}
        </p>
      ) : (
        <DatumPreview
          preview={preview}
          error={error}
          isLoading={preview === null && error === null}
          trans={trans}
        />
      )}
    </div>
  );
}

/** Ask for the datums of an input, a little after it was typed. */
function usePreview(
  input: IRepoInput,
  client: IClient
): { preview: api.Preview | null; error: IFailure | null } {
  const [known, setKnown] = React.useState<{
    preview: api.Preview | null;
    error: IFailure | null;
  }>({ preview: null, error: null });
  React.useEffect(() => {
    let isCurrent = true;
    const timer = window.setTimeout(() => {
      const spec = { pipeline: 'preview-of-inputs', input: inputOf([input]), command: ['true'] };
      previewPipeline(client, { spec, limit: PREVIEWED }).then(
        preview => isCurrent && setKnown({ preview, error: null }),
        (reason: unknown) => isCurrent && setKnown({ preview: null, error: asLakeError(reason) })
      );
    }, DEBOUNCE_MS);
    return () => {
      isCurrent = false;
      window.clearTimeout(timer);
    };
  }, [input]);
  return known;
}
