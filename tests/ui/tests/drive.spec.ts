/** Where mounts have no folder, they are a drive in the file browser. */
import { expect, test } from './fixtures';

import { expectNamed, Lake, openPanel, section } from './lake';

test('a file of the drive is opened, and one that is saved in it is a change', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.createRepo('driven');
  await lake.put('driven', 'data/people.csv', 'id,name\n1,Ada\n2,Grace\n', 'Two people');
  await lake.put('driven', 'notes.txt', 'old\n', 'Notes');
  const others = await lake.unmountAll(); // what is mounted at one place is shown in one way
  try {
    await lake.mount('driven', 'drive');
    const tab = page.locator('.jp-SideBar [data-id="jupyter-datalake-drive"]');
    await expect(tab).toBeVisible();
    await tab.click();
    const files = page.getByRole('region', { name: 'Files of the lake' });
    const open = (name: string) =>
      files.locator('.jp-DirListing-itemText', { hasText: name }).first().dblclick();
    await open('driven');
    await expect(files.locator('.jp-DirListing-item')).toHaveCount(2);
    await expectNamed(files.locator('.jp-FileBrowser-toolbar'));
    await open('data');
    await open('people.csv');
    await expect(page.locator('.jp-CSVViewer')).toBeVisible();

    await page.evaluate(async () => {
      await window.jupyterapp.commands.execute('docmanager:open', {
        path: 'lake:driven/notes.txt'
      });
    });
    const editor = page.locator('.jp-FileEditor .cm-content');
    await expect(editor).toHaveText('old');
    await editor.click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('written in the drive');
    await page.keyboard.press('Control+S');

    const panel = await openPanel(page);
    const changed = section(panel, 'changes').getByRole('list', {
      name: 'Changed files of driven@main'
    });
    await expect(changed.locator('[data-path="notes.txt"]')).toContainText('M');
    await expect(changed.getByRole('listitem')).toHaveCount(1);
    await section(panel, 'changes')
      .getByRole('textbox', { name: 'Commit message for driven@main' })
      .fill('From the drive');
    await page.keyboard.press('Control+Enter');
    await expect(changed).toHaveCount(0);
    expect(await lake.read('driven', 'notes.txt')).toBe('written in the drive');

    // Its browser stands in a folder that is no more: it goes to one that is.
    await lake.unmountAll();
    await expect(tab).toHaveCount(0);
    await lake.mount('driven', 'drive');
    await tab.click();
    await expect(files.locator('.jp-DirListing-item')).toHaveCount(1);
    await expect(files.locator('.jp-DirListing-itemText').first()).toHaveText('driven');
  } finally {
    await lake.unmountAll();
    for (const mount of others) {
      await lake.mount(mount.repo);
    }
  }
});

test('the status bar says mode, changes and controller, and opens the panel', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  const others = await lake.unmountAll(); // what is mounted at one place is shown in one way
  try {
    await lake.mount('customers', 'drive');
    const item = page.getByRole('button', { name: /^Data Lake: / });
    await expect(item).toContainText('drive');
    await expect(item).toHaveAttribute('title', /Pipelines are run by/);
    const wrote = await request.put('/datalake/drive/content', {
      params: { path: 'customers/status.txt' },
      headers: { 'Content-Type': 'application/octet-stream' },
      data: 'new'
    });
    expect(wrote.ok(), await wrote.text()).toBe(true);
    await expect(item).toContainText(/[1-9]\d* change/);
    await page.screenshot({ path: 'test-results/status.png' });
    await item.click();
    await expect(page.getByRole('region', { name: 'Data Lake', exact: true })).toBeVisible();
  } finally {
    await lake.unmountAll();
    for (const { repo } of others) {
      await lake.mount(repo);
    }
  }
});
