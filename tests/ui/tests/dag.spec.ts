/** The editor of pipelines as a graph: drag notebooks, connect them, apply, and they run. */
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect, test } from './fixtures';
import type { Locator, Page } from '@playwright/test';

import { notebookOf, parametersCell } from './content';
import {
  expectAccessibleInThemes,
  expectNamed,
  fileEntry,
  Lake,
  openPanel,
  section,
  showActions
} from './lake';

const RUN_MS = 60_000;

/** Open a file of specs in the editor. */
async function openDag(page: IJupyterLabPageFixture, path: string): Promise<Locator> {
  await page.evaluate(async opened => {
    await window.jupyterapp.commands.execute('datalake:open-dag', { path: opened });
  }, path);
  const panel = page.locator('.jp-DatalakeDagPanel');
  await expect(panel).toBeVisible();
  return panel;
}

async function middleOf(part: Locator): Promise<{ x: number; y: number }> {
  const box = await part.boundingBox();
  expect(box).not.toBeNull();
  return { x: (box?.x ?? 0) + (box?.width ?? 0) / 2, y: (box?.y ?? 0) + (box?.height ?? 0) / 2 };
}

/** Drag with the pointer, in steps, as a person does. */
async function drag(page: Page, from: Locator, to: Locator): Promise<void> {
  const [start, end] = [await middleOf(from), await middleOf(to)];
  await page.mouse.move(start.x, start.y);
  await page.mouse.down();
  await page.mouse.move(start.x + 8, start.y + 8, { steps: 4 });
  await page.mouse.move(end.x, end.y, { steps: 8 });
  await page.mouse.up();
}

async function textOf(page: IJupyterLabPageFixture, path: string): Promise<string> {
  return page.evaluate(async one => {
    const { contents } = window.jupyterapp.serviceManager;
    return (await contents.get(one, { content: true })).content as string;
  }, path);
}

test('two notebooks are dragged in, connected and applied, and run', async ({
  page,
  request,
  tmpPath
}) => {
  test.slow(); // two kernels, one after the other
  const lake = new Lake(request);
  await lake.createRepo('dag-raw');
  await lake.put('dag-raw', 'a.txt', 'one two\n', 'Words');
  const upload = (name: string, text: string) =>
    page.contents.uploadContent(text, 'text', `${tmpPath}/${name}`);
  await upload(
    'dag-words.ipynb',
    notebookOf(
      parametersCell('source = "pfs/dag-raw"\nout = "pfs/out"'),
      'import os, pathlib\nfor one in pathlib.Path(source).iterdir():\n    pathlib.Path(out, one.name).write_text(one.read_text().upper())'
    )
  );
  await upload(
    'dag-count.ipynb',
    notebookOf(
      parametersCell('words = "pfs/words"\nout = "pfs/out"'),
      'import pathlib\nn = sum(len(p.read_text().split()) for p in pathlib.Path(words).iterdir())\npathlib.Path(out, "n.txt").write_text(str(n))'
    )
  );
  await upload('flow.pipelines.yaml', '# our flow\n');
  await page.filebrowser.openDirectory(tmpPath);
  const panel = await openDag(page, `${tmpPath}/flow.pipelines.yaml`);
  await expect(panel).toContainText('No steps yet');

  await drag(page, fileEntry(page, 'dag-words.ipynb'), panel.locator('.jp-DatalakeEmptyState'));
  const canvas = panel.getByRole('group', { name: /^Steps;/ });
  const words = canvas.getByRole('button', { name: /^pipeline dag-words/ });
  await expect(words).toBeVisible();
  await drag(page, fileEntry(page, 'dag-count.ipynb'), canvas.locator('svg').first());
  const count = canvas.getByRole('button', { name: /^pipeline dag-count/ });
  await expect(count).toBeVisible();

  // The repo by keys alone: from the list, and with C to the step that is asked for.
  await panel.getByRole('button', { name: 'Add a repo…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox').selectOption('dag-raw');
  await dialog.getByRole('button', { name: 'Ok' }).click();
  await canvas.getByRole('button', { name: 'repo dag-raw' }).focus();
  await page.keyboard.press('c');
  await dialog.getByLabel('Step').selectOption('dag-words');
  await expect(dialog.getByLabel('Variable')).toHaveValue('source');
  await expect(dialog).toContainText('1 datum');
  await page.keyboard.press('Enter');
  await expect(panel.getByRole('region', { name: 'dag-words reads dag-raw' })).toBeVisible();

  // From the dot of one to the other.
  await drag(page, words.locator('[data-port]'), count);
  await expect(dialog).toContainText('Read dag-words');
  await expect(dialog.getByLabel('Variable')).toHaveValue('words');
  await dialog.getByRole('button', { name: 'Connect' }).click();
  await expect(panel.getByRole('region', { name: 'dag-count reads dag-words' })).toBeVisible();

  // Back it cannot be connected.
  await drag(page, count.locator('[data-port]'), words);
  await expect(page.getByText('dag-words cannot read dag-count')).toBeVisible();
  await expectAccessibleInThemes(page, '.jp-DatalakeDagPanel');
  await expectNamed(panel);

  await panel.getByRole('button', { name: 'Plan and apply…' }).click();
  await expect(dialog.getByRole('row', { name: /dag-words create/ })).toBeVisible();
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('Applied: dag-words, dag-count')).toBeVisible();
  expect(await textOf(page, `${tmpPath}/flow.pipelines.yaml`)).toMatch(/^# our flow\n---\n/);
  await expect
    .poll(
      async () =>
        (await request.get('/datalake/repos/dag-count/refs/main/content?path=n.txt')).text(),
      { timeout: RUN_MS }
    )
    .toBe('2');

  // What is published is written to another file, with its notebooks, and edited there.
  const row = section(await openPanel(page), 'pipelines').locator('[data-pipeline="dag-count"]');
  await showActions(row);
  await row.getByRole('button', { name: 'Edit dag-count as a graph' }).click();
  await dialog.getByLabel('File').fill(`${tmpPath}/again/all.pipelines.yaml`);
  await dialog.getByRole('button', { name: 'Write and open' }).click();
  const again = page.getByRole('tabpanel', { name: 'all.pipelines.yaml' });
  await expect(again.getByRole('button', { name: /^pipeline dag-words/ })).toBeVisible();
  await expect(again.getByRole('button', { name: /^pipeline dag-count/ })).toBeVisible();
  await again.getByRole('button', { name: 'Plan and apply…' }).click();
  await expect(dialog.getByRole('row', { name: /dag-words unchanged/ })).toBeVisible();
});

test('the text is the one truth: broken steps are told, edits keep comments, undo brings back', async ({
  page,
  tmpPath
}) => {
  await page.contents.uploadContent(
    [
      '# two steps\npipeline: dag-first # it begins\ncommand: ["true"]',
      '---\n# broken\npipeline: [dag\n',
      '---\npipeline: dag-last\ninput:\n  repo: {name: dag-first, glob: /*} # all of it\ncommand: ["true"]\n'
    ].join('\n'),
    'text',
    `${tmpPath}/text.pipelines.yaml`
  );
  const panel = await openDag(page, `${tmpPath}/text.pipelines.yaml`);
  const canvas = panel.getByRole('group', { name: /^Steps;/ });
  const problems = panel.getByRole('list', { name: 'Problems' });
  await expect(problems.getByRole('listitem')).toHaveText(/Step 2.*Line [678]:/);
  await problems.getByRole('button', { name: 'Step 2' }).click();
  const yaml = panel.getByRole('textbox', { name: 'The step as YAML' });
  await yaml.fill('# mended\npipeline: dag-middle\ncommand: ["true"]\n');
  await expect(canvas.getByRole('button', { name: /^pipeline dag-middle/ })).toBeVisible();
  await expect(problems).toHaveCount(0);

  // A new name reaches what reads the step, and the comments stay.
  await canvas.getByRole('button', { name: /^pipeline dag-first/ }).click();
  await panel.getByRole('tab', { name: 'Form' }).click();
  await panel.getByRole('textbox', { name: 'Pipeline' }).fill('dag-start');
  await page.keyboard.press('Enter');
  await expect(canvas.getByRole('button', { name: /^pipeline dag-start/ })).toBeVisible();
  await panel.getByRole('textbox', { name: 'Description' }).pressSequentially('It begins');
  await panel.getByRole('tab', { name: 'Whole file' }).click();
  const file = panel.locator('.cm-content');
  await expect(file).toContainText('pipeline: dag-start # it begins');
  await expect(file).toContainText('description: It begins');
  await expect(file).toContainText('name: dag-start, glob: /*, as: dag_first} # all of it');
  await page.theme.setDarkTheme();

  await canvas.getByRole('button', { name: /^pipeline dag-middle/ }).focus();
  await page.keyboard.press('Delete');
  await expect(canvas.getByRole('button', { name: /^pipeline dag-middle/ })).toHaveCount(0);
  await panel.getByRole('button', { name: 'Undo' }).click();
  await expect(canvas.getByRole('button', { name: /^pipeline dag-middle/ })).toBeVisible();
  await panel.getByRole('tab', { name: 'Step', exact: true }).click();
  await canvas.getByRole('button', { name: /^pipeline dag-last/ }).click();
  await panel.getByRole('button', { name: 'Save' }).click();
  await expect
    .poll(() => textOf(page, `${tmpPath}/text.pipelines.yaml`))
    .toContain('# mended\npipeline: dag-middle\n');
});
