/**
 * The `test` of specs whose tests follow each other in one page, which is tidied up between them.
 *
 * To load JupyterLab takes longer than most of what is tested. Specs that make answers of the server
 * up, load the page again, open the drive or want a panel that nobody has used take `fixtures.ts`.
 */
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { galata } from '@jupyterlab/galata';
import type { JupyterFrontEnd } from '@jupyterlab/application';

import { expect, test as base } from './fixtures';
import { setTheme } from './lake';

export { expect };

const VIEWPORT = { width: 1024, height: 768 };

export const test = base.extend<object, { shared: IJupyterLabPageFixture }>({
  shared: [
    async ({ browser }, use, { project }) => {
      const { page } = await galata.newPage({
        autoGoto: false, // it would look for a folder of tests
        baseURL: project.use.baseURL ?? '',
        browser,
        waitForApplication: async one => {
          await one.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
          await one.locator('.jp-Launcher').first().waitFor();
        }
      });
      await page.goto('?reset');
      await use(page);
      await page.context().close();
    },
    { scope: 'worker' }
  ],
  context: async ({ shared }, use) => use(shared.context()),
  page: async ({ shared, tmpPath }, use) => {
    await tidyUp(shared, tmpPath);
    await use(shared);
    await goTo(shared, ''); // the folder is deleted now
  }
});

/** Leave nothing that a test opened, and stand in its folder. */
async function tidyUp(page: IJupyterLabPageFixture, folder: string): Promise<void> {
  await page.setViewportSize(VIEWPORT);
  await page.mouse.move(0, 0);
  for (const dialog of await page.locator('.jp-Dialog').all()) {
    await page.keyboard.press('Escape'); // what was opened is told that its folder is gone
    await dialog.waitFor({ state: 'detached' });
  }
  await setTheme(page, 'JupyterLab Light');
  await page.evaluate(async () => {
    const app = window.jupyterapp as JupyterFrontEnd;
    for (const widget of [...app.shell.widgets('main')]) {
      widget.dispose(); // nothing is asked of what is not saved
    }
    await app.serviceManager.sessions.shutdownAll();
  });
  await page.sidebar.openTab('jupyter-datalake');
  await page.getByRole('searchbox', { name: 'Search repos' }).fill('');
  await goTo(page, folder);
  await page.locator('.jp-Launcher').first().waitFor();
}

/** Show a folder in the file browser. */
async function goTo(page: IJupyterLabPageFixture, folder: string): Promise<void> {
  await page.evaluate(async path => {
    const { commands } = window.jupyterapp;
    await commands.execute('filebrowser:go-to-path', { path });
    await commands.execute('filebrowser:activate');
  }, `/${folder}`);
}
