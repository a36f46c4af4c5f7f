/**
 * A widget that shows models: it renders when they change, and they load while it is visible.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import { DisposableSet } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { RefreshingModel } from '../models/refreshing';

/** A view of some models. */
export abstract class ModelPanel extends ReactWidget {
  constructor(options: ModelPanel.IOptions) {
    super();
    this.addClass('jp-DatalakePanel');
    this.trans = options.trans;
    this.commands = options.commands;
    this._models = options.models;
    for (const model of options.models) {
      model.stateChanged.connect(this.update, this);
    }
    for (const signal of options.signals ?? []) {
      signal.connect(this.update, this);
    }
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._look(false);
    Signal.clearData(this);
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._look(this.isVisible);
  }

  protected override onBeforeDetach(message: Message): void {
    this._look(false);
    super.onBeforeDetach(message);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._look(true);
    this.update();
  }

  protected override onBeforeHide(message: Message): void {
    this._look(false);
    super.onBeforeHide(message);
  }

  /** Run a command; it tells itself what went wrong. */
  protected run(command: string, args: Record<string, string | number | boolean> = {}): void {
    void this.commands.execute(command, args);
  }

  protected readonly commands: CommandRegistry;
  protected readonly trans: TranslationBundle;

  private _look(isVisible: boolean): void {
    if (isVisible === (this._watching !== null)) {
      return;
    }
    this._watching?.dispose();
    this._watching = isVisible
      ? DisposableSet.from(this._models.map(model => model.watch()))
      : null;
  }

  private readonly _models: readonly RefreshingModel[];
  private _watching: IDisposable | null = null;
}

/** What a {@link ModelPanel} is made of. */
export namespace ModelPanel {
  /** What every panel gets from its plugin. */
  export interface IContext {
    commands: CommandRegistry;
    trans: TranslationBundle;
  }

  export interface IOptions extends IContext {
    models: readonly RefreshingModel[];
    /** What else it renders for. */
    signals?: readonly ISignal<unknown, unknown>[];
  }
}
