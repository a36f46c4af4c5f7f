/** The extension in Notebook 7, which has another shell: no launcher, one document a page. */
import { expect, test } from './fixtures';
import { Lake, section } from './lake';

test('Notebook 7 has the panel, and repos have their history there', async ({
  context,
  request,
  baseURL
}) => {
  const lake = new Lake(request);
  await lake.createRepo('seventh');
  await lake.put('seventh', 'a.csv', 'id\n1\n', 'One row');
  const page = await context.newPage();
  await page.goto(`${baseURL}/tree`);
  const show = page.getByRole('menuitem', { name: 'Show Data Lake' });
  await expect(async () => {
    // A menu that is opened before the extension has started stays as it is.
    await page.keyboard.press('Escape');
    await page.getByRole('menuitem', { name: 'View', exact: true }).click();
    await expect(show).toBeVisible({ timeout: 1000 });
  }).toPass();
  await show.click();
  const panel = page.getByRole('region', { name: 'Data Lake', exact: true });
  const row = panel.locator('li[data-repo="seventh"]');
  await expect(row).toBeVisible();
  await row.getByRole('button').first().focus();
  await panel.getByRole('button', { name: 'History of seventh', exact: true }).click();
  const history = section(panel, 'history');
  await expect(history.getByRole('listitem').first()).toContainText('One row');
  // Views have most of the height: the page of files gives way.
  await panel
    .getByRole('button', { name: /^(Show lineage|Lineage)/ })
    .first()
    .click();
  const lineage = page.locator('.jp-DatalakeLineagePanel');
  await expect(lineage.getByRole('button', { name: /^repo seventh/ })).toBeVisible();
  const heightOf = async () => (await lineage.boundingBox())?.height ?? 0;
  const all = page.viewportSize()?.height ?? 0;
  await expect.poll(heightOf).toBeGreaterThan(all / 3);
  await page.screenshot({ path: test.info().outputPath('below.png') });
  await page.close();
});
