/** Files of any commit are looked at: their data, what their columns hold, and what changed. */
import { expect, test } from './sharing';
import type { Locator } from '@playwright/test';

import { customers, SVG, view } from './content';
import { expectNamed, Lake, openHistory, openPanel, setTheme } from './lake';

function notebook(source: string, output: string): string {
  const cell = {
    id: 'one',
    cell_type: 'code',
    execution_count: 1,
    metadata: { trusted: true },
    source,
    outputs: [{ output_type: 'display_data', metadata: {}, data: { 'text/html': output } }]
  };
  const text = { id: 'two', cell_type: 'markdown', metadata: {}, source: '# A title' };
  return JSON.stringify({ cells: [cell, text], metadata: {}, nbformat: 4, nbformat_minor: 5 });
}

async function openCommit(panel: Locator, repo: string): Promise<Locator> {
  const history = await openHistory(panel, repo);
  const commit = history.getByRole('listitem').first();
  await commit.getByRole('button').first().click();
  return commit;
}

test('a large table is scrolled through, and its columns are described', async ({
  page,
  request
}, info) => {
  const lake = new Lake(request);
  await lake.createRepo('shop');
  await lake.put('shop', 'customers.csv', customers(200_000), 'All customers');

  const panel = await openPanel(page);
  const commit = await openCommit(panel, 'shop');
  await commit.getByRole('button', { name: 'All files' }).click();
  await commit
    .locator('.jp-DatalakeFileTree')
    .getByRole('button', { name: /^customers\.csv/ })
    .click();

  const shown = view(page);
  const grid = shown.getByRole('grid', { name: 'customers.csv' });
  await expect(shown).toContainText('200,000 rows');
  await expect(grid.getByRole('gridcell', { name: 'Customer 3', exact: true })).toBeVisible();
  await expect(grid).toHaveAttribute('aria-rowcount', '200001');
  await page.screenshot({ path: info.outputPath('data.png') });

  await grid.focus();
  await page.keyboard.press('Control+End');
  await expect(grid.getByRole('gridcell', { name: 'Customer 199999' })).toBeVisible();
  await page.keyboard.press('Home');
  await expect(grid.locator('[aria-selected="true"]')).toHaveText('199999');
  expect(await grid.getByRole('row').count()).toBeLessThan(120);

  await shown.getByRole('tab', { name: 'Statistics' }).click();
  const charge = shown.locator('[data-column="charge"]');
  await expect(charge.getByRole('img', { name: /Histogram of charge/ })).toBeVisible();
  await expect(charge).toContainText('99.9');
  await expect(shown.locator('[data-column="plan"]')).toContainText('100,000');
  await expectNamed(shown);
  await page.screenshot({ path: info.outputPath('statistics.png') });
  await setTheme(page, 'JupyterLab Dark');
  await page.screenshot({ path: info.outputPath('statistics-dark.png') });
  await shown.getByRole('tab', { name: 'Data' }).click();
  await expect(grid).toBeVisible();
  await page.screenshot({ path: info.outputPath('data-dark.png') });
  await setTheme(page, 'JupyterLab Light');
});

test('rows that changed are shown by their key, with the cells marked', async ({
  page,
  request
}, info) => {
  const lake = new Lake(request);
  await lake.createRepo('ledger');
  await lake.put('ledger', 'customers.csv', customers(500), 'All customers');
  await lake.put('ledger', 'customers.csv', customers(501, 7), 'One more, one changed');

  const panel = await openPanel(page);
  const commit = await openCommit(panel, 'ledger');
  await commit.locator('[data-path="customers.csv"]').getByRole('button').click();

  const shown = view(page);
  await expect(shown).toContainText('1 added');
  await expect(shown).toContainText('1 changed');
  const rows = shown.getByRole('region', { name: 'Changed rows' });
  const changed = rows.getByRole('row').filter({ hasText: 'onerror' });
  await expect(changed.locator('del')).toHaveText('pro');
  await expect(changed.locator('ins')).toContainText('<img src=x');
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  await page.screenshot({ path: info.outputPath('table-diff.png') });

  await shown.getByRole('combobox', { name: 'Key' }).selectOption('"name"');
  await expect(rows.getByRole('columnheader', { name: 'name (key)' })).toBeVisible();
  await shown.getByRole('textbox', { name: 'Compared with' }).fill('main');
  await shown.getByRole('button', { name: 'Compare' }).click();
  await expect(shown).toContainText('Nothing differs');
  await expectNamed(shown);
});

test('texts, notebooks and images are shown, and compared side by side', async ({
  page,
  request
}, info) => {
  const lake = new Lake(request);
  await lake.createRepo('mixed');
  const script = '<script>window.hacked = true</script><b>bold</b>';
  await lake.put('mixed', 'a.txt', 'one\ntwo\n<b>three</b>\n', 'Text');
  await lake.put('mixed', 'plot.svg', SVG.replace('COLOUR', 'teal'), 'Image');
  await lake.put('mixed', 'note.ipynb', notebook('x = 1\nprint(x)', script), 'Notebook');
  await lake.put('mixed', 'a.txt', 'one\n2\n<b>three</b>\n', 'Text again');
  await lake.put('mixed', 'plot.svg', SVG.replace('COLOUR', 'orange'), 'Image again');
  await lake.put(
    'mixed',
    'note.ipynb',
    notebook('x = 2\nprint(x)', `${script}<i>new</i>`),
    'Notebook again'
  );

  const panel = await openPanel(page);
  const history = await openHistory(panel, 'mixed');
  const open = async (message: string, path: string): Promise<void> => {
    const commit = history.getByRole('listitem').filter({ hasText: message }).first();
    await commit.getByRole('button').first().click();
    await commit.locator(`[data-path="${path}"]`).getByRole('button').click();
  };
  await open('Notebook again', 'note.ipynb');
  await expect(view(page).getByRole('region', { name: 'Cell 1' })).toContainText('x = 2');
  const outputs = view(page).getByRole('group', { name: 'Outputs' });
  await expect(outputs.getByRole('figure', { name: 'Before' }).locator('b')).toHaveText('bold');
  await expect(outputs.getByRole('figure', { name: 'Now' }).locator('i')).toHaveText('new');
  await expect(outputs.locator('script')).toHaveCount(0);
  await page.screenshot({ path: info.outputPath('notebook-diff.png') });
  await view(page).getByRole('tab', { name: 'Data' }).click();
  await expect(view(page).getByRole('heading', { name: 'A title' })).toBeVisible();
  await expect(view(page).locator('.jp-OutputArea b')).toHaveText('bold');
  await page.screenshot({ path: info.outputPath('notebook.png') });

  await open('Image again', 'plot.svg');
  await expect(view(page).getByRole('img', { name: 'Now' })).toBeVisible();
  await expect(view(page).getByRole('figure', { name: 'Before' })).toContainText('120 × 80');
  await view(page).getByRole('button', { name: 'Swipe' }).click();
  const edge = view(page).getByRole('slider', { name: /Where the new image begins/ });
  await edge.focus();
  await page.keyboard.press('Home');
  await expect(edge).toHaveValue('0');
  await page.keyboard.press('End');
  await expect(edge).toHaveValue('100');
  await view(page).getByRole('button', { name: 'Onion skin' }).click();
  await expectNamed(view(page));
  await page.screenshot({ path: info.outputPath('image-diff.png') });
  await view(page).getByRole('tab', { name: 'Data' }).click();
  await expect(view(page).getByRole('img', { name: 'plot.svg' })).toBeVisible();

  await open('Text again', 'a.txt');
  await expect(view(page)).toContainText('1 line added, 1 removed');
  await page.screenshot({ path: info.outputPath('text-diff.png') });
  await view(page).getByRole('tab', { name: 'Data' }).click();
  await expect(view(page).getByRole('grid')).toContainText('<b>three</b>');
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
});
