/** What is written to a mounted branch shows in Changes, and becomes history with a commit. */
import { expect, test } from '@jupyterlab/galata';

import { Lake, openHistory, openPanel, section } from './lake';

test('a written file is seen, committed and in the history', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('written');
  await lake.put('written', 'old.csv', 'a\n1\n', 'The old file');
  await lake.mount('written');

  const panel = await openPanel(page);
  await page.contents.uploadContent('b\n2\n', 'text', 'lake/written/new.csv');
  await page.contents.uploadContent('a\n1\n2\n', 'text', 'lake/written/old.csv');

  const changes = section(panel, 'changes').getByRole('region', {
    name: 'Changes in written@main'
  });
  const files = changes.getByRole('list', { name: 'Changed files of written@main' });
  await expect(files.getByRole('listitem')).toHaveCount(2);
  await expect(files.locator('[data-path="new.csv"]')).toContainText('A');
  await expect(files.locator('[data-path="old.csv"]')).toContainText('M');

  await expect(changes.getByRole('button', { name: 'Commit', exact: true })).toBeDisabled();
  const message = changes.getByRole('textbox', { name: 'Commit message for written@main' });
  await message.fill('A new file, and a longer one');
  await message.press('Control+Enter');
  await expect(changes).toHaveCount(0);

  const history = await openHistory(panel, 'written');
  const newest = history.getByRole('list', { name: 'Commits' }).getByRole('listitem').first();
  await expect(newest).toContainText('A new file, and a longer one');
  await newest.getByRole('button').first().click();
  await expect(newest.locator('[data-path="new.csv"]')).toContainText('A');
});

test('a change is discarded once it is confirmed', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('discarded');
  await lake.mount('discarded');
  await page.contents.uploadContent('1\n', 'text', 'lake/discarded/keep.csv');
  await page.contents.uploadContent('2\n', 'text', 'lake/discarded/drop.csv');

  const panel = await openPanel(page);
  const changes = section(panel, 'changes').getByRole('region', {
    name: 'Changes in discarded@main'
  });
  await changes.locator('[data-path="drop.csv"]').hover();
  await changes.getByRole('button', { name: 'Discard the change of drop.csv' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
  await expect(changes.locator('[data-path="drop.csv"]')).toHaveCount(0);
  await expect(changes.locator('[data-path="keep.csv"]')).toBeVisible();
  expect(await page.contents.fileExists('lake/discarded/drop.csv')).toBe(false);
});
