/** More pictures of docs/tour.md: histories, differences, conflicts, and ways to make pipelines. */
import { expect, test } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

import { notebookOf, parametersCell } from '../tests/content';
import {
  fileEntry,
  Lake,
  openHistory,
  openNotebook,
  openPanel,
  repoRow,
  section,
  showActions
} from '../tests/lake';
import { draw, openWide } from './pictures';

test.use({ viewport: { width: 1240, height: 760 } });

const TEMPLATE = `
template: report by the month
description: Adds up one column of each month's orders
arguments:
  source: {type: repo, default: prices, description: The repo with a table a month}
  column: {type: str, default: amount, description: What is added up}
  decimals: {type: int, default: 2, minimum: 0, maximum: 6}
  mode: {type: choice, choices: [fast, exact], default: exact}
spec:
  pipeline: report-of-\${{ arguments.source }}
  input: {repo: {name: "\${{ arguments.source }}", glob: "/*.csv"}}
  command: [sh, -c, "sort pfs/*/* > pfs/out/report"]
  parameters:
    column: "\${{ arguments.column }}"
    decimals: "\${{ arguments.decimals }}"
    mode: "\${{ arguments.mode }}"
`;

/** Prices of things; `changed` ones are dearer. */
function prices(...changed: number[]): string {
  const names = ['apples', 'bread', 'cheese', 'dates', 'eggs', 'flour', 'grapes', 'honey'];
  const rows = names.map(
    (name, n) => `${n + 1},${name},${(1.2 + n * 0.35 + (changed.includes(n) ? 0.5 : 0)).toFixed(2)}`
  );
  return `id,name,amount\n${rows.join('\n')}\n`;
}

/** Open some sections of the panel, and close the others. */
async function showOnly(panel: Locator, names: RegExp): Promise<void> {
  for (const title of await panel.locator('.lm-AccordionPanel-title').all()) {
    const isOpen = (await title.getAttribute('aria-expanded')) === 'true';
    if (names.test((await title.innerText()).trim()) !== isOpen) {
      await title.click();
    }
  }
}

test('a history with two lines, and two of its commits compared', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('prices');
  const first = await lake.put('prices', 'shop.csv', prices(), 'Prices of the shop');
  await lake.put('prices', 'notes.md', '# Prices\n', 'Begin the notes');
  await lake.createBranch('prices', 'spring', 'main');
  await lake.put('prices', 'shop.csv', prices(1, 4), 'Bread and eggs are dearer', 'spring');
  await lake.put('prices', 'market.csv', prices(2), 'Prices of the market', 'spring');
  await lake.put('prices', 'notes.md', '# Prices\n\nIn euros.\n', 'Say in which money');
  await lake.merge('prices', 'spring', 'main');
  await lake.put('prices', 'shop.csv', prices(1, 4, 6), 'So are grapes');
  const panel = await openWide(page);
  const history = await openHistory(panel, 'prices');
  const rows = history.getByRole('list', { name: 'Commits' }).getByRole('listitem');
  await history.locator(`[data-commit="${first}"] button`).first().click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Select for Compare' }).click();
  await rows.first().getByRole('button').first().click();
  await rows.first().getByRole('button', { name: 'Compare with selected' }).click();
  const comparison = page.locator('.jp-DatalakeCommitDiff');
  await expect(comparison.getByRole('listitem')).toHaveCount(3);
  await rows.first().getByRole('button').first().click();
  await showOnly(panel, /^(Repos|History)/i);
  await page.sidebar.setWidth(460, 'left');
  await draw(page, 'tour-graph');

  await rows.filter({ hasText: 'dearer' }).getByRole('button').first().click();
  await rows
    .filter({ hasText: 'dearer' })
    .getByRole('button', { name: /^Revert/ })
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Compare both versions of shop.csv' }).click();
  await expect(dialog).toContainText('From main to before it:');
  await expect(dialog.locator('.jp-DatalakeConflicts-versions table')).toBeVisible();
  await draw(page, 'tour-revert', false);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});

test('conflicts, what is staged, and mounts', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createBranch('prices', 'drafted', 'main');
  await lake.put('prices', 'shop.csv', prices(0, 1, 4, 6), 'Mine', 'drafted');
  await lake.put('prices', 'market.csv', prices(2, 3), 'Mine too', 'drafted');
  await lake.stage('prices', 'main', 'prices@drafted/');
  const panel = await openWide(page);
  await page.sidebar.setWidth(400, 'left');
  const changes = section(panel, 'changes').getByRole('region', { name: 'Changes in prices@main' });
  await changes
    .locator('[data-path="shop.csv"]')
    .getByRole('button', { name: 'shop.csv', exact: true })
    .click();
  const view = page.locator('.jp-DatalakeFileView:not(.lm-mod-hidden *)').last();
  await expect(view).toContainText('not committed');
  await expect(view.getByRole('region', { name: 'Changed rows' })).toBeVisible();
  await draw(page, 'tour-staged');

  await lake.put('prices', 'shop.csv', prices(1, 4, 6, 7), 'Honey is dearer');
  await lake.put('prices', 'market.csv', prices(2, 5), 'Flour is dearer');
  await changes.getByRole('textbox').fill('Dearer apples and dates');
  await changes.getByRole('textbox').press('Control+Enter');
  const conflicts = changes.getByRole('region', { name: 'Conflicts' });
  await conflicts
    .getByRole('group', { name: 'market.csv' })
    .getByRole('button', { name: 'Theirs' })
    .click();
  await conflicts.evaluate(node => node.scrollIntoView());
  await draw(page, 'tour-conflicts');
  await changes.getByRole('button', { name: 'Discard all changes in prices@main' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
  await expect(changes).toHaveCount(0);

  await lake.mount('prices');
  await showOnly(panel, /^(Repos|Mounts)/i);
  await expect(section(panel, 'mounts').locator('[data-place="prices"]')).toContainText('prices');
  await page.sidebar.close('right');
  await draw(page, 'tour-mounts');
});

test('a schedule, and a template', async ({ page }) => {
  await openNotebook(page, 'totals.ipynb');
  await page.getByRole('button', { name: /^Promote to pipeline/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Pipeline').fill('monthly-totals');
  await dialog.getByLabel('On a schedule').check();
  await dialog.getByLabel('Interval').selectOption('Month');
  await dialog.getByLabel('Time zone').fill('Europe/Berlin');
  const words = dialog.getByRole('status', { name: 'Schedule in words' });
  await expect(words.getByRole('listitem')).toHaveCount(3);
  await words.scrollIntoViewIfNeeded();
  await draw(page, 'tour-schedule');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  await page.contents.uploadContent(TEMPLATE, 'text', 'report.yaml');
  await page.filebrowser.openDirectory('/');
  await fileEntry(page, 'report.yaml').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'New Pipeline from Template…' }).click();
  await expect(dialog.getByLabel('The spec as YAML')).toContainText('report-of-prices');
  await expect(dialog.getByRole('region', { name: 'Datums' })).toContainText('datum');
  await draw(page, 'tour-template');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});

test('files of this computer, dropped onto a repo', async ({ page }) => {
  const panel = await openWide(page);
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    for (const month of ['may', 'june', 'july']) {
      data.items.add(new File(['id,amount\n1,2.50\n'.repeat(4_000)], `${month}.csv`));
    }
    return data;
  });
  const row = repoRow(panel, 'prices').locator('.jp-DatalakeDropTarget').first();
  await row.dispatchEvent('dragover', { dataTransfer: transfer });
  await row.dispatchEvent('drop', { dataTransfer: transfer });
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('3 files');
  await draw(page, 'tour-upload');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});

test('a trial of a notebook, and several that are promoted at once', async ({ page }) => {
  await openNotebook(page, 'totals.ipynb');
  await page.getByRole('button', { name: /^Promote to pipeline/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Pipeline' }).fill('totals');
  await dialog.getByLabel('rate').fill('0.25');
  const tried = dialog.getByRole('group', { name: 'Try it' });
  await tried.getByRole('button', { name: 'Try on' }).click();
  const trial = dialog.getByRole('region', { name: 'Trial of totals' });
  await expect(trial.locator('.jp-DatalakeTrial-header')).toContainText(/success|failed/, {
    timeout: 60_000
  });
  await expect(trial).toContainText('3 changed');
  await trial.evaluate(node => node.scrollIntoView());
  await draw(page, 'tour-trial');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  const sum =
    'total = 0\nfor place in Path(source).iterdir():\n    total += len(place.read_text())';
  for (const [name, source] of [
    ['tidy', '../lake/prices'],
    ['weekly', 'tidy'],
    ['yearly', 'weekly']
  ]) {
    const notebook = notebookOf(
      parametersCell(`source = "${source}"\nout = "${name}"`),
      `from pathlib import Path\n\n${sum}`,
      'Path(out, "total.txt").write_text(str(total))'
    );
    await page.contents.uploadContent(notebook, 'text', `sums/${name}.ipynb`);
  }
  await page.filebrowser.openDirectory('sums');
  await fileEntry(page, 'tidy.ipynb').click();
  await fileEntry(page, 'yearly.ipynb').click({ modifiers: ['Shift'] });
  await fileEntry(page, 'weekly.ipynb').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Promote to Pipelines…' }).click();
  const steps = dialog.getByRole('list', { name: 'Steps' }).getByRole('listitem');
  await expect(steps.last()).toContainText('reads weekly (step 2)');
  await expect(dialog.locator('.jp-mod-accept')).toHaveText('Publish 3 pipelines');
  await draw(page, 'tour-several');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});

test('the editor of pipelines', async ({ page }) => {
  const panel = await openWide(page);
  const row = section(panel, 'pipelines').locator('[data-pipeline="model"]');
  await showActions(row);
  await row.getByRole('button', { name: 'Edit model as a graph' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('File').fill('flow/churn.pipelines.yaml');
  await dialog.getByRole('button', { name: 'Write and open' }).click();
  const editor = page.getByRole('tabpanel', { name: 'churn.pipelines.yaml' });
  const step = editor.getByRole('button', { name: /^pipeline model/ });
  await expect(step).toBeVisible();
  await page.sidebar.close('left');
  await step.click();
  await draw(page, 'tour-editor');
  await openPanel(page);
});
