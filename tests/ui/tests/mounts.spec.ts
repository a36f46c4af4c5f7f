/** A click on a repo mounts it, and its files are in the file browser. */
import { expect, test } from './sharing';

import { expectFolder, fileEntry, Lake, openPanel, repoRow, section, showActions } from './lake';

test('a click mounts a repo and shows its files', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('mounted');
  await lake.put('mounted', 'people.csv', 'id,name\n1,Ada\n2,Grace\n', 'Two people');

  const panel = await openPanel(page);
  const row = repoRow(panel, 'mounted');
  await expect(row).toContainText('main');
  await expect(row.getByRole('img', { name: 'Not mounted' })).toBeVisible();
  await row.getByRole('button', { name: /^mounted: mount it/ }).click();

  await expectFolder(page, 'lake/mounted');
  // JupyterLab asks for a checkpoint of what it has opened, which an unmounted folder refuses.
  const isOpened = page.waitForResponse(/people\.csv\/checkpoints/);
  await fileEntry(page, 'people.csv').dblclick();
  await expect(page.locator('.jp-CSVViewer')).toBeVisible();
  await isOpened;

  await openPanel(page);
  await expect(row.getByRole('img', { name: 'Mounted at lake/mounted, writable' })).toBeVisible();
  await showActions(row);
  await row.getByRole('button', { name: 'Unmount mounted' }).click();
  await expect(row.getByRole('img', { name: 'Not mounted' })).toBeVisible();
});

test('a mounted folder is switched to a commit and back, and says how far behind it is', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.createRepo('switched');
  await lake.put('switched', 'old.csv', 'id\n1\n', 'Old');
  await lake.put('switched', 'new.csv', 'id\n2\n', 'New');

  const panel = await openPanel(page);
  const row = repoRow(panel, 'switched');
  await row.getByRole('button', { name: /^switched: mount it/ }).click();
  await expectFolder(page, 'lake/switched');
  await expect(fileEntry(page, 'new.csv')).toBeVisible();

  const switchTo = async (ref: string): Promise<void> => {
    await openPanel(page);
    await showActions(row);
    await row.getByRole('button', { name: 'Switch switched to another branch' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Show').fill(ref);
    await dialog.getByRole('button', { name: 'Switch' }).click();
    await expect(dialog).toHaveCount(0);
  };
  await switchTo('main~1');
  await expect(row.getByText('1 behind')).toBeVisible();
  await expect(row.getByRole('img', { name: /read-only$/ })).toBeVisible();
  await lake.put('switched', 'newer.csv', 'id\n3\n', 'Newer');
  await expect(row.getByText('2 behind')).toBeVisible();
  await row.getByRole('button', { name: /^switched, mounted/ }).click();
  await expect(fileEntry(page, 'old.csv')).toBeVisible();
  await expect(fileEntry(page, 'new.csv')).toHaveCount(0);

  await switchTo('main');
  await expect(row.getByText(/behind/)).toHaveCount(0);
  await expect(row.getByRole('img', { name: /writable$/ })).toBeVisible();
});

test('repos are made, found and deleted in the panel', async ({ page }) => {
  const panel = await openPanel(page);
  await section(panel, 'repos')
    .page()
    .getByRole('button', { name: 'Create a repo: a folder with versions' })
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Not A Name');
  await expect(dialog.getByRole('button', { name: 'Create' })).toBeDisabled();
  await dialog.getByLabel('Name').fill('made-here');
  await dialog.getByLabel('Description').fill('a repo from the panel');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(repoRow(panel, 'made-here')).toBeVisible();

  await panel.getByRole('searchbox', { name: 'Search repos' }).fill('from the panel');
  await expect(panel.locator('li[data-repo]')).toHaveCount(1);

  await repoRow(panel, 'made-here').getByRole('button').first().click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Delete Repo…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(repoRow(panel, 'made-here')).toHaveCount(0);
});

test('a name that is taken is refused in the dialog', async ({ page, request }) => {
  await new Lake(request).createRepo('taken');
  await openPanel(page);
  await page.getByRole('button', { name: 'Create a repo: a folder with versions' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('taken');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(dialog.getByRole('alert')).toContainText('taken');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});
