/** Several notebooks are promoted at once: steps that feed each other, one plan, one publishing. */
import { expect, test } from './fixtures';

import { notebookOf, parametersCell } from './content';
import { expectAccessible, expectNamed, fileEntry, Lake } from './lake';

const FIRST = 'rides = "lake/rides"\nout = "trips-clean"';
const SECOND = 'clean = "trips-clean"\nout = "trips-sums"\ntop: int = 3';

const copy = (from: string) =>
  `import pathlib\nfor one in pathlib.Path(${from}).iterdir():\n` +
  `    pathlib.Path(out, one.name).write_text(one.read_text().upper())\n`;

test('notebooks become steps that are tied, planned, edited and published as one', async ({
  page,
  request
}) => {
  test.slow(); // a step is tried, and then both run
  const lake = new Lake(request);
  await lake.createRepo('rides');
  await lake.put('rides', 'a.txt', 'one\n', 'A ride');
  await page.contents.uploadContent(
    notebookOf(parametersCell(FIRST), copy('rides')),
    'text',
    'trips-clean.ipynb'
  );
  await page.contents.uploadContent(
    notebookOf(parametersCell(SECOND), copy('clean')),
    'text',
    'trips-sums.ipynb'
  );
  await page.filebrowser.openDirectory('/');
  await page.filebrowser.refresh();

  const open = async () => {
    await fileEntry(page, 'trips-sums.ipynb').click();
    await fileEntry(page, 'trips-clean.ipynb').click({ modifiers: ['ControlOrMeta'] });
    await fileEntry(page, 'trips-clean.ipynb').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Promote to Pipelines…' }).click();
  };
  await open();
  const dialog = page.getByRole('dialog');
  const steps = dialog.getByRole('list', { name: 'Steps' }).getByRole('listitem');
  await expect(steps).toHaveCount(2);
  await expect(steps.first()).toContainText('reads rides');
  await expect(steps.last()).toContainText('reads trips-clean (step 1)');
  await expect(steps.first()).toContainText('create');
  const graph = dialog.getByRole('group', { name: /^Graph of the steps/ });
  await expect(graph.getByRole('button', { name: /^pipeline trips-sums/ })).toBeVisible();
  const accept = dialog.locator('.jp-mod-accept');
  await expect(accept).toHaveText('Publish 2 pipelines');
  await dialog.getByText('What is known: 1 place').click();
  await expect(dialog.getByRole('list', { name: 'Places' })).toContainText(
    'rides@main/mentioned in cell 1 · in the parameter rides'
  );
  await expectNamed(dialog);
  await expectAccessible(page, '.jp-Dialog-content');

  // A step that gets another name takes along what reads it.
  await dialog.getByRole('textbox', { name: 'Pipeline' }).fill('trips-tidy');
  await expect(steps.last()).toContainText('reads trips-tidy (step 1)');
  await steps.last().getByRole('button').click();
  await expect(dialog.getByRole('group', { name: 'Input 1' }).getByLabel('Repo')).toHaveValue(
    'trips-tidy'
  );
  const why = 'It can be tried once trips-tidy, whose output it reads, has run.';
  await expect(dialog).toContainText(why);
  await steps.first().getByRole('button').click();
  await dialog.getByRole('button', { name: 'Try on' }).click();
  const trial = dialog.getByRole('region', { name: 'Trial of trips-tidy' });
  await expect(trial.locator('.jp-DatalakeTrial-header [data-state="success"]')).toBeVisible({
    timeout: 60_000
  });
  await trial.scrollIntoViewIfNeeded();
  await page.screenshot({ path: test.info().outputPath('several.png') });
  await trial.getByRole('button', { name: 'Show the trial in a tab' }).click();
  await page.getByRole('button', { name: 'Back to the form' }).click();
  await expect(trial).toBeVisible();
  await steps.last().getByRole('button').click();

  // What is wrong stands at its step, and nothing is published meanwhile.
  await dialog.getByLabel('top').fill('many');
  await expect(steps.last()).toContainText('1 problem');
  await expect(accept).toBeDisabled();
  await dialog.getByLabel('top').fill('5');
  await dialog.getByRole('textbox', { name: 'Pipeline' }).fill('trips-tidy');
  await expect(dialog).toContainText('Two steps would write the repo trips-tidy');
  await dialog.getByRole('textbox', { name: 'Pipeline' }).fill('trips-sums');
  await expect(accept).toHaveText('Publish 2 pipelines');
  await accept.click();

  await expect(page.getByText('Applied: trips-tidy, trips-sums')).toBeVisible();
  await page.getByRole('button', { name: 'Show the lineage' }).click();
  const lineage = page.getByRole('group', { name: /^Lineage graph/ });
  await expect(lineage.getByRole('button', { name: 'pipeline trips-sums, success' })).toBeVisible({
    timeout: 60_000
  });
  expect(await lake.read('trips-sums', 'a.txt')).toBe('ONE\n');

  // The same, as a file that opens as a graph; nothing is published.
  await open();
  await expect(steps.first()).toContainText('reads rides');
  await dialog.getByRole('button', { name: 'Edit as a graph instead' }).click();
  const editor = page.locator('.jp-DatalakeDagPanel');
  await expect(editor.getByRole('button', { name: /^pipeline trips-clean/ })).toBeVisible();
  await expect(editor.getByRole('button', { name: /^pipeline trips-sums/ })).toBeVisible();

  for (const name of ['trips-sums', 'trips-tidy']) {
    await lake.deletePipeline(name);
  }
  for (const name of ['trips-sums.ipynb', 'trips-clean.ipynb', 'untitled.pipelines.yaml']) {
    await page.contents.deleteFile(name);
  }
});
