/** The extension in Notebook 7, which has another shell: no launcher, one document a page. */
import { expect, test } from './fixtures';
import { Lake, section } from './lake';

test.use({
  // Notebook 7.6 throws these where the extension is not there, too: settings that it leaves out.
  expectedErrors:
    /^(Cannot convert undefined or null to object|TypeError: Cannot read properties of undefined \(reading 'schema'\).*)$/s
});

test('Notebook 7 has the panel, its commands and views', async ({ context, request, baseURL }) => {
  const lake = new Lake(request);
  await lake.createRepo('seventh');
  await lake.put('seventh', 'a.csv', 'id\n1\n', 'One row');
  const page = await context.newPage();
  await page.goto(`${baseURL}/tree`);
  await page.getByRole('menuitem', { name: 'View', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Show Data Lake' }).click();
  const panel = page.getByRole('region', { name: 'Data Lake', exact: true });
  const row = panel.locator('li[data-repo="seventh"]');
  await expect(row).toBeVisible();
  await row.getByRole('button').first().focus();
  await panel.getByRole('button', { name: 'History of seventh', exact: true }).click();
  const commit = section(panel, 'history').getByRole('listitem').first();
  await commit.getByRole('button').first().click();
  await commit.locator('[data-path="a.csv"]').getByRole('button').click();
  await expect(page.locator('.jp-DatalakeFileView:visible')).toContainText('a.csv');

  await panel.getByRole('button', { name: 'Lineage', exact: true }).click();
  const graph = page.getByRole('group', { name: /^Lineage graph/ });
  await expect(graph.getByRole('button', { name: /^repo seventh/ })).toBeVisible();
  await page.screenshot({ path: test.info().outputPath('tree.png') });

  await page.goto(`${baseURL}/notebooks/count.ipynb`);
  await page.getByRole('button', { name: /^Promote to pipeline/ }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('group', { name: 'Input 1' }).getByLabel('Repo')).toHaveValue(
    'customers'
  );
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.screenshot({ path: test.info().outputPath('notebook.png') });
  await page.close();
});
