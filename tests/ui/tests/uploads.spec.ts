/** Files and folders of this computer, dropped or chosen, become changes of a branch. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './sharing';

import {
  expectAccessible,
  expectAccessibleInThemes,
  Lake,
  openHistory,
  openPanel,
  repoRow,
  section
} from './lake';

/** Make a folder with files, to be chosen or dropped. */
function makeFolder(name: string, files: Record<string, string>): string {
  const folder = test.info().outputPath(name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** Drag what is on the disk, as the desktop does. */
async function dragFromDesktop(
  page: IJupyterLabPageFixture,
  onto: Locator,
  paths: string[],
  ...steps: ('dragEnter' | 'dragOver' | 'drop')[]
): Promise<void> {
  const box = await onto.boundingBox();
  const [raw] = page.context().pages(); // Galata's own is a proxy, which has no such session
  const browser = await page.context().newCDPSession(raw as Page);
  for (const type of steps) {
    await browser.send('Input.dispatchDragEvent', {
      type,
      x: (box?.x ?? 0) + 40,
      y: (box?.y ?? 0) + 12,
      data: { items: [], files: paths, dragOperationsMask: 1 }
    });
  }
  await browser.detach();
}

test('a folder that is dropped onto a repo keeps its structure', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('dropped');
  await lake.put('dropped', 'photos/a.txt', 'old\n', 'Before');
  const panel = await openPanel(page);
  await panel.getByRole('searchbox', { name: 'Search repos' }).fill('dropped');
  const row = repoRow(panel, 'dropped');
  const folder = makeFolder('photos', { 'a.txt': 'new\n', 'deep/er/b.txt': 'b\n' });
  mkdirSync(join(folder, 'nothing'));

  // Beside what takes files, the browser would open them in place of JupyterLab.
  const search = panel.getByRole('searchbox', { name: 'Search repos' });
  await dragFromDesktop(page, search, [folder], 'dragEnter', 'dragOver', 'drop');
  await dragFromDesktop(page, row, [folder], 'dragEnter', 'dragOver');
  await expect(row.getByRole('status')).toHaveText('Drop to upload to dropped');
  await expectAccessibleInThemes(page, '[data-section="repos"]');
  await page.screenshot({ path: test.info().outputPath('over.png') });
  await dragFromDesktop(page, row, [folder], 'drop');
  await expect(row.getByRole('status')).toHaveCount(0);

  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('2 files, 6 B. 1 empty folder.');
  await expect(dialog.getByRole('textbox', { name: 'Message' })).toHaveValue('Upload photos/');
  await dialog.getByRole('button', { name: 'Upload' }).click();
  await expect(dialog).toContainText('photos/a.txt is there already.');
  await dialog.getByRole('button', { name: 'Replace' }).click();
  const toast = page.getByRole('alert').filter({ hasText: 'Uploaded to dropped@main' });
  await toast.getByRole('button', { name: 'Show the changes' }).click();
  expect(await lake.read('dropped', 'photos/a.txt')).toBe('new\n');
  expect(await lake.read('dropped', 'photos/deep/er/b.txt')).toBe('b\n');
  const kept = await request.get('/datalake/repos/dropped/refs/main/file?path=photos/nothing');
  expect(((await kept.json()) as { kind: string }).kind).toBe('folder');
  const comparison = page
    .locator('#jp-main-dock-panel')
    .getByRole('list', { name: /^Files that differ between/ });
  await expect(comparison.getByRole('listitem')).toHaveCount(3);
});

test('what is dropped onto Changes stays there until it is committed', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.createRepo('staged-drop');
  const panel = await openPanel(page);
  await openHistory(panel, 'staged-drop'); // the repo that is selected is the one that is meant
  const changes = section(panel, 'changes');
  const long = `${'x'.repeat(256)}.txt`;
  const transfer = await page.evaluateHandle(name => {
    const data = new DataTransfer();
    data.items.add(new File(['1\n'], 'one.txt'));
    data.items.add(new File(['2\n'], name)); // longer than names can be
    return data;
  }, long);
  const target = changes.locator('.jp-DatalakeDropTarget').first();
  await target.dispatchEvent('dragover', { dataTransfer: transfer });
  await expect(changes.getByRole('status').first()).toHaveText('Drop to upload');
  await target.dispatchEvent('drop', { dataTransfer: transfer });

  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Upload to staged-drop');
  await expect(dialog.getByRole('textbox', { name: 'Message' })).toHaveValue('');
  await expectAccessible(page, '.jp-Dialog');
  await page.screenshot({ path: test.info().outputPath('dialog.png') });
  await dialog.getByRole('button', { name: 'Upload' }).click();

  const left = page.getByRole('alert').filter({ hasText: '1 file was left out: xxx' });
  await left.getByRole('button', { name: 'Show why' }).click();
  await expect(dialog).toContainText('holds a name longer than 255 bytes');
  await expectAccessible(page, '.jp-Dialog');
  await dialog.getByRole('button', { name: 'Close' }).click();
  const toast = page.getByRole('alert').filter({ hasText: 'not committed yet' });
  await expect(toast).toContainText('1 file for staged-drop@main');
  await page.screenshot({ path: test.info().outputPath('toasts.png') });
  await toast.getByRole('button', { name: 'Show the changes' }).click();
  const staged = changes.getByRole('region', { name: 'Changes in staged-drop@main' });
  await expect(staged.locator('[data-path="one.txt"]')).toBeVisible();
  await staged
    .getByRole('textbox', { name: 'Commit message for staged-drop@main' })
    .fill('What was dropped');
  await staged.getByRole('button', { name: 'Commit', exact: true }).click();
  await expect(staged).toHaveCount(0);
  expect(await lake.read('staged-drop', 'one.txt')).toBe('1\n');
  for (const one of await page.getByRole('button', { name: 'Dismiss' }).all()) {
    await one.click();
  }
});

test('a folder is chosen by the menu, and an upload that is cancelled leaves nothing', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.createRepo('chosen-folder');
  const panel = await openPanel(page);
  const row = repoRow(panel, 'chosen-folder');
  const choose = async (folder: string) => {
    const chooser = page.waitForEvent('filechooser');
    await row.click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Upload Folder…' }).click();
    await (await chooser).setFiles(folder);
  };
  await choose(makeFolder('tables', { 'a.csv': 'a\n', 'more/b.csv': 'b\n' }));
  const dialog = page.getByRole('dialog');
  await expect(dialog.locator(':focus')).toBeVisible(); // else what is typed goes where it comes to
  await dialog.getByRole('textbox', { name: 'Folder' }).fill('in');
  await dialog.getByRole('button', { name: 'Upload' }).click();
  await expect(page.getByText(/^Uploaded to chosen-folder@main/).last()).toBeVisible();
  expect(await lake.read('chosen-folder', 'in/tables/more/b.csv')).toBe('b\n');

  let answer = () => undefined as void;
  const answered = new Promise<void>(resolve => (answer = resolve));
  await page.route(/\/sessions\/[^/]*\/content/, async route => {
    await answered; // it is on its way until it is given up
    await route.continue().catch(() => undefined); // nobody waits for it any more
  });
  await choose(makeFolder('late', { 'c.csv': 'c\n' }));
  await dialog.getByRole('button', { name: 'Upload' }).click();
  const toast = page.getByRole('alert').filter({ hasText: 'Uploading 1 file' });
  await toast.getByRole('button', { name: 'Cancel' }).focus(); // it moves, with those below it
  await page.keyboard.press('Enter');
  answer();
  await expect(page.getByText(/was cancelled; nothing of it is kept/).last()).toBeVisible();
  await page.unroute(/\/sessions\/[^/]*\/content/);
  const open = await request.get('/datalake/sessions?repo=chosen-folder');
  expect(((await open.json()) as { results: unknown[] }).results).toEqual([]);
});
