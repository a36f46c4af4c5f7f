/**
 * axe finds nothing amiss: the panel, its dialogs and each view, in three themes.
 *
 * Screens that other specs come by are looked at there.
 */
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';

import { expect, test } from './sharing';
import {
  expectAccessible,
  expectAccessibleInThemes,
  expectNamed,
  Lake,
  openHistory,
  openNotebook,
  openPanel,
  openSections,
  repoRow,
  section,
  showActions
} from './lake';

const RUN_MS = 90_000;

test('the panel, with all sections full', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('axe');
  const old = await lake.put('axe', 'a.csv', 'id,n\n1,2\n', 'The first');
  await lake.createBranch('axe', 'side', old);
  await lake.createPipeline({
    pipeline: 'axe-copy',
    command: ['sh', '-c', 'echo copying; cp pfs/axe/* pfs/out/ && test ! -e pfs/out/bad'],
    datums: { tries: 1 },
    input: { repo: { name: 'axe', glob: '/*' } }
  });
  const panel = await openPanel(page);
  const ended = (state: string) =>
    section(panel, 'jobs').locator(`li[data-state="${state}"]`, { hasText: 'axe-copy' });
  await expect(ended('success')).toHaveCount(1, { timeout: RUN_MS });
  await lake.put('axe', 'bad', 'x', 'Something bad');
  await expect(ended('failed')).toHaveCount(1, { timeout: RUN_MS });
  await lake.stage('axe', 'side', 'axe@main/');
  const history = await openHistory(panel, 'axe');
  await history.getByRole('listitem').first().getByRole('button').first().click();
  await history.getByRole('button', { name: 'All files' }).click();
  await expect(history.locator('.jp-DatalakeFileTree-file').first()).toBeVisible();
  await section(panel, 'pipelines')
    .locator('[data-pipeline="axe-copy"]')
    .getByRole('button')
    .first()
    .click();
  await openSections(panel);
  await expect(section(panel, 'changes').locator('[data-path]').first()).toBeVisible();
  await expectNamed(panel);
  await expectAccessibleInThemes(page, '#jupyter-datalake');
  await section(panel, 'changes')
    .getByRole('button', { name: 'Show changes as a tree' })
    .first()
    .click();
  await expectAccessible(page, '#jupyter-datalake');
  await section(panel, 'changes')
    .getByRole('button', { name: 'Show changes as a list' })
    .first()
    .click();
});

test('the dialogs', async ({ page, request }) => {
  test.slow(); // seven of them, in three themes
  const lake = new Lake(request);
  await lake.createRepo('axe-dialogs');
  const first = await lake.put('axe-dialogs', 'a.csv', 'id\n1\n', 'The first');
  await lake.createBranch('axe-dialogs', 'other', first);
  await lake.stage('axe-dialogs', 'other', 'customers@main/');
  await lake.mount('axe-dialogs');
  const panel = await openPanel(page);
  const row = repoRow(panel, 'axe-dialogs');
  const repo = 'axe-dialogs';
  const openers: Record<string, () => Promise<unknown>> = {
    create: () =>
      page.getByRole('button', { name: 'Create a repo: a folder with versions' }).click(),
    switch: async () => {
      await showActions(row);
      await row.getByRole('button', { name: /^Switch axe-dialogs/ }).click();
    },
    branch: () => run(page, 'datalake:create-branch', { repo, at: 'main' }),
    commit: () => run(page, 'datalake:commit-session', { repo }),
    discard: () => run(page, 'datalake:discard-session', { repo }),
    delete: () => run(page, 'datalake:delete-repo', { repo }),
    promote: async () => {
      await openNotebook(page, 'count.ipynb');
      await page.getByRole('button', { name: /^Promote to pipeline/ }).click();
      await expect(page.getByRole('region', { name: 'Datums' })).toContainText('1 datum');
    }
  };
  for (const [name, open] of Object.entries(openers)) {
    await test.step(name, async () => {
      await open();
      await expect(page.getByRole('dialog')).toBeVisible();
      await expectAccessibleInThemes(page, '.jp-Dialog');
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
      await expect(page.getByRole('dialog')).toHaveCount(0);
    });
  }
  await lake.unmountAll();
});

test('runs, a job and a comparison', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('axe-views');
  await lake.put('axe-views', 'a.csv', 'id,n\n1,2\n2,3\n', 'The first');
  await lake.createPipeline({
    pipeline: 'axe-views-copy',
    command: ['sh', '-c', 'echo copying; cp pfs/given/* pfs/out/ && test ! -e pfs/out/bad'],
    datums: { tries: 1 },
    input: { repo: { name: 'axe-views', as: 'given', glob: '/*' } }
  });
  await lake.put('axe-views', 'a.csv', 'id,n\n1,2\n2,4\n3,1\n', 'The second');
  await lake.put('axe-views', 'bad', 'x', 'Something bad');
  await run(page, 'datalake:open-runs', { pipeline: 'axe-views-copy' });
  const runs = page.getByRole('article', { name: 'Runs' });
  await expect(runs.locator('li[data-state="failed"]')).toHaveCount(1, { timeout: RUN_MS });
  await expectAccessibleInThemes(page, '.jp-DatalakeRuns');
  await runs.locator('li[data-state="failed"]').getByRole('button').first().click();
  const job = page.locator('.jp-DatalakeJobView:visible');
  await expect(job.getByRole('log')).toBeVisible();
  await expectAccessibleInThemes(page, '.jp-DatalakeJobView');
  await job.getByRole('button', { name: 'Compare' }).click();
  await expect(page.getByRole('article', { name: 'Comparison of two runs' })).toBeVisible();
  await expectAccessibleInThemes(page, '[aria-label="Comparison of two runs"]');
});

test('files and lineage', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('axe-file');
  await lake.put('axe-file', 'a.csv', 'id,n\n1,2\n2,3\n', 'The first');
  await lake.put('axe-file', 'a.csv', 'id,n\n1,2\n2,4\n3,1\n', 'The second');
  await run(page, 'datalake:open-file', { repo: 'axe-file', ref: 'main', path: 'a.csv' });
  const view = page.locator('.jp-DatalakeFileView:visible');
  await expect(view.getByRole('grid')).toBeVisible();
  await expectAccessibleInThemes(page, '.jp-DatalakeFileView');
  await view.getByRole('tab', { name: 'Statistics' }).click();
  await expect(view.locator('[data-column="n"]')).toBeVisible();
  await expectAccessibleInThemes(page, '.jp-DatalakeFileView');
  await view.getByRole('tab', { name: 'Changes' }).click();
  await view.getByRole('textbox', { name: 'Compared with' }).fill('main~1');
  await view.getByRole('button', { name: 'Compare' }).click();
  await expect(view.getByRole('region', { name: 'Changed rows' })).toBeVisible();
  await expectAccessibleInThemes(page, '.jp-DatalakeFileView');

  await run(page, 'datalake:open-lineage', { node: 'repo:axe-file' });
  await expect(page.getByRole('complementary', { name: 'repo axe-file' })).toBeVisible();
  await expectAccessibleInThemes(page, '.jp-DatalakeLineagePanel');
});

/** Run a command, without waiting for a dialog that it opens. */
async function run(
  page: IJupyterLabPageFixture,
  command: string,
  args: Record<string, string>
): Promise<void> {
  await page.evaluate(
    ([id, given]) => {
      void window.jupyterapp.commands.execute(id, given);
    },
    [command, args] as const
  );
}
