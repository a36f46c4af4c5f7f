/** A spec is tried on some of its datums: while it is promoted, and in the pipelines editor. */
import type { Page } from '@playwright/test';

import { expect, test } from './fixtures';
import { notebookOf, parametersCell } from './content';
import { expectAccessible, expectNamed, Lake, openNotebook, setTheme } from './lake';

const RUN_MS = 60_000;

/** A notebook that doubles numbers, and fails where there is none. */
const DOUBLE = notebookOf(
  parametersCell('figures = "lake/figures"\nout = "out"'),
  `from pathlib import Path
for place in Path(figures).iterdir():
    (Path(out) / place.name).write_text(f"{2 * int(place.read_text())}\\n")`
);

async function shoot(page: Page, name: string): Promise<void> {
  if (process.env.SHOTS) {
    await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
  }
}

test('a form is tried before it is published, and goes on where it was left', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.createRepo('figures');
  for (const [name, text] of Object.entries({ 'a.txt': '1', 'b.txt': 'two', 'c.txt': '3' })) {
    await lake.put('figures', name, text, name);
  }
  await page.contents.uploadContent(DOUBLE, 'text', 'double.ipynb');
  await openNotebook(page, 'double.ipynb');
  await page.getByRole('button', { name: /^Promote to pipeline/ }).click();
  const dialog = page.getByRole('dialog');
  const input = dialog.getByRole('group', { name: 'Input 1' });
  await expect(input.getByLabel('Repo')).toHaveValue('figures');
  await input.getByLabel('Glob').fill('/*');
  await dialog.getByLabel('Pipeline').fill('doubled');

  // Two datums that are chosen are tried, of which one fails: with the cell and its traceback.
  const form = dialog.getByRole('group', { name: 'Try it' });
  await form.getByLabel('Datums to try').fill('0');
  await expect(form.getByRole('button', { name: 'Try on' })).toBeDisabled();
  await dialog.getByText('Choose datums').click();
  const listed = dialog.getByRole('list', { name: 'Datums to choose' });
  await expect(listed.getByRole('listitem')).toHaveCount(3);
  await dialog.getByRole('searchbox', { name: 'Filter datums by path' }).fill('B.TXT');
  await expect(listed.getByRole('listitem')).toHaveCount(1);
  await listed.getByRole('checkbox', { name: 'figures:/b.txt' }).check();
  await dialog.getByRole('searchbox', { name: 'Filter datums by path' }).fill('');
  await listed.getByRole('checkbox', { name: 'figures:/a.txt' }).check();
  await dialog.getByRole('button', { name: 'Try these 2' }).click();
  const trial = dialog.getByRole('region', { name: 'Trial of doubled' });
  await expect(trial.locator('.jp-DatalakeTrial-header [data-state="failed"]')).toBeVisible({
    timeout: RUN_MS
  });
  const row = (name: string) => trial.getByRole('row', { name });
  await expect(row('figures:/a.txt')).toContainText('1 added');
  await expect(row('figures:/b.txt')).toContainText('failed');
  await expect(row('figures:/c.txt')).toHaveCount(0);
  await expect(trial).toContainText("invalid literal for int() with base 10: 'two'");
  await expect(trial.getByLabel('Traceback of cell 2')).toContainText('int(place.read_text())');
  await expectNamed(dialog);
  await expectAccessible(page, '.jp-DatalakeTryOut');
  await trial.scrollIntoViewIfNeeded();
  await shoot(page, 'dialog-light');
  await setTheme(page, 'JupyterLab Dark');
  await shoot(page, 'dialog-dark');
  await expectAccessible(page, '.jp-DatalakeTryOut', ['color-contrast']);
  await setTheme(page, 'JupyterLab Light');

  // What was written opens as a difference; the form is kept meanwhile.
  await row('figures:/a.txt').getByRole('button').click();
  await trial
    .getByRole('list', { name: /^Files that differ of figures/ })
    .getByText('a.txt')
    .click();
  await expect(dialog).toBeHidden();
  const difference = page.locator('.jp-DatalakeFileView');
  await expect(difference).toContainText('1 line added, 0 removed');
  await expect(difference).toContainText('not committed');
  await shoot(page, 'difference');
  await page.getByRole('button', { name: 'Back to the form' }).click();
  await expect(dialog.getByLabel('Pipeline')).toHaveValue('doubled');
  await expect(input.getByLabel('Glob')).toHaveValue('/*');
  await row('figures:/b.txt').getByRole('button').click();
  await trial.getByRole('button', { name: 'Open executed notebook' }).click();
  await expect(page.locator('.jp-DatalakeExecutedNotebook')).toContainText('invalid literal');

  // Nothing was published.
  const found = await request.get('datalake/pipelines/doubled');
  expect(found.status()).toBe(404);
});

test('a step of the pipelines editor is tried beside its form', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('shouting');
  await lake.put('shouting', 'a.txt', 'one\n', 'A word');
  const specs = `pipeline: shouted
input: {repo: {name: shouting, glob: "/*"}}
command: [sh, -c, "sleep 1; tr a-z A-Z < pfs/shouting/a.txt > pfs/out/a.txt; echo done"]
`;
  await page.contents.uploadContent(specs, 'text', 'shout.pipelines.yaml');
  await page.evaluate(async () => {
    await window.jupyterapp.commands.execute('datalake:open-dag', {
      path: 'shout.pipelines.yaml'
    });
  });
  const panel = page.locator('.jp-DatalakeDagPanel');
  await panel
    .getByRole('button', { name: /shouted/ })
    .first()
    .click();
  await panel.getByRole('button', { name: 'Try on' }).click();
  const trial = panel.getByRole('region', { name: 'Trial of shouted' });
  await expect(trial.locator('.jp-DatalakeTrial-header [data-state="success"]')).toBeVisible({
    timeout: RUN_MS
  });
  await expect(trial).toContainText('The one datum was tried');
  await trial.getByRole('button', { name: 'shouting:/a.txt' }).click();
  await expect(trial.getByRole('log')).toContainText('done');
  await shoot(page, 'editor-light');
  await expectAccessible(page, '.jp-DatalakeTryOut');

  // It can be looked at by itself.
  await trial.getByRole('button', { name: 'Show the trial in a tab' }).click();
  const tab = page.locator('.jp-DatalakeTrialPanel');
  await expect(tab.getByRole('row', { name: 'shouting:/a.txt' })).toContainText('1 added');
  await shoot(page, 'tab');
  await page.activity.activateTab('shout.pipelines.yaml');

  // A glob that matches nothing is refused in one line.
  await panel.getByLabel('Glob').fill('/none*');
  await panel.getByRole('button', { name: 'Try on' }).click();
  await expect(panel.getByText(/There is nothing to try/)).toBeVisible();
});
