/** JupyterLab's own file browser, in folders that show the lake. */
import { expect, test } from './sharing';

import { fileEntry, Lake } from './lake';

test('what is written is marked in the file browser, and its older content is opened from there', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  const repo = 'marked';
  await lake.createRepo(repo);
  await lake.put(repo, 'data/deep/old.txt', 'first words\n', 'First');
  await lake.put(repo, 'data/deep/old.txt', 'second words\n', 'Second');
  await lake.put(repo, 'notes.txt', 'kept\n', 'Notes');
  await lake.mount(repo);
  const folder = await page.evaluate(async name => {
    const { results } = (await (await fetch('/datalake/mounts')).json()) as {
      results: { name: string; contents_path: string }[];
    };
    return results.find(one => one.name === name)?.contents_path ?? '';
  }, repo);
  try {
    const go = (path: string) =>
      page.evaluate(async at => {
        await window.jupyterapp.commands.execute('filebrowser:go-to-path', { path: at });
      }, path);
    const write = (path: string, content: string) =>
      page.evaluate(
        async ([at, text]) => {
          await window.jupyterapp.serviceManager.contents.save(at!, {
            type: 'file',
            format: 'text',
            content: text
          });
        },
        [path, content]
      );
    await go(folder);
    const mark = (name: string) => fileEntry(page, name).locator('.jp-DatalakeListingMark');
    await expect(fileEntry(page, 'data')).toBeVisible();
    await expect(mark('data')).toHaveCount(0);

    await write(`${folder}/data/deep/old.txt`, 'third words\n');
    await write(`${folder}/fresh.txt`, 'new\n');
    await expect(mark('data')).toHaveText('M');
    await expect(mark('data')).toHaveAttribute('aria-label', 'modified, not committed: 1 path');
    await expect(mark('fresh.txt')).toHaveText('A');
    await expect(mark('notes.txt')).toHaveCount(0);
    await expect(mark('fresh.txt')).toHaveCSS('font-weight', '700');

    await go(`${folder}/data/deep`);
    await expect(mark('old.txt')).toHaveText('M');
    await fileEntry(page, 'old.txt').click({ button: 'right' });
    const menu = page.getByRole('menu');
    await expect(menu.getByRole('menuitem', { name: 'What Made This?' })).toBeVisible();
    await menu.getByRole('menuitem', { name: 'Open at Commit…' }).click();
    const dialog = page.getByRole('dialog');
    const choices = dialog.getByRole('listbox', { name: 'Choices for Branch, tag or commit' });
    await expect(choices.getByRole('option')).toHaveCount(3); // main, and two commits of the file
    await choices.selectOption({ index: 2 });
    await dialog.getByRole('button', { name: 'Open' }).click();
    const editor = page.locator('.jp-FileEditor:visible .cm-content');
    await expect(editor).toHaveText('first words');

    await fileEntry(page, 'old.txt').click({ button: 'right' });
    await page.getByRole('menu').getByRole('menuitem', { name: 'Copy the Address' }).click();

    const mounts = `/datalake/mounts/${repo}`;
    const { session_id: session } = (await (await request.get(mounts)).json()) as {
      session_id: string;
    };
    await request.post(`/datalake/sessions/${session}/discards`, { data: {} });
    await expect(mark('old.txt')).toHaveCount(0);
  } finally {
    await request.delete(`/datalake/mounts/${repo}`, { params: { discard: true } });
  }
});
