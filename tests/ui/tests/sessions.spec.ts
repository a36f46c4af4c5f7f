/** What is written to a mounted branch shows in Changes, and becomes history with a commit. */
import { expect, test } from './sharing';

import { Lake, openHistory, openPanel, section } from './lake';

test('a written file is seen, committed and in the history', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.discardAll();
  await lake.createRepo('written');
  await lake.put('written', 'old.csv', 'a\n1\n', 'The old file');
  await lake.put('written', 'gone.csv', 'c\n', 'A file to delete');
  await lake.mount('written');

  const panel = await openPanel(page);
  await page.contents.uploadContent('b\n2\n', 'text', 'lake/written/new.csv');
  await page.contents.uploadContent('a\n1\n2\n', 'text', 'lake/written/old.csv');
  expect(await page.contents.deleteFile('lake/written/gone.csv')).toBe(true);

  const changes = section(panel, 'changes').getByRole('region', {
    name: 'Changes in written@main'
  });
  const files = changes.getByRole('list', { name: 'Changed files of written@main' });
  await expect(files.getByRole('listitem')).toHaveCount(3);
  await expect(files.locator('[data-path="new.csv"]')).toContainText('A');
  await expect(files.locator('[data-path="old.csv"]')).toContainText('M');
  await expect(files.locator('[data-path="gone.csv"]')).toContainText('D');

  const room = async () => (await section(panel, 'changes').boundingBox())?.height ?? 0;
  const needed = await room();
  await expect(changes.getByRole('button', { name: 'Commit', exact: true })).toBeDisabled();
  const message = changes.getByRole('textbox', { name: 'Commit message for written@main' });
  await message.fill('A new file, and a longer one');
  await changes.getByRole('button', { name: 'Commit', exact: true }).click();
  await expect(changes).toHaveCount(0);
  await expect.poll(room).toBeLessThan(needed); // what is empty leaves its room to the others

  const history = await openHistory(panel, 'written');
  const newest = history.getByRole('list', { name: 'Commits' }).getByRole('listitem').first();
  await expect(newest).toContainText('A new file, and a longer one');
  await newest.getByRole('button').first().click();
  await expect(newest.locator('[data-path="new.csv"]')).toContainText('A');
});

test('a message is committed by keys alone', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('typed');
  await lake.mount('typed');
  await page.contents.uploadContent('1\n', 'text', 'lake/typed/a.csv');

  const panel = await openPanel(page);
  const message = panel.getByRole('textbox', { name: 'Commit message for typed@main' });
  await message.focus();
  await page.keyboard.type('By keys');
  await page.keyboard.press('Control+Enter');
  await expect(message).toHaveCount(0);
  await expect((await openHistory(panel, 'typed')).getByRole('listitem').first()).toContainText(
    'By keys'
  );
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
  await changes.getByRole('button', { name: 'Discard the change of drop.csv' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
  await expect(changes.locator('[data-path="drop.csv"]')).toHaveCount(0);
  await expect(changes.locator('[data-path="keep.csv"]')).toBeVisible();
  expect(await page.contents.fileExists('lake/discarded/drop.csv')).toBe(false);
});

test('a conflict is told where the commit was asked for, and settled by discarding', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.createRepo('contested');
  await lake.put('contested', 'a.csv', '1\n', 'The first version');
  await lake.mount('contested');
  await page.contents.uploadContent('2\n', 'text', 'lake/contested/a.csv');
  await lake.put('contested', 'a.csv', '3\n', 'Somebody is faster');

  const panel = await openPanel(page);
  const changes = section(panel, 'changes').getByRole('region', {
    name: 'Changes in contested@main'
  });
  const message = changes.getByRole('textbox', { name: 'Commit message for contested@main' });
  await message.fill('Mine');
  await changes.getByRole('button', { name: 'Commit', exact: true }).click();
  const conflicts = changes.getByRole('region', { name: 'Conflicts' });
  await expect(conflicts.getByRole('group', { name: 'a.csv' })).toBeVisible();
  await expect(message).toHaveValue('Mine');

  await changes.getByRole('button', { name: 'Discard all changes in contested@main' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
  await expect(changes).toHaveCount(0);
});

test('many changes are a list or a tree, loaded as far as somebody scrolls', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.discardAll(); // its own Commit stays in sight, unless another session is above it
  const first = await lake.createRepo('many');
  await lake.put('many', 'alone.csv', '0\n', 'One file');
  await lake.put('many', 'deep/folder/0/0.csv', '1\n', 'A file to be doubled');
  for (let power = 0; power < 9; power++) {
    // Folders double: 0 to 1, what is in 0 and 1 to 2, and so on.
    await lake.copy('many@main/deep/folder', `many@main/deep/folder/${power + 1}`);
  }
  const count = 1 + 2 ** 9; // more than a page, and more than are drawn
  await lake.createBranch('many', 'empty', first);
  await lake.stage('many', 'empty', 'many@main/');

  // Specs before this one may have opened every section, and Commit stays where there is room.
  await page.setViewportSize({ width: 1024, height: 1200 });
  const panel = await openPanel(page);
  const changes = section(panel, 'changes').getByRole('region', { name: 'Changes in many@empty' });
  const files = changes.getByRole('list', { name: 'Changed files of many@empty' });
  await expect(changes.locator('header')).toContainText('500+');
  expect(await files.getByRole('listitem').count()).toBeLessThan(200);
  await files.getByRole('listitem').first().hover();
  await expect(async () => {
    await page.mouse.wheel(0, 5000);
    await expect(files.getByRole('listitem').last()).toHaveAttribute(
      'aria-posinset',
      String(count),
      { timeout: 200 }
    );
  }).toPass();
  await expect(changes.locator('header')).toContainText(String(count));

  await changes.getByRole('button', { name: 'Show changes as a tree' }).click();
  const folder = files.locator('[data-path="deep/folder/"]');
  await expect(changes.getByRole('button', { name: 'Commit', exact: true })).toBeInViewport();
  await changes.locator('header').scrollIntoViewIfNeeded();
  await expect(folder).toContainText(String(count - 1));
  await folder.getByRole('button', { name: 'deep/folder', exact: true }).click();
  await expect(files.getByRole('listitem')).toHaveCount(2);
  await page.screenshot({ path: 'test-results/changes-tree.png' });
  await folder.getByRole('button', { name: 'Discard all changes below deep/folder' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
  await expect(files.getByRole('listitem')).toHaveCount(1);
  await changes.getByRole('button', { name: 'Show changes as a list' }).click();
  await expect(files.locator('[data-path="alone.csv"]')).toBeVisible();
});
