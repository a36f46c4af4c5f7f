/**
 * A dialog that asks for a few texts and does something with them.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ErrorBanner } from '../components/error-banner';
import type { IFailure } from '../components/errors';
import { Field } from '../components/field';
import { asLakeError } from '../models/refreshing';
import { ActingDialog } from './acting-dialog';

/** One text to ask for. */
export interface ITextField {
  label: string;
  help?: string;
  /** What stands in it at first. */
  value?: string;
  placeholder?: string;
  /** What it must match; anything when left out. */
  pattern?: RegExp;
  /** Said when it does not. */
  problem?: string;
  isLong?: boolean;
  /** Values to choose from; others can be written all the same. */
  choices?: readonly { value: string; label: string }[];
}

/** What the dialog asks and does. */
export interface IFieldsDialogOptions<F extends string, T> {
  title: string;
  /** Label of the button that acts. */
  accept: string;
  fields: Readonly<Record<F, ITextField>>;
  trans: TranslationBundle;
  act: (values: Readonly<Record<F, string>>) => Promise<T>;
}

/** Ask for texts and act; return what the action gave, or null if it was not done. */
export async function showFieldsDialog<F extends string, T>(
  options: IFieldsDialogOptions<F, T>
): Promise<T | null> {
  const body = new FieldsBody(options.fields, options.trans);
  const dialog = new ActingDialog<T>({
    ...options,
    body,
    act: async () => {
      try {
        return await options.act(body.values as Record<F, string>);
      } catch (reason) {
        body.error = asLakeError(reason);
        return null;
      }
    }
  });
  body.onReady = isReady => dialog.setReady(isReady);
  dialog.setReady(body.isReady);
  return dialog.run();
}

class FieldsBody extends ReactWidget {
  constructor(
    private readonly _fields: Readonly<Record<string, ITextField>>,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-DatalakeForm');
    for (const [name, field] of Object.entries(_fields)) {
      this.values[name] = field.value ?? '';
    }
  }

  readonly values: Record<string, string> = {};
  onReady: (isReady: boolean) => void = () => undefined;

  set error(error: IFailure) {
    this._error = error;
    this.update();
  }

  get isReady(): boolean {
    return Object.entries(this._fields).every(
      ([name, field]) => field.pattern?.test(this.values[name] ?? '') ?? true
    );
  }

  protected render(): React.JSX.Element {
    return (
      <>
        <ErrorBanner error={this._error} trans={this._trans} />
        {Object.entries(this._fields).map(([name, field]) => this._renderField(name, field))}
      </>
    );
  }

  private _renderField(name: string, field: ITextField): React.JSX.Element {
    const value = this.values[name] ?? '';
    const isWrong = value !== '' && field.pattern !== undefined && !field.pattern.test(value);
    const common = { className: 'jp-DatalakeField', value, placeholder: field.placeholder };
    return (
      <Field
        key={name}
        label={field.label}
        help={field.help}
        problem={isWrong ? field.problem : undefined}
      >
        {attributes =>
          field.isLong ? (
            <textarea
              {...attributes}
              {...common}
              rows={3}
              onChange={event => this._change(name, event.target.value)}
            />
          ) : (
            <>
              <input
                {...attributes}
                {...common}
                onChange={event => this._change(name, event.target.value)}
              />
              {field.choices && (
                <select
                  className="jp-DatalakeField jp-DatalakeForm-choices"
                  aria-label={this._trans.__('Choices for %1', field.label)}
                  size={8}
                  value={value}
                  onChange={event => this._change(name, event.target.value)}
                >
                  {field.choices.map(choice => (
                    <option key={choice.value} value={choice.value}>
                      {choice.label}
                    </option>
                  ))}
                </select>
              )}
            </>
          )
        }
      </Field>
    );
  }

  private _change(name: string, value: string): void {
    this.values[name] = value;
    this._error = null;
    this.onReady(this.isReady);
    this.update();
  }

  private _error: IFailure | null = null;
}
