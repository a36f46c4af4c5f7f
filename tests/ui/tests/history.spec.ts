/** The history of a repo: its graph, filters, and what can be done from a commit. */
import { expect, test } from './sharing';

import { expectAccessibleInThemes, expectNamed, Lake, openHistory, openPanel } from './lake';

test('a history is a graph of all lines, and is filtered by path, message and author', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.createRepo('two-lines');
  await lake.put('two-lines', 'a.txt', 'one\n', 'Write a');
  const parted = await lake.put('two-lines', 'b/c.txt', 'two\n', 'Write c');
  await lake.createBranch('two-lines', 'side', parted);
  await lake.put('two-lines', 'd.txt', 'three\n', 'Write d on the side', 'side');
  await lake.put('two-lines', 'a.txt', 'four\n', 'Mend a');
  await lake.merge('two-lines', 'side', 'main');

  const panel = await openPanel(page);
  const history = await openHistory(panel, 'two-lines');
  const rows = history.getByRole('list', { name: 'Commits' }).getByRole('listitem');
  await expect(rows).toHaveCount(6);
  await expect(rows.first().getByRole('img', { name: 'A merge, on line 1' })).toBeVisible();
  await expect(
    rows.filter({ hasText: 'on the side' }).getByRole('img', { name: 'On line 2' })
  ).toBeVisible();
  await expect(rows.filter({ hasText: 'on the side' }).locator('.jp-mod-branch')).toHaveText(
    'side'
  );
  await expectNamed(history);
  await expectAccessibleInThemes(page, '[data-section="history"]');

  // The arrow keys move between rows, Enter opens one.
  await rows.first().getByRole('button').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(rows.nth(1).getByText('a.txt').first()).toBeVisible();
  await page.keyboard.press('Enter');

  await history.getByRole('button', { name: 'Show all that was merged in, as a graph' }).click();
  await expect(rows).toHaveCount(5);
  await history.getByRole('button', { name: 'Show all that was merged in, as a graph' }).click();

  await history.getByRole('button', { name: 'Filter the commits' }).click();
  await expect(history.getByLabel('Path')).toBeFocused();
  await page.keyboard.type('a.txt');
  await expect(rows).toHaveCount(2);
  await expect(history.getByRole('status')).toHaveText('Found 2 in all 6 commits.');
  await history.getByLabel('Message').fill('mend');
  await expect(rows).toHaveCount(1);
  await history.getByLabel('Author').fill('nobody of this name');
  await expect(rows).toHaveCount(0);
  await expect(history.getByRole('status')).toHaveText('Found 0 in all 6 commits.');
  await page.keyboard.press('Escape');
  await expect(rows).toHaveCount(6);
  await expect(history.getByRole('button', { name: 'Filter the commits' })).toBeFocused();
});

test('a commit is reverted, the branch is reset, and any two commits are compared', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.createRepo('moved');
  const first = await lake.put('moved', 'a.txt', 'one\n', 'Write a');
  await lake.put('moved', 'b.txt', 'two\n', 'Write b');
  await lake.put('moved', 'a.txt', 'one\nmore\n', 'Mend a');

  const panel = await openPanel(page);
  const history = await openHistory(panel, 'moved');
  const rows = history.getByRole('list', { name: 'Commits' }).getByRole('listitem');

  // From the menu of a row: the first commit against the newest.
  await history.locator(`[data-commit="${first}"] button`).first().click({ button: 'right' });
  await expectAccessibleInThemes(page, '.lm-Menu');
  await page.getByRole('menuitem', { name: 'Select for Compare' }).click();
  await expect(history.locator(`[data-commit="${first}"]`)).toContainText('to compare');
  await rows.first().getByRole('button').first().click();
  await rows.first().getByRole('button', { name: 'Compare with selected' }).click();
  const comparison = page.locator('.jp-DatalakeCommitDiff');
  await expect(comparison.getByRole('listitem')).toHaveCount(2);
  await expectNamed(comparison);
  await expectAccessibleInThemes(page, '.jp-DatalakeCommitDiff');
  await comparison.getByRole('button', { name: 'a.txt' }).click();
  await expect(page.getByRole('main').getByText('more', { exact: true }).last()).toBeVisible();

  // What is staged may stand in place of the newer commit.
  const session = await lake.stage('moved', 'main', `moved@${first}`);
  await history.locator(`[data-commit="${first}"] button`).first().click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Compare with What Is Staged' }).click();
  const staged = page.locator('.jp-DatalakeCommitDiff:visible');
  await expect(staged.getByText('No file differs.')).toBeVisible();
  const newer = staged.getByRole('combobox', { name: 'Newer version' });
  await expect(newer.locator('option:checked')).toHaveText('what is staged in moved@main');
  await staged.getByRole('combobox', { name: 'Older version' }).selectOption('main');
  await expect(staged.getByRole('listitem')).toHaveCount(2);
  await page.screenshot({ path: test.info().outputPath('staged.png') });
  await staged.getByRole('button', { name: 'a.txt' }).click();
  const base = page.getByRole('textbox', { name: 'Compared with' });
  await expect(base).toHaveValue(/^[0-9a-f]{8}$/);
  await lake.deleteSession(session);

  const written = rows.filter({ hasText: 'Write b' });
  await written.getByRole('button').first().click();
  await written.getByRole('button', { name: /^Revert/ }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText('1 path changes on main.')).toBeVisible();
  await expectNamed(dialog);
  await expectAccessibleInThemes(page, '.jp-Dialog');
  await dialog.getByRole('button', { name: 'Revert' }).click();
  await expect(rows.first()).toContainText('Revert “Write b”');

  await history.locator(`[data-commit="${first}"] button`).first().click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Reset the Branch to Here…' }).click();
  await expect(dialog).toContainText('3 commits leave main.');
  await expect(dialog).toContainText('1 path changes.');
  await expect(dialog).toContainText('datalake refs undo moved main');
  await expectAccessibleInThemes(page, '.jp-Dialog');
  await dialog.getByRole('button', { name: 'Reset' }).click();
  await expect(rows).toHaveCount(2);
  await page.getByRole('button', { name: 'Undo', exact: true }).last().click();
  await expect(rows.first()).toContainText('Revert “Write b”');
});

test('paths that conflict are decided one by one', async ({ page, request }, info) => {
  const lake = new Lake(request);
  await lake.createRepo('parted');
  const base = await lake.put('parted', 'a.txt', 'base\n', 'Write a');
  await lake.put('parted', 'b.txt', 'base\n', 'Write b');
  await lake.createBranch('parted', 'side', 'main');
  const theirs = await lake.put('parted', 'a.txt', 'theirs\n', 'Theirs of a', 'side');
  await lake.put('parted', 'a.txt', 'mine\n', 'Mine of a');
  expect(base).not.toBe(theirs);

  const panel = await openPanel(page);
  const history = await openHistory(panel, 'parted');
  await history.getByRole('combobox', { name: 'Branch or tag' }).selectOption('side');
  const row = history.locator(`[data-commit="${theirs}"]`);
  await row.getByRole('button').first().click();
  await row.getByRole('button', { name: /^Cherry-pick/ }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('On branch')).toHaveValue('main'); // side has it already
  await expect(dialog.getByRole('status').last()).toHaveText(
    '1 path was changed on both sides. Choose whose version stays.'
  );
  const accept = dialog.getByRole('button', { name: 'Cherry-pick' });
  await expect(accept).toBeDisabled();
  const compare = dialog.getByRole('button', { name: 'Compare both versions of a.txt' });
  await compare.click();
  await expect(compare).toHaveAttribute('aria-expanded', 'true');
  const versions = dialog.locator('[data-path="a.txt"]');
  await expect(versions).toContainText(`From main to ${theirs.slice(0, 8)}:`);
  await expect(versions.getByRole('columnheader')).toHaveText(['main', theirs.slice(0, 8)]);
  await expect(versions.getByRole('cell', { name: 'mine', exact: true })).toBeVisible();
  await expect(versions.getByRole('cell', { name: 'theirs', exact: true })).toBeVisible();
  await page.screenshot({ path: info.outputPath('both-versions.png') });
  await expectAccessibleInThemes(page, '.jp-Dialog');
  await compare.click();
  await expect(versions.getByRole('cell', { name: 'mine', exact: true })).toHaveCount(0);
  await dialog.getByRole('group', { name: 'a.txt' }).getByRole('button').last().click();
  await accept.click();
  await expect(dialog).toBeHidden();
  await expect.poll(() => lake.read('parted', 'a.txt')).toBe('theirs\n');
});
