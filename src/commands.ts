/**
 * Ids of the commands, and the schemas of their arguments.
 */
import type { ReadonlyJSONObject } from '@lumino/coreutils';

/** What the user interface can be told to do; each is a verb of the lake and its noun. */
export namespace CommandIDs {
  export const openPanel = 'datalake:open-panel';
  export const copyAddress = 'datalake:copy-address';
  export const openComparison = 'datalake:open-comparison';
  export const openDag = 'datalake:open-dag';
  export const writePipeline = 'datalake:write-pipeline';
  export const openFile = 'datalake:open-file';
  export const openFileAt = 'datalake:open-file-at';
  export const openFiles = 'datalake:open-files';
  export const openHistory = 'datalake:open-history';
  export const openJob = 'datalake:open-job';
  export const openLineage = 'datalake:open-lineage';
  export const openNotebook = 'datalake:open-notebook';
  export const openRuns = 'datalake:open-runs';
  export const openTrial = 'datalake:open-trial';
  export const openSchedule = 'datalake:open-schedule';

  export const createRepo = 'datalake:create-repo';
  export const updateRepo = 'datalake:update-repo';
  export const writeSession = 'datalake:write-session';
  export const deleteRepo = 'datalake:delete-repo';
  export const createBranch = 'datalake:create-branch';
  export const deleteBranch = 'datalake:delete-branch';
  export const createTag = 'datalake:create-tag';
  export const deleteTag = 'datalake:delete-tag';
  export const resetRef = 'datalake:reset-ref';
  export const undoRef = 'datalake:undo-ref';
  export const selectForCompare = 'datalake:select-for-compare';
  export const revertCommit = 'datalake:revert-commit';
  export const cherryPick = 'datalake:cherry-pick';
  export const mergeCommit = 'datalake:merge-commit';
  export const createMount = 'datalake:create-mount';
  export const deleteMount = 'datalake:delete-mount';
  export const switchMount = 'datalake:switch-mount';
  export const commitSession = 'datalake:commit-session';
  export const discardSession = 'datalake:discard-session';
  export const promotePipeline = 'datalake:promote-pipeline';
  export const renderPipeline = 'datalake:render-pipeline';
  export const runPipeline = 'datalake:run-pipeline';
  export const pausePipeline = 'datalake:pause-pipeline';
  export const resumePipeline = 'datalake:resume-pipeline';
  export const deletePipeline = 'datalake:delete-pipeline';
  export const compareJob = 'datalake:compare-job';
  export const cancelJob = 'datalake:cancel-job';
  export const rerunJob = 'datalake:rerun-job';
  export const resumeJob = 'datalake:resume-job';
  export const reopenJob = 'datalake:reopen-job';
  export const publishFix = 'datalake:publish-fix';
}

const REPO = { type: 'string', description: 'Name of a repo' };
const REF = { type: 'string', description: 'Branch, tag, commit id or other ref expression' };
const PATH = { type: 'string', description: 'Path of the file in the repo' };
const MOUNT = { type: 'string', description: 'Name of the mounted folder' };
const PIPELINE = { type: 'string', description: 'Name of a pipeline' };
const JOB = { type: 'string', description: 'Id of a job' };
const TRIAL = { type: 'string', description: 'Id of a trial' };
const DATUM = { type: 'integer', minimum: 0, description: 'Position of the datum' };
const REPROCESS = { type: 'boolean', description: 'Run every datum, also those already done' };

/** Return the description of a command's arguments. */
function args(
  properties: Record<string, ReadonlyJSONObject> = {},
  required: string[] = []
): { args: ReadonlyJSONObject } {
  return { args: { type: 'object', properties, required } };
}

const NEW_REF = args({
  repo: REPO,
  name: { type: 'string', description: 'Name of the ref; asked for when left out' },
  at: REF
});
const JOIN = args({
  repo: REPO,
  ref: REF,
  branch: { type: 'string', description: 'Branch that gets the new commit' }
});
const OLD_REF = args({ repo: REPO, name: { type: 'string' } }, ['repo', 'name']);

/** Schemas of the commands' arguments, by command. */
export const ARGUMENTS: Readonly<Record<string, { args: ReadonlyJSONObject }>> = {
  [CommandIDs.openPanel]: args({
    section: { type: 'string', description: 'Name of a section that is to be seen' }
  }),
  [CommandIDs.openDag]: args({
    path: { type: 'string', description: 'File of specs; a new one when left out' },
    cwd: { type: 'string', description: 'Folder of a new file; the one that is shown by default' }
  }),
  [CommandIDs.openFile]: args(
    {
      repo: REPO,
      ref: REF,
      path: PATH,
      base: { type: 'string', description: 'Ref to compare it with; the commit before by default' },
      session: { type: 'string', description: 'Session in which it is staged' },
      trial: TRIAL,
      datum: DATUM,
      tab: { type: 'string', enum: ['data', 'statistics', 'changes'] }
    },
    ['repo', 'ref', 'path']
  ),
  [CommandIDs.openFileAt]: args({
    repo: REPO,
    ref: { ...REF, description: 'Ref at which it is opened; asked for when left out' },
    path: PATH
  }),
  [CommandIDs.copyAddress]: args({ repo: REPO, ref: REF, path: PATH }),
  [CommandIDs.openComparison]: args({
    repo: REPO,
    old: { type: 'string', description: 'Ref expression; the selected commit when left out' },
    new: { type: 'string', description: 'Ref expression of what it is compared with' },
    session: { type: 'string', description: 'Session whose staged files it is compared with' }
  }),
  [CommandIDs.openFiles]: args({ repo: REPO, ref: REF }),
  [CommandIDs.openHistory]: args({ repo: REPO, ref: REF }),
  [CommandIDs.openJob]: args({ job: JOB }, ['job']),
  [CommandIDs.openLineage]: args({
    globalId: { type: 'string', description: 'Show only what hangs on this change' },
    node: { type: 'string', description: 'Node to choose, as in pipeline:clean' },
    repo: { type: 'string', description: 'Repo to choose' },
    ref: REF,
    path: { type: 'string', description: 'File of the repo: what made it, and what uses it' }
  }),
  [CommandIDs.openRuns]: args({ pipeline: PIPELINE }),
  [CommandIDs.compareJob]: args(
    { job: JOB, other: { type: 'string', description: 'The run before it, when left out' } },
    ['job']
  ),
  [CommandIDs.openNotebook]: args({ job: JOB, trial: TRIAL, datum: DATUM }),
  [CommandIDs.openTrial]: args({ trial: TRIAL }, ['trial']),
  [CommandIDs.createRepo]: args({ name: REPO, description: { type: 'string' } }),
  [CommandIDs.updateRepo]: args({ repo: REPO, description: { type: 'string' } }),
  [CommandIDs.writeSession]: args({
    repo: REPO,
    ref: { ...REF, description: 'Branch that the files are committed to' },
    isFolder: { type: 'boolean', description: 'Whether a folder is chosen, with all below it' }
  }),
  [CommandIDs.deleteRepo]: args({ repo: REPO }),
  [CommandIDs.createBranch]: NEW_REF,
  [CommandIDs.deleteBranch]: OLD_REF,
  [CommandIDs.createTag]: NEW_REF,
  [CommandIDs.deleteTag]: OLD_REF,
  [CommandIDs.resetRef]: args({
    repo: REPO,
    name: { type: 'string', description: 'The branch; that whose history is shown when left out' },
    to: REF
  }),
  [CommandIDs.undoRef]: args({ repo: REPO, name: { type: 'string' } }, ['repo', 'name']),
  [CommandIDs.selectForCompare]: args({ repo: REPO, ref: REF }),
  [CommandIDs.revertCommit]: JOIN,
  [CommandIDs.cherryPick]: JOIN,
  [CommandIDs.mergeCommit]: JOIN,
  [CommandIDs.createMount]: args({ repo: REPO, ref: REF, writable: { type: 'boolean' } }),
  [CommandIDs.deleteMount]: args({ repo: REPO, name: MOUNT }),
  [CommandIDs.switchMount]: args({
    repo: REPO,
    name: MOUNT,
    ref: REF,
    writable: { type: 'boolean' }
  }),
  [CommandIDs.commitSession]: args({ repo: REPO, message: { type: 'string' } }),
  [CommandIDs.discardSession]: args({ repo: REPO }),
  [CommandIDs.promotePipeline]: args({
    path: { type: 'string', description: 'Path of a notebook; the current one when left out' },
    asks: { type: 'boolean', description: 'Ask for notebooks, several of which feed each other' }
  }),
  [CommandIDs.openSchedule]: args({ pipeline: PIPELINE }),
  [CommandIDs.writePipeline]: args(
    { pipeline: PIPELINE, cwd: { type: 'string', description: 'Folder that is proposed' } },
    ['pipeline']
  ),
  [CommandIDs.renderPipeline]: args({
    path: { type: 'string', description: 'Path of the template; asked for when left out' }
  }),
  [CommandIDs.runPipeline]: args({ pipeline: PIPELINE, reprocess: REPROCESS }),
  [CommandIDs.pausePipeline]: args({ pipeline: PIPELINE }),
  [CommandIDs.resumePipeline]: args({ pipeline: PIPELINE }),
  [CommandIDs.deletePipeline]: args({ pipeline: PIPELINE }),
  [CommandIDs.cancelJob]: args({ job: JOB }),
  [CommandIDs.rerunJob]: args({ job: JOB, reprocess: REPROCESS }),
  [CommandIDs.resumeJob]: args({ job: JOB }, ['job']),
  [CommandIDs.reopenJob]: args({ job: JOB, datum: DATUM }, ['job']),
  [CommandIDs.publishFix]: args({
    folder: {
      type: 'string',
      description: 'Folder of a reopened datum; that of the current notebook when left out'
    }
  })
};
