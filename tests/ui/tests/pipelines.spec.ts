/** A notebook is promoted, runs as a job, and stands in the lineage. */
import { expect, test } from './sharing';

import { notebookOf, parametersCell } from './content';
import { expectNamed, fileEntry, Lake, openNotebook, openPanel, section } from './lake';

const RUN_MS = 90_000;

/** A notebook whose last cell fails. */
const FRAGILE = notebookOf(
  parametersCell('customers = "lake/customers"\nout = "out"'),
  'text = "twelve"\nprint("read so far")',
  'print(int(text))'
);

/** Fails as that, and leaves a line in a file whenever its second cell is run. */
const COUNTED = notebookOf(
  parametersCell('customers = "lake/customers"\nout = "out"'),
  'text = "twelve"\nwith open("begun", "a") as f:\n    print("once", file=f)',
  'print(int(text))'
);

test('a notebook is promoted, its job succeeds, and the lineage shows it', async ({ page }) => {
  await openNotebook(page, 'count.ipynb');
  await page.getByRole('button', { name: /^Promote to pipeline/ }).click();
  const dialog = page.getByRole('dialog');

  // Filled in from the parameters cell and the places in the lake that it names.
  const input = dialog.getByRole('group', { name: 'Input 1' });
  await expect(input.getByLabel('Repo')).toHaveValue('customers');
  await expect(input.getByLabel('Variable')).toHaveValue('customers');
  await expect(dialog.getByLabel('factor')).toHaveValue('2');
  await expect(dialog.getByLabel('verbose')).toBeChecked();

  await expectNamed(dialog);

  // The datums follow the glob.
  const datums = dialog.getByRole('region', { name: 'Datums' });
  await expect(datums).toContainText('1 datum');
  await input.getByLabel('Glob').fill('/*');
  await expect(datums).toContainText('2 datums');
  await input.getByLabel('Glob').fill('/nothing');
  await expect(datums).toContainText('Nothing matches');
  await input.getByLabel('Glob').fill('/');
  await dialog.getByLabel('factor').fill('two');
  await expect(dialog.getByText('Must be a whole number')).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Create and run' })).toBeDisabled();
  await dialog.getByLabel('factor').fill('10');
  await dialog.getByLabel('Pipeline').fill('counts');
  await dialog.getByRole('button', { name: 'Create and run' }).click();

  // The job opens and is followed to its end.
  const job = page.locator('.jp-DatalakeJobView');
  await expect(job.getByRole('heading')).toContainText('counts');
  await expect(job.locator('header [data-state="success"]')).toBeVisible({ timeout: RUN_MS });
  await expect(job.getByRole('log')).toContainText('customers.csv: 30');

  await expectNamed(job);

  await job.getByRole('button', { name: 'Open executed notebook' }).click();
  const notebook = page.locator('.jp-DatalakeExecutedNotebook');
  await expect(notebook).toContainText('customers.csv: 30');
  await expect(notebook).toContainText('factor = 10');

  const panel = await openPanel(page);
  await expect(section(panel, 'pipelines').locator('[data-pipeline="counts"]')).toContainText(
    'success'
  );
  await panel.getByRole('button', { name: 'Lineage', exact: true }).click();
  const graph = page.getByRole('group', { name: /^Lineage graph/ });
  const node = graph.getByRole('button', { name: 'pipeline counts, success' });
  await node.click();
  const sheet = page.getByRole('complementary', { name: 'pipeline counts' });
  await expect(graph.getByRole('button', { name: /^repo calendar/ })).toBeVisible();
  await expect(sheet.getByRole('list', { name: 'Jobs' }).getByRole('listitem')).toHaveCount(1);
  await expect(sheet).toContainText('count.ipynb');

  await expectNamed(page.locator('.jp-DatalakeLineagePanel'));

  // Keys lead from node to node.
  await node.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(graph.getByRole('button', { name: /^repo customers/ })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('complementary', { name: 'repo customers' })).toContainText(
    'Say hello'
  );
});

test('a notebook is promoted from its menu in the file browser', async ({ page }) => {
  await page.filebrowser.openDirectory('/');
  await fileEntry(page, 'count.ipynb').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Promote to Pipeline…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('count.ipynb');
  await expect(dialog.getByRole('group', { name: 'Input 1' }).getByLabel('Repo')).toHaveValue(
    'customers'
  );
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});

test('the lineage is filtered by a global id, and leads to jobs', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('letters');
  await lake.createRepo('bystander');
  await lake.put('bystander', 'b.txt', 'b\n', 'Nothing to do with it');
  await lake.createPipeline({
    pipeline: 'capitals',
    input: { repo: { name: 'letters', glob: '/' } },
    command: ['sh', '-c', 'tr a-z A-Z < pfs/letters/a.txt > pfs/out/a.txt']
  });
  await lake.put('letters', 'a.txt', 'abc\n', 'Three letters');

  const panel = await openPanel(page);
  const jobs = section(panel, 'jobs').getByRole('list', { name: /^Jobs of/ });
  await expect(
    jobs.getByRole('listitem').filter({ hasText: 'capitals' }).locator('[data-state="success"]')
  ).toBeVisible({ timeout: RUN_MS });

  await panel.getByRole('button', { name: 'Lineage', exact: true }).click();
  const graph = page.getByRole('group', { name: /^Lineage graph/ });
  await expect(graph.getByRole('button', { name: /^repo bystander/ })).toBeVisible();
  const change = page.getByRole('combobox', { name: 'Change' });
  const option = change.locator('option', { hasText: 'Commit to letters' }).first();
  await change.selectOption((await option.getAttribute('value')) ?? '');
  await expect(graph.getByRole('button', { name: 'pipeline capitals, success' })).toBeVisible();
  await expect(graph.getByRole('button', { name: /^repo bystander/ })).toHaveCount(0);

  const summary = page.getByRole('region', { name: 'What the change set off' });
  await expect(summary).toContainText('1 job, 2 commits');
  await summary.getByRole('button', { name: /^capitals #/ }).click();
  const job = page.locator('.jp-DatalakeJobView');
  await expect(job.getByRole('heading')).toContainText('capitals');
  await job.getByRole('button', { name: /^capitals@/ }).click();
  await expect(section(panel, 'history').getByRole('listitem').first()).toContainText('capitals');
});

test('a job that fails tells why, and what it ran can be read', async ({ page }) => {
  const content = notebookOf(
    parametersCell('customers = "lake/customers"\nout = "out"'),
    'print("as far as here")\nraise ValueError("no such luck")'
  );
  const path = 'broken.ipynb'; // beside the mount point, so that lake/customers is a repo
  await page.contents.uploadContent(content, 'text', path);
  await openNotebook(page, path);
  await page.getByRole('button', { name: /^Promote to pipeline/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('More', { exact: true }).click();
  await dialog.getByLabel('Tries').fill('1');
  await expect(dialog.getByLabel('Repo')).toHaveValue('customers');
  await dialog.getByRole('button', { name: 'Create and run' }).click();

  const job = page.locator('.jp-DatalakeJobView');
  await expect(job.locator('header [data-state="failed"]')).toBeVisible({ timeout: RUN_MS });
  await expect(job.locator('p[role="alert"]')).toContainText('no such luck');
  await expect(job.getByRole('region', { name: 'Cells' }).getByRole('alert')).toContainText(
    'no such luck'
  );

  // What it printed is found, and the line is shown where it stands.
  const field = job.getByRole('searchbox', { name: 'Search the logs of this job' });
  await field.fill('AS FAR');
  await field.press('Enter');
  await job.getByRole('button', { name: /line \d+ *as far as here/ }).click();
  await expect(job.getByRole('log').locator('mark')).toHaveText('as far as here');
  await expect(job.getByRole('log').locator('mark')).toBeInViewport();
  await expectNamed(job);
  await field.fill('nowhere at all');
  await job.getByRole('button', { name: 'Search', exact: true }).click();
  await expect(job.locator('.jp-DatalakeLogSearch')).toContainText('No line holds');

  await job.getByRole('button', { name: 'Open executed notebook' }).click();
  await expect(page.locator('.jp-DatalakeExecutedNotebook')).toContainText('as far as here');
});

test('a datum that failed is reopened at the cell, mended and published', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await page.contents.uploadContent(FRAGILE, 'text', 'fragile.ipynb');
  await lake.createPipeline({
    pipeline: 'fragile',
    input: { repo: { name: 'customers', glob: '/' } },
    notebook: 'fragile.ipynb',
    datums: { tries: 1 }
  });
  const panel = await openPanel(page);
  const jobs = section(panel, 'jobs').getByRole('list', { name: /^Jobs of/ });
  await jobs
    .getByRole('listitem')
    .filter({ hasText: 'fragile' })
    .getByRole('button', { name: /fragile/ })
    .first()
    .click();
  const job = page.locator('.jp-DatalakeJobView');
  await expect(job.locator('header [data-state="failed"]')).toBeVisible({ timeout: RUN_MS });
  await job.getByRole('button', { name: /^Reopen customers/ }).click();

  // The kernel has what the cells above made, and stands before the one that failed.
  const notebook = page.locator('.jp-NotebookPanel:visible');
  await expect(notebook.locator('.jp-Cell.jp-mod-active')).toContainText('int(text)');
  await expect(notebook.locator('.jp-Cell').nth(2)).toContainText('read so far');
  const shown = 'fsspec.filesystem("lake").ls("", detail=False)';
  await page.notebook.setCell(
    3,
    'code',
    `import fsspec\nprint("mended", len(text), out, ${shown})`
  );
  await page.notebook.runCell(3, true);
  await expect(notebook.locator('.jp-Cell').nth(3)).toContainText(
    "mended 6 pfs/out ['customers@main', 'fragile@main']" // of all that the lake has
  );

  await page.getByRole('button', { name: 'Publish the fix' }).click();
  await expect(job.locator('header [data-state="success"]').last()).toBeVisible({
    timeout: RUN_MS
  });
  await expect(page.locator('.jp-DatalakeJobView:visible')).toContainText('v2');
});

test('a datum that failed is gone on with in the very kernel in which it did', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await page.contents.uploadContent(COUNTED, 'text', 'kept.ipynb');
  await lake.createPipeline({
    pipeline: 'kept',
    input: { repo: { name: 'customers', glob: '/' } },
    notebook: 'kept.ipynb',
    datums: { tries: 1, keep_failed: '10m' }
  });
  const panel = await openPanel(page);
  const jobs = section(panel, 'jobs').getByRole('list', { name: /^Jobs of/ });
  await jobs
    .getByRole('listitem')
    .filter({ hasText: 'kept' })
    .getByRole('button', { name: /kept/ })
    .first()
    .click();
  const job = page.locator('.jp-DatalakeJobView');
  await expect(job.locator('header [data-state="failed"]')).toBeVisible({ timeout: RUN_MS });
  await expect(job.getByRole('table', { name: 'Datums' })).toContainText(
    /Its kernel is kept until \d+:\d+/,
    { timeout: RUN_MS }
  );
  await job.getByRole('button', { name: /^Reopen customers.*Its kernel is kept/ }).click();

  // No cell was run again: there is one line of the first one, and what was read is there.
  const notebook = page.locator('.jp-NotebookPanel:visible');
  await expect(notebook.locator('.jp-Cell.jp-mod-active')).toContainText('int(text)');
  await expect(page.getByText(/failed in this very kernel/)).toBeVisible();
  await page.notebook.setCell(3, 'code', 'print(open("begun").read().split(), len(text))');
  await page.notebook.runCell(3, true);
  await expect(notebook.locator('.jp-Cell').nth(3)).toContainText("['once'] 6");
});
