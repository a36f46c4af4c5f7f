/** Screens are loaded when they are first opened; what is said where one does not come. */
import { expect, test } from './fixtures';

/** What of the extension is loaded after the page's start. */
const SCREENS = /\/extensions\/jupyter-datalake\/static\/.*\.js/;

test.use({ expectedErrors: /^Failed to load resource: net::ERR_FAILED/ });

test('a screen that cannot be loaded says what to do, and comes when it is asked for again', async ({
  page,
  tmpPath
}) => {
  const loaded: string[] = [];
  page.on('request', request => {
    if (SCREENS.test(request.url())) {
      loaded.push(request.url());
    }
  });
  await page.sidebar.openTab('jupyter-datalake');
  await expect(page.getByRole('searchbox', { name: 'Search repos' })).toBeVisible();
  expect(loaded).toEqual([]); // the panel is there from the start

  await page.route(SCREENS, route => route.abort());
  const open = () =>
    page.evaluate(async () => {
      await window.jupyterapp.commands.execute('datalake:open-lineage');
    });
  await open();
  const told = page.getByText(/^A part of the data lake could not be loaded.*Reload the page/);
  await expect(told).toBeVisible();

  const path = `${tmpPath}/lost.pipelines.yaml`;
  await page.contents.uploadContent('', 'text', path);
  await page.evaluate(async one => {
    await window.jupyterapp.commands.execute('docmanager:open', { path: one });
  }, path);
  const document = page.locator('.jp-MainAreaWidget:visible');
  await expect(document.getByText(/A part of the data lake could not be loaded/)).toBeVisible();
  expect(loaded.length).toBeGreaterThan(0);

  await page.unroute(SCREENS);
  await open();
  await expect(page.getByRole('group', { name: /^Lineage graph/ })).toBeVisible();
});
