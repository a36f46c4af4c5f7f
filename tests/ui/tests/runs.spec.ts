/** Runs are listed, filtered, charted and compared; a failed cell is shown; jobs' ends are told. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from './sharing';

import { expectNamed, Lake, openPanel, section } from './lake';

const RUN_MS = 90_000;

test('runs are filtered, charted and compared', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('counted');
  await lake.put('counted', 'a.txt', 'one two', 'First words');
  await lake.createPipeline({
    pipeline: 'lines',
    command: ['sh', '-c', 'cat pfs/counted/* > pfs/out/all.txt'],
    parameters: { size: 1 },
    input: { repo: { name: 'counted', glob: '/' } }
  });
  const panel = await openPanel(page);
  const jobs = section(panel, 'jobs');
  await expect(jobs.locator('li', { hasText: 'lines' }).first()).toContainText('success', {
    timeout: RUN_MS
  });
  await lake.put('counted', 'b.txt', 'three', 'More words');
  await expect(jobs.locator('li[data-state="success"]', { hasText: 'lines' })).toHaveCount(2, {
    timeout: RUN_MS
  });

  await panel.getByRole('button', { name: /^Show runs/ }).click();
  const runs = page.getByRole('article', { name: 'Runs' });
  await runs.getByLabel('Pipeline').selectOption('lines');
  const items = runs.getByRole('listitem');
  await expect(items).toHaveCount(2);
  await runs.getByLabel('Group').selectOption('pipeline');
  await expect(runs.getByRole('list', { name: 'Jobs of lines' })).toBeVisible();
  await runs.getByLabel('State').selectOption('failed');
  await expect(runs).toContainText('No runs are like this.');
  await runs.getByLabel('State').selectOption('success');
  await runs.getByRole('searchbox').fill('nothing has this');
  await expect(items).toHaveCount(0);
  await runs.getByRole('searchbox').fill('Counted@');
  await expect(items).toHaveCount(1);
  await runs.getByRole('searchbox').fill('');
  await expect(items).toHaveCount(2);
  await expectNamed(runs);
  await page.screenshot({ path: 'test-results/runs.png' });
  await page.theme.setDarkTheme();
  await page.screenshot({ path: 'test-results/runs-dark.png' });
  await page.theme.setLightTheme();

  // The keyboard goes through the chart, and opens a run.
  const bars = runs.getByRole('group', { name: /^Durations of runs/ }).getByRole('button');
  await expect(bars).toHaveCount(2);
  await bars.last().focus();
  await page.keyboard.press('ArrowLeft');
  await expect(bars.first()).toBeFocused();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  const job = page.locator('.jp-DatalakeJobView:visible');
  await expect(job.getByRole('heading')).toContainText('lines');

  await job.getByRole('button', { name: 'Compare' }).click();
  const comparison = page.getByRole('article', { name: 'Comparison of two runs' });
  await expect(comparison.locator('[data-name="counted"]')).toContainText('differs');
  await expect(comparison.locator('[data-name="size"]')).not.toContainText('differs');
  await expect(comparison.getByRole('list')).toContainText('all.txt modified');
  await comparison.getByLabel('Only what differs').check();
  await expect(comparison.locator('[data-name="size"]')).toHaveCount(0);
  await expectNamed(comparison);
  await page.screenshot({ path: 'test-results/comparison.png' });
});

test('the end of a job is told with a link to it', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('doomed');
  await lake.put('doomed', 'a.txt', 'x', 'Words');
  await lake.createPipeline({
    pipeline: 'doomed-copy',
    command: ['sh', '-c', 'echo no good; exit 3'],
    datums: { tries: 1 },
    notify: [{ on: ['failure'], jupyter: true }],
    input: { repo: { name: 'doomed', glob: '/' } }
  });
  const toast = page.locator('.Toastify__toast', { hasText: 'doomed-copy' });
  await expect(toast).toBeVisible({ timeout: RUN_MS });
  await page.screenshot({ path: 'test-results/toast.png' });
  await toast.getByRole('button', { name: 'Show the job' }).click();
  await expect(page.locator('.jp-DatalakeJobView:visible').getByRole('heading')).toContainText(
    'doomed-copy'
  );
});

test('a job that failed is resumed, and what a datum was given is looked at', async ({
  page,
  request
}) => {
  const flag = join(mkdtempSync(join(tmpdir(), 'resumed-')), 'mended');
  const lake = new Lake(request);
  await lake.createRepo('given');
  await lake.put('given', 'good.txt', 'one', 'Good');
  await lake.put('given', 'bad.txt', 'two', 'Bad');
  await lake.createPipeline({
    pipeline: 'mendable',
    command: ['sh', '-c', `test ! -e pfs/given/bad.txt -o -e ${flag} && cp pfs/given/* pfs/out`],
    datums: { tries: 1 },
    input: { repo: { name: 'given', glob: '/*' } }
  });
  const panel = await openPanel(page);
  const jobs = section(panel, 'jobs');
  const failed = jobs.locator('li[data-state="failed"]', { hasText: 'mendable' });
  await expect(failed).toHaveCount(1, { timeout: RUN_MS });
  await failed.getByRole('button').first().click();
  const job = page.getByRole('article', { name: /^Job / });
  const details = job.getByRole('region', { name: /^Inputs and output of/ });
  await expect(details).toContainText('given/bad.txt');
  await expectNamed(job);
  await page.theme.setDarkTheme();
  await page.screenshot({ path: 'test-results/datum-dark.png' });
  await page.theme.setLightTheme();
  await page.screenshot({ path: 'test-results/datum.png' });

  writeFileSync(flag, '');
  await job.getByRole('button', { name: 'Compare' }).click();
  await expect(page.getByRole('alert').last()).toContainText('There is no earlier run');
  await job.getByRole('button', { name: 'Resume' }).click();
  // The job that does its work again is what is looked at now.
  await expect(job.locator('.jp-DatalakeJobView-header')).toContainText('success', {
    timeout: RUN_MS
  });
  await page
    .getByRole('tab', { name: /^mendable #/ })
    .first()
    .click();
  await details.getByRole('button', { name: 'given/bad.txt' }).click();
  await expect(page.locator('.jp-DatalakeFileView').getByRole('grid')).toContainText('two');
});
