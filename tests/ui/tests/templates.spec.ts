/** A pipeline is made of a template, by a form that its arguments make. */
import { expect, test } from './sharing';

import {
  expectAccessible,
  expectAccessibleInThemes,
  expectNamed,
  fileEntry,
  Lake,
  openPanel
} from './lake';

const TEMPLATE = `
template: first lines
description: Takes the first lines of each file
arguments:
  source: {type: repo, description: The repo that is read}
  lines: {type: int, default: 3, minimum: 1, maximum: 100}
  mode: {type: choice, choices: [fast, exact], default: fast}
  verbose: {type: bool, default: false}
  columns: {type: list, items: str, default: []}
spec:
  pipeline: first-of-\${{ arguments.source }}
  input: {repo: {name: "\${{ arguments.source }}", glob: "/*"}}
  command: [sh, -c, "for f in pfs/*/*; do head -n \${{ arguments.lines }} $f > pfs/out/first; done"]
  parameters:
    mode: "\${{ arguments.mode }}"
    verbose: "\${{ arguments.verbose }}"
    columns: "\${{ arguments.columns }}"
`;

test('a template is chosen, filled in, seen as YAML and created', async ({ page, request }) => {
  test.slow(); // it is tried, and then it runs
  const lake = new Lake(request);
  await lake.createRepo('rhymes');
  await lake.put('rhymes', 'one.txt', 'a\nb\nc\nd\n', 'Four lines');
  await page.contents.uploadContent(TEMPLATE, 'text', 'first.yaml');
  await page.contents.uploadContent('a: 1', 'text', 'other.yaml');
  await page.filebrowser.openDirectory('/');

  // What is no template is refused by name.
  const open = async (name: string) => {
    await fileEntry(page, name).click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'New Pipeline from Template…' }).click();
  };
  await open('other.yaml');
  await expect(page.getByText('other.yaml is no template')).toBeVisible();

  await open('first.yaml');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Takes the first lines of each file');
  const accept = dialog.getByRole('button', { name: 'Create and run' });
  await expect(accept).toBeDisabled();
  await expectNamed(dialog);

  const yaml = dialog.getByLabel('The spec as YAML');
  await dialog.getByLabel('source').fill('nowhere');
  await expect(dialog).toContainText("Argument 'source' names 'nowhere', which is no repo");
  await dialog.getByLabel('source').fill('rhymes');
  await expect(yaml).toContainText('pipeline: first-of-rhymes');
  await expect(dialog.getByRole('region', { name: 'Datums' })).toContainText('1 datum');
  await expect(accept).toBeEnabled();

  // What is wrong stands at its field: at once for types, from the server for the rest.
  await dialog.getByLabel(/^lines/).fill('many');
  await expect(dialog).toContainText('Must be a whole number');
  await dialog.getByLabel(/^lines/).fill('1000');
  await expect(dialog).toContainText('a whole number from 1 to 100 belongs');
  await expectAccessibleInThemes(page, '.jp-Dialog');
  await expect(accept).toBeDisabled();
  await dialog.getByLabel(/^lines/).fill('2');
  await dialog.getByLabel(/^mode/).selectOption('exact');
  await dialog.getByLabel(/^verbose/).check();
  await dialog.getByLabel(/^columns/).fill('id\nname');
  await expect(yaml).toContainText('columns: [id, name]');
  await expect(yaml).toContainText('verbose: true');

  // It is tried before it is created; what is looked at leaves the form, which is kept.
  await dialog.getByRole('button', { name: 'Try on' }).click();
  const trial = dialog.getByRole('region', { name: 'Trial of first-of-rhymes' });
  await expect(trial.locator('.jp-DatalakeTrial-header [data-state="success"]')).toBeVisible({
    timeout: 60_000
  });
  await expect(trial.getByRole('row', { name: 'rhymes:/one.txt' })).toContainText('1 added');
  await expectAccessible(page, '.jp-DatalakeTryOut');
  await page.screenshot({ path: test.info().outputPath('template.png') });
  await trial.getByRole('button', { name: 'Show the trial in a tab' }).click();
  await expect(page.locator('.jp-DatalakeTrialPanel')).toContainText('1 added');
  await page.getByRole('button', { name: 'Back to the form' }).click();
  await expect(dialog.getByLabel(/^lines/)).toHaveValue('2');
  await expect(accept).toBeEnabled();
  await accept.click();

  const job = page.locator('.jp-DatalakeJobView');
  await expect(job.getByRole('heading')).toContainText('first-of-rhymes');
  await expect(job.locator('header [data-state="success"]')).toBeVisible({ timeout: 60_000 });
  expect(await lake.read('first-of-rhymes', 'first')).toBe('a\nb\n');
  await lake.deletePipeline('first-of-rhymes');
  for (const name of ['first.yaml', 'other.yaml']) {
    await page.contents.deleteFile(name);
  }
});

test('the panel and the launcher ask which template, and which notebook', async ({ page }) => {
  await page.contents.uploadContent(TEMPLATE, 'text', 'second.yaml');
  await page.filebrowser.openDirectory('/');
  const panel = await openPanel(page);
  await panel.getByRole('button', { name: /^Fill in a template/ }).click();
  await expect(page.getByRole('dialog')).toContainText('Which template?');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.evaluate(async () => {
    await window.jupyterapp.commands.execute('launcher:create');
  });
  const cards = page.locator('.jp-LauncherCard:visible');
  await expect(cards.filter({ hasText: 'Pipeline from Template' })).toBeVisible();
  await cards.filter({ hasText: 'Promote Notebook' }).click();
  const asked = page.getByRole('dialog');
  await expect(asked).toContainText('Promote which notebooks?');
  await expect(asked.getByText('second.yaml')).toHaveCount(0);
  await asked.getByText('count.ipynb').click();
  await asked.getByRole('button', { name: 'Select' }).click();
  await expect(page.getByRole('dialog').getByLabel('Pipeline')).not.toHaveValue('');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.contents.deleteFile('second.yaml');
});
