/** Magics, completion and widgets in real kernels: in JupyterLab, and in Voila without it. */
import { expect, test } from './fixtures';
import { notebookOf } from './content';
import { Lake, openNotebook } from './lake';

const RUN_MS = 90_000;

test('magics run, addresses are completed, and widgets follow a job, also in Voila', async ({
  page,
  request,
  browser,
  baseURL
}) => {
  test.setTimeout(120_000);
  const lake = new Lake(request);
  await lake.createRepo('magical');
  await lake.put('magical', 'a.csv', 'city,n\nOslo,3\nLima,4\n', 'Two cities');
  await lake.createPipeline({
    pipeline: 'magical-copy',
    command: ['sh', '-c', 'echo so far so good; cp pfs/magical/* pfs/out/'],
    input: { repo: { name: 'magical', glob: '/' } }
  });
  const path = 'magical.ipynb';
  const widget =
    'import jupyter_datalake as dl\n' +
    'job = dl.Lake.open().jobs.list(pipeline="magical-copy")[0]\ndl.widgets.job(job.id)';
  await page.contents.uploadContent(
    notebookOf(
      '%load_ext jupyter_datalake',
      '%datalake status',
      "%%sql\nSELECT sum(n) AS total FROM 'magical@main/a.csv'",
      widget,
      ''
    ),
    'text',
    path
  );
  await openNotebook(page, path);
  await page.notebook.run();
  const cells = page.locator('.jp-NotebookPanel:visible .jp-Cell');
  await expect(cells.nth(1).locator('.jp-OutputArea')).toContainText('live jobs');
  await expect(cells.nth(2).locator('.jp-OutputArea')).toContainText('7');
  await expect(cells.nth(3).locator('.jp-OutputArea')).toContainText('Job magical-copy');
  await expect(cells.nth(3).locator('.jp-OutputArea')).toContainText('so far so good', {
    timeout: RUN_MS
  });

  await page.notebook.enterCellEditingMode(4);
  await page.keyboard.type('%datalake files list magic');
  const offered = page.locator('.jp-Completer-item', { hasText: 'magical-copy@' });
  await expect(async () => {
    await page.keyboard.press('Tab'); // JupyterLab waits a second for a kernel, once
    await expect(offered).toBeVisible({ timeout: 3_000 });
  }).toPass();
  await page.keyboard.press('Escape');

  // A context of its own: Voila logs errors of its own, and without a network of its CDN.
  const elsewhere = await browser.newContext();
  const voila = await elsewhere.newPage();
  await page.contents.uploadContent(notebookOf(widget), 'text', 'shown.ipynb');
  await voila.goto(`${baseURL}/voila/render/shown.ipynb`);
  await expect(voila.locator('body')).toContainText('so far so good', { timeout: RUN_MS });
  await expect(voila.locator('.jupyter-widgets').first()).toBeVisible();
  await elsewhere.close();
});
