/** Any point of the history can be read and mounted. */
import { expect, test } from './sharing';

import { expectFolder, fileEntry, Lake, openHistory, openPanel, repoRow } from './lake';

test('an old commit is mounted and shows the old content', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('aged');
  const first = await lake.put('aged', 'people.txt', 'id,name\n1,Ada\n', 'One person');
  await lake.put('aged', 'people.txt', 'id,name\n1,Ada\n2,Grace\n', 'Two people');

  const panel = await openPanel(page);
  const history = await openHistory(panel, 'aged');
  const old = history.locator(`li[data-commit="${first}"]`);
  await old.getByRole('button').first().click();
  await expect(old.locator('[data-path="people.txt"]')).toContainText('A');
  await old.getByRole('button', { name: 'Mount', exact: true }).click();

  const name = `aged@${first.slice(0, 8)}`;
  await expectFolder(page, `lake/${name}`);
  await fileEntry(page, 'people.txt').dblclick();
  const editor = page.locator('.jp-FileEditor .cm-content');
  await expect(editor).toContainText('Ada');
  await expect(editor).not.toContainText('Grace');

  await openPanel(page);
  await expect(repoRow(panel, 'aged').locator(`[data-mount="${name}"]`)).toContainText('read-only');
});

test('a commit gets a branch and a tag, and its files are browsed', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('named');
  await lake.put('named', 'deep/er/file.txt', 'hello\n', 'A file far below');

  const panel = await openPanel(page);
  const history = await openHistory(panel, 'named');
  const commit = history.getByRole('listitem').first();
  await commit.getByRole('button').first().click();
  await commit.getByRole('button', { name: /^New tag at/ }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('v1');
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
  await expect(commit.locator('.jp-mod-tag')).toHaveText('v1');

  await history.getByRole('combobox', { name: 'Branch or tag' }).selectOption('v1');
  await expect(history.getByRole('listitem').first()).toContainText('A file far below');

  const reopened = history.getByRole('listitem').first();
  await reopened.getByRole('button').first().click();
  await reopened.getByRole('button', { name: 'All files' }).click();
  await reopened.getByRole('button', { name: 'deep', exact: true }).click();
  await reopened.getByRole('button', { name: 'er', exact: true }).click();
  await expect(reopened.getByText('file.txt').last()).toBeVisible();
});
