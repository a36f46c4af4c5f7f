/**
 * The panel of the lake on the left, and its item in the status bar.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { IStatusBar } from '@jupyterlab/statusbar';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import {
  CommandToolbarButton,
  historyIcon,
  refreshIcon,
  Toolbar,
  ToolbarButton
} from '@jupyterlab/ui-components';

import { listCommits } from '../api/commits';
import { ARGUMENTS, CommandIDs } from '../commands';
import { lakeIcon } from '../icons';
import { CommitsModel } from '../models/commits';
import { JobsModel } from '../models/jobs';
import { MountsModel } from '../models/mounts';
import { PipelinesModel } from '../models/pipelines';
import { RefsModel } from '../models/refs';
import { ReposModel } from '../models/repos';
import { LakeSelection } from '../models/selection';
import { SessionsModel } from '../models/sessions';
import { ChangesPanel } from '../panels/changes';
import type { IHistoryState } from '../panels/commits';
import { CommitsPanel } from '../panels/commits';
import { JobsPanel } from '../panels/jobs';
import { MountsPanel } from '../panels/mounts';
import { PipelinesPanel } from '../panels/pipelines';
import { ReposPanel } from '../panels/repos';
import type { ISidebarState } from '../panels/sidebar';
import { LakeSidebar } from '../panels/sidebar';
import { LakeStatus } from '../panels/status';
import { ILake, ILakeSelection } from '../tokens';
import { repoOf, textOf } from './arguments';
import { addHistoryCommands } from './history';
import { addRepoCommands } from './repos';
import { addUploadCommand } from './uploads';
import { addSessionCommands } from './sessions';

const ID = 'jupyter-datalake:sidebar';
const RANK = 150;

/** Shows the panel, and provides what is selected in it. */
export const sidebarPlugin: JupyterFrontEndPlugin<ILakeSelection> = {
  id: ID,
  description: 'The panel of the lake: repos, changes, history, pipelines and jobs.',
  autoStart: true,
  provides: ILakeSelection,
  requires: [ILake],
  optional: [ILayoutRestorer, ICommandPalette, ISettingRegistry, IStateDB, IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lake: ILake,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    settings: ISettingRegistry | null,
    state: IStateDB | null,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ): ILakeSelection => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load('jupyter_datalake');
    const selection = new LakeSelection();
    const repos = new ReposModel(lake);
    const mounts = new MountsModel(lake);
    const refs = new RefsModel({ lake, selection });
    const sessions = new SessionsModel({ lake, mounts });
    const commits = new CommitsModel({ lake, selection });
    const pipelines = new PipelinesModel(lake);
    const jobs = new JobsModel(lake);
    const ofRepos = { app, lake, repos, mounts, refs, sessions, selection, trans };
    addRepoCommands(ofRepos);
    const onDrop = addUploadCommand(ofRepos);
    addHistoryCommands({ app, lake, commits, selection, trans });
    addSessionCommands({ commands, sessions, selection, trans });

    const context = { commands, trans };
    let kept: ISettingRegistry.ISettings | null = null;
    const changes = new ChangesPanel({
      ...context,
      sessions,
      mounts,
      onDrop,
      onTree: isTree => void kept?.set('changesAsTree', isTree)
    });
    const history = new CommitsPanel({
      ...context,
      commits,
      refs,
      selection,
      onState: () => keep()
    });
    const button = (id: string) => new CommandToolbarButton({ commands, id, label: '' });
    const refresh = (name: string, onClick: () => void) =>
      new ToolbarButton({ icon: refreshIcon, tooltip: name, onClick });
    const sidebar = new LakeSidebar({
      lake,
      translator: translator ?? nullTranslator,
      buttons: {
        lineage: new CommandToolbarButton({ commands, id: CommandIDs.openLineage }),
        spacer: Toolbar.createSpacerItem(),
        refresh: refresh(trans.__('Refresh'), () => {
          for (const model of [repos, mounts, sessions, refs, commits, pipelines, jobs]) {
            model.invalidate();
          }
        })
      },
      sections: [
        {
          name: 'repos',
          share: 4,
          label: trans.__('Repos'),
          content: new ReposPanel({ ...context, repos, mounts, selection, onDrop }),
          buttons: { create: button(CommandIDs.createRepo) }
        },
        {
          name: 'mounts',
          share: 3,
          label: trans.__('Mounts'),
          content: new MountsPanel({ ...context, mounts, sessions }),
          badge: () => (mounts.mounts.length > 0 ? String(mounts.mounts.length) : '')
        },
        {
          name: 'changes',
          share: 7, // its button stands below the changes
          label: trans.__('Changes'),
          content: changes,
          badge: () => (sessions.count > 0 ? String(sessions.count) : '')
        },
        {
          name: 'history',
          share: 4,
          label: trans.__('History'),
          content: history,
          badge: () => selection.repo ?? ''
        },
        {
          name: 'pipelines',
          share: 3,
          label: trans.__('Pipelines'),
          content: new PipelinesPanel({ ...context, pipelines }),
          buttons: { template: button(CommandIDs.renderPipeline) },
          badge: () => (pipelines.pipelines.length > 0 ? String(pipelines.pipelines.length) : '')
        },
        {
          name: 'jobs',
          share: 3,
          label: trans.__('Jobs'),
          content: new JobsPanel({ ...context, jobs, lake }),
          buttons: { runs: button(CommandIDs.openRuns) },
          badge: () => (jobs.live > 0 ? trans.__('%1 live', jobs.live) : '')
        }
      ],
      onStateChanged: () => keep()
    });
    const keep = () => {
      const { repo, ref } = selection;
      void state?.save(ID, { ...sidebar.state, history: { ...history.state }, repo, ref });
    };
    for (const model of [mounts, sessions, pipelines, jobs]) {
      model.stateChanged.connect(() => sidebar.updateBadges());
    }
    selection.changed.connect(() => sidebar.updateBadges());
    sidebar.state = { closed: ['mounts', 'history'] };
    void state
      ?.fetch(ID)
      .then(saved =>
        restore(saved as Partial<IKept> | undefined, { lake, sidebar, history, selection })
      )
      .finally(() => selection.changed.connect(keep));

    shell.add(sidebar, 'left', { rank: RANK, type: 'Data Lake' });
    restorer?.add(sidebar, sidebar.id);
    addPanelCommands(app, sidebar, selection, trans);
    statusBar?.registerStatusItem('jupyter-datalake:status', {
      item: new LakeStatus({
        ...context,
        lake,
        mounts,
        sessions,
        onClick: () => void commands.execute(CommandIDs.openPanel)
      }),
      align: 'left',
      isActive: () => lake.status !== null,
      activeStateChanged: lake.stateChanged
    });
    void settings?.load(ID).then(loaded => {
      kept = loaded;
      follow(loaded, sessions, changes);
    });
    for (const command of [
      CommandIDs.openPanel,
      CommandIDs.createRepo,
      CommandIDs.writeSession,
      CommandIDs.updateRepo,
      CommandIDs.commitSession,
      CommandIDs.discardSession
    ]) {
      palette?.addItem({ command, category: trans.__('Data Lake') });
    }
    return selection;
  }
};

/** Add the commands that lead to the panel. */
function addPanelCommands(
  app: JupyterFrontEnd,
  sidebar: LakeSidebar,
  selection: ILakeSelection,
  trans: TranslationBundle
): void {
  const { commands, shell } = app;
  commands.addCommand(CommandIDs.openPanel, {
    label: trans.__('Show Data Lake'),
    icon: lakeIcon,
    describedBy: ARGUMENTS[CommandIDs.openPanel],
    execute: args => {
      shell.activateById(sidebar.id);
      sidebar.reveal(textOf(args, 'section') ?? '');
    }
  });
  commands.addCommand(CommandIDs.openHistory, {
    label: trans.__('History'),
    icon: historyIcon,
    describedBy: ARGUMENTS[CommandIDs.openHistory],
    execute: args => {
      selection.select(repoOf(args, app) ?? selection.repo, textOf(args, 'ref'));
      shell.activateById(sidebar.id);
      sidebar.reveal('history');
    }
  });
}

/** What is kept with the layout. */
interface IKept extends ISidebarState {
  history: Partial<IHistoryState>;
  repo: string | null;
  ref: string;
}

/** What is restored. */
interface IRestored {
  lake: ILake;
  sidebar: LakeSidebar;
  history: CommitsPanel;
  selection: ILakeSelection;
}

/** Show the panel as it was the last time, and the repo that was selected. */
async function restore(
  kept: Partial<IKept> | undefined,
  { lake, sidebar, history, selection }: IRestored
): Promise<void> {
  if (Array.isArray(kept?.closed)) {
    sidebar.state = { closed: kept.closed };
  }
  history.state = {
    hasFilters: kept?.history?.hasFilters === true,
    isGraph: kept?.history?.isGraph !== false
  };
  const { repo, ref } = kept ?? {};
  if (typeof repo !== 'string' || typeof ref !== 'string') {
    return;
  }
  // It may be gone, or of another lake.
  const found = await listCommits(lake.client, repo, ref, { limit: 1 }).catch(() => null);
  if (found && selection.repo === null) {
    selection.select(repo, ref);
  }
}

/** Keep to the settings. */
function follow(
  settings: ISettingRegistry.ISettings,
  sessions: SessionsModel,
  changes: ChangesPanel
): void {
  const apply = () => {
    const seconds = settings.get('changesInterval').composite;
    if (typeof seconds === 'number') {
      sessions.interval_ms = seconds * 1000;
    }
    changes.isTree = settings.get('changesAsTree').composite === true;
  };
  settings.changed.connect(apply);
  apply();
}
