/**
 * The editor of a file of specs: the graph, the chosen step, and the whole text.
 */
import { InputDialog, Notification } from '@jupyterlab/apputils';
import { redoIcon, saveIcon, undoIcon } from '@jupyterlab/ui-components';
import type { Drag } from '@lumino/dragdrop';
import type { Message } from '@lumino/messaging';
import type { Widget } from '@lumino/widgets';
import * as React from 'react';

import type { IClient } from '../api/client';
import { CommandIDs } from '../commands';
import { DagCanvas } from '../components/dag-canvas';
import type { IStepSheetProps } from '../components/dag-sheet';
import { outOfReachText, Problems, StepSheet } from '../components/dag-sheet';
import { EmptyState } from '../components/empty-state';
import { ErrorBanner } from '../components/error-banner';
import { Following } from '../components/following';
import { describeError } from '../components/errors';
import { IconButton } from '../components/icon-button';
import type { IDagStep } from '../dag/graph';
import { proposedVariable } from '../dag/inputs';
import { OutOfReachError } from '../dag/placing';
import { showConnect } from '../dialogs/connect';
import { showPlan } from '../dialogs/plan';
import { TryOut } from '../dialogs/try-out';
import type { DagModel, IDagEdge } from '../models/dag';
import { changedInput, placeInForm } from '../models/promotion-form';
import { isName } from '../models/step-form';
import { asLakeError } from '../models/refreshing';
import type { TrialModel } from '../models/trial';
import { Hosted } from './hosted';
import { ModelPanel } from './model-panel';

/** What the file browser drags. */
const CONTENTS_MIME = 'application/x-jupyter-icontents';

/** The editor of the graph. */
export class DagPanel extends ModelPanel {
  constructor(private readonly _options: DagPanel.IOptions) {
    super({ ..._options, models: [_options.model] });
    this.addClass('jp-DatalakeDagPanel');
    this.model = _options.model;
  }

  /** The graph. */
  readonly model: DagModel;

  override dispose(): void {
    if (!this.isDisposed) {
      this.model.dispose();
      this._trials.forEach(trial => trial.dispose());
      this._options.editor.dispose();
    }
    super.dispose();
  }

  /** Take what is dragged here from the file browser. */
  handleEvent(event: Event): void {
    const drag = event as Drag.Event;
    if (!drag.mimeData.hasData(CONTENTS_MIME)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (drag.type === 'lm-dragover') {
      drag.dropAction = drag.proposedAction;
    } else if (drag.type === 'lm-drop') {
      drag.dropAction = 'copy';
      void this._addNotebooks(drag.mimeData.getData(CONTENTS_MIME) as string[]);
    }
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    DRAGS.forEach(type => this.node.addEventListener(type, this));
  }

  protected override onBeforeDetach(message: Message): void {
    DRAGS.forEach(type => this.node.removeEventListener(type, this));
    super.onBeforeDetach(message);
  }

  protected render(): React.JSX.Element {
    const { model, trans } = this;
    return (
      <Following model={model}>
        {() => (
          <>
            {this._renderHeader()}
            <ErrorBanner error={model.error} trans={trans} onRetry={() => void model.refresh()} />
            <div className="jp-DatalakeDagPanel-body">
              {model.layout.nodes.length === 0 ? (
                <EmptyState
                  title={trans.__('No steps yet.')}
                  action={trans.__('Add a notebook…')}
                  onAction={this._pickNotebooks}
                >
                  {trans.__(
                    'Drag notebooks here from the file browser, and repos from the panel of the lake.'
                  )}
                </EmptyState>
              ) : (
                <DagCanvas
                  layout={model.layout}
                  chosen={model.chosen}
                  chosenEdge={model.edge}
                  trans={trans}
                  targetsOf={id => model.targetsOf(id)}
                  onChoose={this._choose}
                  onEdge={this._chooseEdge}
                  onConnect={this._connect}
                  onRefused={this._refuse}
                  onRemove={id => model.remove(id)}
                  onDisconnect={this._disconnect}
                  onTidy={() => model.tidy()}
                  onRepo={repo => model.addRepo(repo)}
                />
              )}
              {this._renderSheet()}
            </div>
          </>
        )}
      </Following>
    );
  }

  private _renderHeader(): React.JSX.Element {
    const { model, trans } = this;
    const { file } = model;
    const button = (label: string, onClick: () => void, isMain = false) => (
      <button
        type="button"
        className={`jp-DatalakeButton jp-mod-styled ${isMain ? 'jp-mod-accept' : ''}`}
        onClick={onClick}
      >
        {label}
      </button>
    );
    return (
      <div className="jp-DatalakeDagPanel-header" role="group" aria-label={trans.__('Editing')}>
        <IconButton icon={saveIcon} label={trans.__('Save')} onClick={this._save} />
        <IconButton
          icon={undoIcon}
          label={trans.__('Undo')}
          isDisabled={!file.canUndo()}
          onClick={() => file.undo()}
        />
        <IconButton
          icon={redoIcon}
          label={trans.__('Redo')}
          isDisabled={!file.canRedo()}
          onClick={() => file.redo()}
        />
        {button(trans.__('Add a notebook…'), this._pickNotebooks)}
        {button(trans.__('Add a repo…'), this._pickRepo)}
        {button(trans.__('Add a command'), () => model.addCommand())}
        <span className="jp-DatalakeDagPanel-spacer" />
        {button(trans.__('Plan and apply…'), this._plan, true)}
      </div>
    );
  }

  private _renderSheet(): React.JSX.Element {
    const { trans } = this;
    const tab = (label: string, isOn: boolean, isFile: boolean) => (
      <button
        type="button"
        role="tab"
        aria-selected={isOn}
        className="jp-DatalakeDagSheet-tab"
        onClick={() => {
          this._isFile = isFile;
          this.update();
        }}
      >
        {label}
      </button>
    );
    return (
      <aside className="jp-DatalakeDagSheet" aria-label={trans.__('Step and file')}>
        <div className="jp-DatalakeDagSheet-tabs" role="tablist" aria-label={trans.__('Shown')}>
          {tab(trans.__('Step'), !this._isFile, false)}
          {tab(trans.__('Whole file'), this._isFile, true)}
        </div>
        {this._isFile ? (
          <>
            {this._renderProblems()}
            <Hosted widget={this._options.editor} />
          </>
        ) : (
          this._renderStep()
        )}
      </aside>
    );
  }

  private _renderStep(): React.JSX.Element {
    const { model, trans } = this;
    const { step, edge } = model;
    if (!step) {
      return this._renderRepo();
    }
    const problems = model.problems.filter(({ index }) => index === step.index);
    const sheet = (
      <StepSheet
        step={step}
        repo={edge ? (model.repoOf(edge.source) ?? undefined) : undefined}
        problems={problems}
        form={this._formOf(step)}
        trans={trans}
        onText={text => model.setStepText(step, text)}
        onConnect={() => this._connect(step.id, null)}
        onRemove={edge ? this._disconnect : () => model.remove(step.id)}
        onClose={() => this._choose(null)}
      />
    );
    const { spec } = step.step;
    if (edge || !spec) {
      return sheet;
    }
    const folder = model.file.path.split('/').slice(0, -1).join('/');
    return (
      <>
        {sheet}
        <TryOut
          key={step.name}
          model={this._trialOf(step.name)}
          source={problems.length === 0 ? { spec, folder } : null}
          trans={trans}
          show={(command, args) => this.run(command, args)}
        />
      </>
    );
  }

  /** Return what a step is tried with: the last one, as long as the file is open. */
  private _trialOf(name: string): TrialModel {
    const known = this._trials.get(name);
    const trial = known ?? this._options.newTrial();
    this._trials.set(name, trial);
    return trial;
  }

  private _formOf(step: IDagStep): IStepSheetProps['form'] {
    const { model } = this;
    const known = model.formOf(step);
    const { spec } = step.step;
    if (!known || !spec) {
      return null;
    }
    const { inputs, fields, values } = known.form;
    const { preview, error } = model.previewOf(step);
    const place = error?.details.place;
    const set = (change: Partial<typeof known.form>) => model.setForm(step, change);
    return {
      spec,
      fields,
      inputs,
      values,
      parameters: known.parameters,
      problems: known.problems,
      repos: model.repos.filter(repo => repo !== step.name),
      preview,
      error,
      errorPlace: typeof place === 'string' ? placeInForm(place) : '',
      isName,
      onRename: name => model.rename(step, name),
      onField: (field, value) => set({ fields: { ...fields, [field]: value } }),
      onInput: (index, change) =>
        set({ inputs: inputs.map((one, at) => (at === index ? changedInput(one, change) : one)) }),
      onAddInput: repo =>
        set({ inputs: [...inputs, { name: '', repo, branch: 'main', glob: '/' }] }),
      onRemoveInput: index => set({ inputs: inputs.filter((_, at) => at !== index) }),
      onValue: (name, value) => set({ values: { ...values, [name]: value } })
    };
  }

  private _renderRepo(): React.JSX.Element {
    const { model, trans } = this;
    const { chosen } = model;
    const repo = chosen === null ? null : model.repoOf(chosen);
    if (chosen === null || repo === null) {
      return (
        <>
          {this._renderProblems()}
          <p className="jp-DatalakeNote jp-DatalakeDagSheet-hint">
            {trans.__(
              'Choose a step to change it. Drag from the dot of a node to a step, or choose the node and press C: the step then reads it.'
            )}
          </p>
        </>
      );
    }
    const readers = model.steps.filter(({ inputs }) => inputs.some(one => one.repo === repo));
    const writer = model.writerOf(repo);
    return (
      <section className="jp-DatalakeDagSheet-step" aria-label={trans.__('repo %1', repo)}>
        <header className="jp-DatalakeDagSheet-header">
          <h3 className="jp-DatalakeDagSheet-title">{repo}</h3>
        </header>
        <div className="jp-DatalakeDagSheet-buttons">
          <button
            type="button"
            className="jp-DatalakeLink"
            onClick={() => this._connect(chosen, null)}
          >
            {trans.__('Connect to a step…')}
          </button>
          {!writer && (
            <button type="button" className="jp-DatalakeLink" onClick={() => model.remove(chosen)}>
              {trans.__('Remove from all steps')}
            </button>
          )}
        </div>
        <dl className="jp-DatalakeFacts">
          {writer && (
            <>
              <dt>{trans.__('Written by')}</dt>
              <dd>{writer.name}</dd>
            </>
          )}
          <dt>{trans.__('Read by')}</dt>
          <dd>{readers.map(({ name }) => name).join(', ') || trans.__('no step')}</dd>
        </dl>
      </section>
    );
  }

  private _renderProblems(): React.JSX.Element {
    const { model, trans } = this;
    const stepAt = (index: number) => model.steps[index];
    return (
      <Problems
        problems={model.problems}
        trans={trans}
        nameOf={({ index }) => stepAt(index)?.name || trans.__('Step %1', index + 1)}
        onChoose={({ index }) => {
          this._isFile = false;
          this._choose(stepAt(index)?.id ?? null);
        }}
      />
    );
  }

  private readonly _choose = (id: string | null): void => {
    this.model.chosen = id;
  };

  private readonly _chooseEdge = (edge: IDagEdge): void => {
    const { model } = this;
    if (model.repoOf(edge.source) !== null && model.steps.some(({ id }) => id === edge.target)) {
      model.edge = edge;
    } else {
      model.chosen = edge.source; // of a step and what it writes, or of a clock
    }
  };

  private readonly _disconnect = (): void => {
    if (this.model.edge) {
      this.model.disconnect(this.model.edge);
    }
  };

  private readonly _connect = (source: string, target: string | null): void => {
    const { model, trans } = this;
    const repo = model.repoOf(source);
    if (repo === null) {
      return;
    }
    const allowed = model.targetsOf(source);
    const targets = model.steps
      .filter(({ id }) => (target === null ? allowed.has(id) : id === target))
      .map(({ id, name, index, step }) => ({
        id,
        name: name || trans.__('Step %1', index + 1),
        variable: proposedVariable(step.spec ?? {}, repo)
      }));
    if (targets.length === 0) {
      Notification.info(trans.__('There is no step that may read %1.', repo), { autoClose: 5000 });
      return;
    }
    const isMade = model.writerOf(repo) !== undefined;
    void showConnect({ repo, isMade, targets, client: this._options.client, trans }).then(made => {
      if (made) {
        model.connect(made.target, made.input);
      }
    });
  };

  private readonly _refuse = (source: string, target: string): void => {
    const { model, trans } = this;
    const step = model.steps.find(({ id }) => id === target);
    Notification.warning(
      step
        ? trans.__(
            '%1 cannot read %2, which is made of what it writes.',
            step.name,
            model.repoOf(source)
          )
        : trans.__('Only a step can read: drop it on one.'),
      { autoClose: 5000 }
    );
  };

  private readonly _pickNotebooks = (): void => {
    void this._options.pickNotebooks().then(paths => this._addNotebooks(paths));
  };

  private readonly _pickRepo = (): void => {
    const { model, trans } = this;
    const items = [...model.repos];
    if (items.length === 0) {
      Notification.info(trans.__('There are no repos yet.'), { autoClose: 5000 });
      return;
    }
    void InputDialog.getItem({ title: trans.__('Add a Repo'), items }).then(({ value }) => {
      if (value) {
        model.addRepo(value);
      }
    });
  };

  private async _addNotebooks(paths: readonly string[]): Promise<void> {
    const { trans } = this;
    const notebooks = paths.filter(path => path.endsWith('.ipynb'));
    if (notebooks.length === 0) {
      if (paths.length > 0) {
        Notification.info(trans.__('Only notebooks become steps.'), { autoClose: 5000 });
      }
      return;
    }
    await this._attempt(async () => {
      const local = notebooks.map(this._options.localPath);
      await this.model.addNotebooks(local);
    });
  }

  private readonly _save = (): void => {
    void this._attempt(() => this.model.file.save());
  };

  private readonly _plan = (): void => {
    const { model, trans } = this;
    void this._attempt(async () => {
      if (!(await showPlan(await model.plan(), trans))) {
        return;
      }
      const done = (await model.apply()).filter(({ action }) => action !== 'unchanged');
      Notification.success(
        trans.__('Applied: %1', done.map(({ pipeline }) => pipeline).join(', ')),
        {
          autoClose: 10_000,
          actions: [
            { label: trans.__('Show the runs'), callback: () => this.run(CommandIDs.openRuns) }
          ]
        }
      );
    });
  };

  /** Do something; say what went wrong. */
  private async _attempt(action: () => Promise<unknown>): Promise<void> {
    const { trans } = this;
    try {
      await action();
    } catch (reason) {
      const message =
        reason instanceof OutOfReachError
          ? outOfReachText(reason, trans)
          : describeError(asLakeError(reason), trans);
      Notification.error(message, { autoClose: false });
    }
  }

  private readonly _trials = new Map<string, TrialModel>();
  private _isFile = false;
}

const DRAGS = ['lm-dragenter', 'lm-dragover', 'lm-drop'];

/** What a {@link DagPanel} is made of. */
export namespace DagPanel {
  export interface IOptions extends ModelPanel.IContext {
    model: DagModel;
    client: IClient;
    /** Shows the whole text, and is disposed of with the panel. */
    editor: Widget;
    /** Return a path of the file browser as one below the server's root. */
    localPath: (path: string) => string;
    /** Ask for notebooks. */
    pickNotebooks: () => Promise<readonly string[]>;
    /** Return what a step can be tried with. */
    newTrial: () => TrialModel;
  }
}
