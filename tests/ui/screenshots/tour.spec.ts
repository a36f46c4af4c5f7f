/** The pictures of docs/tour.md that the churn story has no occasion for. */
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect, test } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

import { notebookOf, parametersCell } from '../tests/content';
import { Lake, openHistory, openNotebook, openPanel, repoRow } from '../tests/lake';
import { draw, openWide, pathOf } from './pictures';

test.use({ viewport: { width: 1240, height: 760 } });

const RUN_MS = 120_000;
const MONTHS = ['2026-01', '2026-02', '2026-03'];

/** A notebook that adds up the orders of one month. */
const TOTALS = notebookOf(
  parametersCell(
    'orders = "lake/orders"  # a month each\nrate = 0.2  # of the tax\nout = "out/totals"'
  ),
  'from pathlib import Path\nimport pandas as pd\n\n' +
    'path = next(Path(orders).rglob("*.csv")) if Path(orders).is_dir() else Path(orders)\n' +
    'table = pd.read_csv(path, dtype=str)\nprint(len(table), "orders in", path.name)',
  'amounts = [float(text) for text in table["amount"]]',
  'total = sum(amounts) * (1 + rate)\n' +
    'Path(out).mkdir(parents=True, exist_ok=True)\n' +
    'Path(out, path.name).write_text(f"total\\n{total:.2f}\\n")\nprint("total", total)'
);

/** Return the orders of a month as CSV; `amounts` replace those of single rows. */
function orders(month: string, count: number, amounts: Record<number, string> = {}): string {
  const rows = Array.from({ length: count }, (_, n) => {
    const amount = amounts[n] ?? (((n * 7919) % 24_000) / 100 + 5).toFixed(2);
    const day = String((n % 28) + 1).padStart(2, '0');
    const city = ['Berlin', 'Lagos', 'Lima', 'Osaka', 'Oslo'][(n * 3 + Math.floor(n / 7)) % 5];
    return `${month}-${String(n).padStart(4, '0')},${month}-${day},${city},${amount}\n`;
  });
  return `order,day,city,amount\n${rows.join('')}`;
}

/** The main area's widget that is in front. */
function front(page: IJupyterLabPageFixture, name: string): Locator {
  return page.locator(`${name}:not(.lm-mod-hidden *)`).last();
}

test('a repo is made in the panel, and its orders come in', async ({ page, request }) => {
  const panel = await openWide(page);
  await page.getByRole('button', { name: 'Create a repo: a folder with versions' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('orders');
  await dialog.getByLabel('Description').fill('what customers ordered, a file a month');
  await draw(page, 'tour-create');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(repoRow(panel, 'orders')).toBeVisible();
  const lake = new Lake(request);
  for (const month of MONTHS) {
    await lake.put('orders', `${month}.csv`, orders(month, 400), `Orders of ${month}`);
  }
  const put = { 5: '199.00', 11: '0.00' };
  await lake.put('orders', '2026-03.csv', orders('2026-03', 403, put), 'Correct two amounts');
});

test('a commit, its files, and what a file holds', async ({ page }) => {
  const panel = await openWide(page);
  const history = await openHistory(panel, 'orders');
  const commit = history.getByRole('listitem').first();
  await commit.getByRole('button').first().click();
  await commit.locator('[data-path="2026-03.csv"]').getByRole('button').click();
  const view = front(page, '.jp-DatalakeFileView');
  await expect(view).toContainText('3 added');
  await draw(page, 'tour-history');
  await page.sidebar.close('left');
  await view.getByRole('tab', { name: 'Data' }).click();
  await expect(view.getByRole('grid')).toContainText('Lagos');
  await draw(page, 'tour-table');
  await view.getByRole('tab', { name: 'Statistics' }).click();
  await expect(view.getByRole('img', { name: /Histogram of amount/ })).toBeVisible();
  await draw(page, 'tour-statistics');
});

test('a datum fails at a cell, and runs are compared', async ({ page, request }) => {
  const lake = new Lake(request);
  await page.contents.uploadContent(TOTALS, 'text', 'totals.ipynb');
  await lake.createPipeline({
    pipeline: 'totals',
    input: { repo: { name: 'orders', glob: '/*' } },
    notebook: 'totals.ipynb',
    datums: { tries: 1 }
  });
  const panel = await openWide(page);
  await panel.getByRole('button', { name: /^Show runs/ }).click();
  const runs = page.getByRole('article', { name: 'Runs' });
  await runs.getByLabel('Pipeline').selectOption('totals');
  const ended = (state: string) => runs.locator(`li[data-state="${state}"]`);
  await expect(ended('success')).toHaveCount(1, { timeout: RUN_MS });
  await lake.put('orders', '2026-04.csv', orders('2026-04', 90), 'Orders of April');
  await expect(ended('success')).toHaveCount(2, { timeout: RUN_MS });
  const words = orders('2026-05', 40, { 3: 'twelve' });
  await lake.put('orders', '2026-05.csv', words, 'Orders of May');
  await expect(ended('failed')).toHaveCount(1, { timeout: RUN_MS });
  await draw(page, 'tour-runs');

  await ended('failed').getByRole('button').first().click();
  const job = front(page, '.jp-DatalakeJobView');
  await expect(job.getByRole('region', { name: 'Cells' }).getByRole('alert')).toContainText(
    'twelve'
  );
  await page.sidebar.close('left');
  await draw(page, 'tour-failed');

  await job.getByRole('button', { name: 'Compare' }).click();
  const comparison = page.getByRole('article', { name: 'Comparison of two runs' });
  await comparison.getByLabel('Only what differs').check();
  await draw(page, 'tour-comparison');
});

test('what made a file', async ({ page }) => {
  const panel = await openWide(page);
  const history = await openHistory(panel, 'model');
  await history.getByRole('listitem').first().getByRole('button').first().click();
  await history.getByRole('button', { name: 'All files' }).click();
  const file = history.locator('.jp-DatalakeFileTree-file', { hasText: 'metrics.json' });
  await file.click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Lineage' }).click();
  const made = page.getByRole('complementary', { name: /^file / });
  await expect(made.getByRole('list', { name: 'What made this?' })).toBeVisible();
  await page.sidebar.close('left');
  await draw(page, 'tour-file');
});

test('magics and widgets in a notebook', async ({ page }) => {
  await page.setViewportSize({ width: 1240, height: 1000 });
  const sources = [
    '%load_ext jupyter_datalake\n%datalake files list orders@main',
    "%%sql\nSELECT city, count(*) AS orders, round(sum(amount), 2) AS total\nFROM 'orders@main/2026-03.csv' GROUP BY city ORDER BY total DESC",
    'import jupyter_datalake as dl\ndl.widgets.job(dl.Lake.open().jobs.list(pipeline="totals")[0].id)'
  ];
  const content = notebookOf(...sources);
  await page.contents.uploadContent(content, 'text', 'looking.ipynb');
  await openNotebook(page, 'looking.ipynb');
  await page.notebook.run();
  await expect(page.locator('.jp-OutputArea').last()).toContainText('totals');
  await page.sidebar.close('left');
  await draw(page, 'tour-notebook');
});

test('the status bar', async ({ page, request }) => {
  await new Lake(request).mount('orders');
  await openPanel(page);
  await page.contents.uploadContent('to do\n', 'text', 'lake/orders/notes.txt');
  const bar = page.locator('#jp-main-statusbar');
  await expect(bar.getByRole('button', { name: /^Data Lake: / })).toContainText(/\d+ change/);
  const box = await bar.boundingBox();
  await page.screenshot({
    path: pathOf('tour-status'),
    clip: { x: 0, y: box?.y ?? 0, width: 700, height: box?.height ?? 24 }
  });
});
