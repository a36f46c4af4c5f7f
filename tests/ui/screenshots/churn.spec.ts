/** The pictures of the documentation, of the churn story (DATALAKE_UI_STORY=churn). */
import { expect, test } from '@jupyterlab/galata';

import {
  expectFolder,
  Lake,
  openHistory,
  openNotebook,
  openPanel,
  repoRow,
  section
} from '../tests/lake';
import { expectPaintedSoon } from '../tests/paint';
import { draw, openJob, openWide } from './pictures';

test('the panel of the demo is drawn within a second of being opened', async ({ page }) => {
  await expectPaintedSoon(page);
});

test('the panel, a mounted repo and a job', async ({ page, request }) => {
  const lake = new Lake(request);
  for (const repo of ['training_data', 'features', 'model']) {
    await lake.mount(repo);
  }
  for (const [theme, name] of [
    ['JupyterLab Light', 'panel'],
    ['JupyterLab Dark', 'panel-dark']
  ] as const) {
    await page.theme.setTheme(theme);
    const panel = await openWide(page);
    await repoRow(panel, 'model').getByRole('button').first().click();
    await expectFolder(page, 'lake/model');
    await openPanel(page);
    await openJob(page, panel, 'predict');
    await page.sidebar.moveTabToRight('filebrowser').catch(() => undefined); // there already
    await page.sidebar.openTab('filebrowser');
    await page.sidebar.setWidth(260, 'right');
    await section(panel, 'repos').evaluate(node => node.scrollTo(0, 0));
    await draw(page, name, theme.endsWith('Light'));
  }
  await page.theme.setTheme('JupyterLab Light');
  await page.sidebar.moveTabToLeft('filebrowser');
});

test('the lineage of a tick', async ({ page }) => {
  for (const [theme, suffix] of [
    ['JupyterLab Light', ''],
    ['JupyterLab Dark', '-dark']
  ] as const) {
    await page.theme.setTheme(theme);
    const panel = await openWide(page);
    await panel.getByRole('button', { name: 'Lineage', exact: true }).click();
    const graph = page.getByRole('group', { name: /^Lineage graph/ });
    await expect(graph.getByRole('button', { name: /^pipeline predict,/ })).toBeVisible();
    await page.sidebar.close('left');
    await draw(page, `lineage-whole${suffix}`, false);
    const change = page.getByRole('combobox', { name: 'Change' });
    const tick = change.locator('option', { hasText: 'Tick of' }).first();
    await change.selectOption((await tick.getAttribute('value')) ?? '');
    await expect(page.getByRole('table', { name: 'Jobs of the change' })).toBeVisible();
    await draw(page, `lineage${suffix}`);
    await graph.getByRole('button', { name: /^pipeline model,/ }).click();
    const sheet = page.getByRole('complementary', { name: 'pipeline model' });
    await expect(sheet).toBeVisible();
    await draw(page, `lineage-sheet${suffix}`, theme.endsWith('Light'));
    await sheet.getByRole('button', { name: 'Close' }).click();
    await change.selectOption('');
  }
  await page.theme.setTheme('JupyterLab Light');
});

test('a notebook on its way to a pipeline', async ({ page }) => {
  await page.evaluate(async () => {
    await window.jupyterapp.commands.execute('filebrowser:go-to-path', { path: 'churn' });
  });
  await openNotebook(page, 'churn/predict.ipynb');
  await expect(page.getByRole('contentinfo')).toContainText('Idle');
  await page.getByRole('button', { name: /^Promote to pipeline/ }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('region', { name: 'Datums' })).toContainText('3 datums');
  await draw(page, 'promote');
});

test('changes on their way to a commit', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('reports');
  await lake.put('reports', 'notes.md', '# Notes on the churn model\n', 'Begin the notes');
  await lake.put('reports', 'old.csv', 'a\n1\n', 'A table of last year');
  await lake.mount('reports');
  const notes =
    '# Notes on the churn model\n\nContracts by the month leave most: call them first.\n';
  await page.contents.uploadContent(notes, 'text', 'lake/reports/notes.md');
  await page.contents.uploadContent('contract,leaving\n', 'text', 'lake/reports/2026/leaving.csv');
  await page.contents.deleteFile('lake/reports/old.csv');
  const panel = await openWide(page);
  await repoRow(panel, 'reports').getByRole('button').first().click();
  await expectFolder(page, 'lake/reports');
  await page.evaluate(async () => {
    await window.jupyterapp.commands.execute('docmanager:open', { path: 'lake/reports/notes.md' });
  });
  await openPanel(page);
  const history = await openHistory(panel, 'reports');
  await history.getByRole('listitem').first().getByRole('button').first().click();
  const message = panel.getByRole('textbox', { name: 'Commit message for reports@main' });
  await message.fill('Say whom to call first');
  await expect(
    panel.getByRole('list', { name: 'Changed files of reports@main' }).getByRole('listitem')
  ).toHaveCount(3);
  await draw(page, 'changes');
});

test('a job in full', async ({ page }) => {
  const panel = await openWide(page);
  await openJob(page, panel, 'clean_prediction');
  await draw(page, 'job');
});

test('the panel at its narrowest', async ({ page }) => {
  const panel = await openPanel(page);
  await page.sidebar.setWidth(250, 'left');
  await panel.getByRole('button', { name: 'Lineage', exact: true }).click();
  await expect(page.getByRole('group', { name: /^Lineage graph/ })).toBeVisible();
  await draw(page, 'narrow', false);
});
