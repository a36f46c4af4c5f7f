/**
 * A dialog that does what it is for before it closes, and stays open when that fails.
 */
import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactWidget } from '@jupyterlab/ui-components';
import type { ISignal } from '@lumino/signaling';

/** A dialog with an action behind its accepting button. */
export class ActingDialog<T> extends Dialog<void> {
  constructor(options: ActingDialog.IOptions<T>) {
    super({
      title: options.title,
      body: options.body as unknown as Dialog.IBodyWidget<void>,
      buttons: [
        Dialog.cancelButton({ label: options.trans.__('Cancel') }),
        ...(options.other
          ? [Dialog.createButton({ label: options.other.label, accept: false })]
          : []),
        Dialog.okButton({ label: options.accept })
      ],
      focusNodeSelector: options.focus ?? 'input, textarea'
    });
    this.addClass('jp-DatalakeDialog');
    this._act = options.act;
    this._other = options.other;
  }

  /** Show the dialog; return what the action gave, or null if it was not done. */
  async run(): Promise<T | null> {
    await this.launch().catch(() => undefined); // rejected when disposed of before it was shown
    return this._result;
  }

  /** Let the action be taken, or not yet. */
  setReady(isReady: boolean): void {
    const button = this.node.querySelector<HTMLButtonElement>('.jp-Dialog-footer .jp-mod-accept');
    if (button) {
      button.disabled = !isReady;
    }
    this._isReady = isReady;
  }

  /** Change what the accepting button says. */
  setAccept(label: string): void {
    const text = this.node.querySelector('.jp-Dialog-footer .jp-mod-accept .jp-Dialog-buttonLabel');
    if (text && text.textContent !== label) {
      text.textContent = label;
    }
  }

  override handleEvent(event: Event): void {
    // A dialog would look for invalid fields and set its buttons; here the body says what is ready.
    if (event.type !== 'input') {
      super.handleEvent(event);
    }
  }

  override resolve(index?: number): void {
    const accept = this._other ? OTHER + 1 : OTHER;
    if (this._other && index === OTHER) {
      if (!this._isActing) {
        void this._take(this._other.act);
      }
    } else if (index !== undefined && index !== accept) {
      super.resolve(index);
    } else if (this._isReady && !this._isActing) {
      void this._take(this._act);
    }
  }

  private async _take(act: () => Promise<T | null>): Promise<void> {
    this._isActing = true;
    const isReady = this._isReady;
    this.setReady(false);
    try {
      this._result = await act();
    } finally {
      this._isActing = false;
      if (!this.isDisposed) {
        this.setReady(isReady);
      }
    }
    if (this._result !== null) {
      super.resolve(OTHER);
    }
  }

  private readonly _act: () => Promise<T | null>;
  private readonly _other: ActingDialog.IOptions<T>['other'];
  private _isReady = true;
  private _isActing = false;
  private _result: T | null = null;
}

/** Position of the button behind the one that cancels. */
const OTHER = 1;

/** What a dialog follows: its view, and whether the action can be taken, are told by a model. */
export interface IFollowed {
  readonly stateChanged: ISignal<unknown, unknown>;
  dispose(): void;
}

/**
 * Run a dialog that follows a model; the model is disposed of in the end.
 *
 * @param follow - called at first and whenever the model has changed.
 * @param begin - called before the dialog is shown, which waits for what it returns.
 */
export async function runFollowing<T>(
  dialog: ActingDialog<T>,
  model: IFollowed,
  follow: () => void,
  begin: () => Promise<void> | void
): Promise<T | null> {
  model.stateChanged.connect(follow);
  follow();
  try {
    await begin();
    return await dialog.run();
  } finally {
    model.stateChanged.disconnect(follow);
    model.dispose();
  }
}

/** What an {@link ActingDialog} is made of. */
export namespace ActingDialog {
  export interface IOptions<T> {
    title: string;
    /** Label of the button that acts. */
    accept: string;
    body: ReactWidget;
    /** Selector of what has the focus at first; the first field by default. */
    focus?: string;
    trans: TranslationBundle;
    /** Return null if it failed; the body then says why. */
    act: () => Promise<T | null>;
    /** A button with another action, which can be taken at any time. */
    other?: { label: string; act: () => Promise<T | null> };
  }
}
