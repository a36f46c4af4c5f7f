/** What others changed too is decided path by path; mounts and sessions are listed. */
import { expect, test } from './sharing';

import {
  expectAccessibleInThemes,
  expectNamed,
  Lake,
  openPanel,
  section,
  showActions
} from './lake';

test('a commit that others were before takes mine or theirs, path by path', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.createRepo('crossed');
  for (const path of ['a.txt', 'b.txt']) {
    await lake.put('crossed', path, 'base\n', `Write ${path}`);
  }
  await lake.createBranch('crossed', 'drafted', 'main');
  for (const path of ['a.txt', 'b.txt']) {
    await lake.put('crossed', path, 'mine\n', `Mine of ${path}`, 'drafted');
  }
  await lake.stage('crossed', 'main', 'crossed@drafted/');
  for (const path of ['a.txt', 'b.txt']) {
    await lake.put('crossed', path, 'theirs\n', `Theirs of ${path}`);
  }

  const panel = await openPanel(page);
  const changes = section(panel, 'changes').getByRole('region', {
    name: 'Changes in crossed@main'
  });
  await changes.getByRole('textbox').fill('Both');
  await changes.getByRole('textbox').press('Control+Enter');
  const conflicts = changes.getByRole('region', { name: 'Conflicts' });
  await expect(conflicts.getByRole('status')).toContainText('2 paths were changed on both sides');
  await expectNamed(conflicts);
  await expectAccessibleInThemes(page, '[data-section="changes"]');
  const commit = changes.getByRole('button', { name: 'Commit', exact: true });
  await expect(commit).toBeDisabled();

  await conflicts.getByRole('button', { name: 'Open both versions of a.txt' }).click();
  await expect(page.locator('.lm-TabBar-tabLabel', { hasText: 'a.txt @' })).toHaveCount(2);

  await conflicts.getByRole('group', { name: 'For all' }).getByRole('button').first().click();
  await expect(conflicts.getByRole('status')).toHaveText('Every conflict is decided.');
  await conflicts
    .getByRole('group', { name: 'b.txt' })
    .getByRole('button', { name: 'Theirs' })
    .click();
  await commit.click();
  await expect(changes).toBeHidden();
  expect(await lake.read('crossed', 'a.txt')).toBe('mine\n');
  expect(await lake.read('crossed', 'b.txt')).toBe('theirs\n');
});

test('mounts are listed by their folder, and mounted again and unmounted there', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.createRepo('shown');
  await lake.put('shown', 'a.txt', 'one\n', 'Write a');
  await lake.createRepo('loose');
  await lake.put('loose', 'a.txt', 'one\n', 'Write a');
  await lake.stage('loose', 'main', 'loose@main/');
  await lake.mount('shown');

  const panel = await openPanel(page);
  await panel.locator('.lm-AccordionPanel-title', { hasText: /^Mounts/ }).click();
  const mounts = section(panel, 'mounts');
  const row = mounts.locator('[data-place="shown"]');
  await expect(row).toContainText('shown@main');
  await expect(row.getByRole('img', { name: /writable$/ })).toBeVisible();
  await expectNamed(mounts);
  await expectAccessibleInThemes(page, '[data-section="mounts"]');

  await showActions(row);
  await row.getByRole('button', { name: 'Mount shown again' }).click();
  await expect(row.getByRole('img', { name: /writable$/ })).toBeVisible();

  const loose = mounts
    .getByRole('region', { name: 'Sessions that are not mounted' })
    .getByRole('listitem')
    .filter({ hasText: 'loose@main' });
  await loose.hover();
  await loose.getByRole('button', { name: 'Delete the session of loose@main' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(loose).toBeHidden();

  await showActions(row);
  await row.getByRole('button', { name: 'Unmount shown' }).click();
  await expect(row).toBeHidden();
  await lake.unmountAll();
});
