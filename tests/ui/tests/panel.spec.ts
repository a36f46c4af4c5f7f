/** The panel: reached by keys, kept over a reload, and drawn at once. */
import { expect, test } from './fixtures';

import {
  expectAccessibleInThemes,
  Lake,
  openHistory,
  openPanel,
  openSections,
  repoRow,
  section
} from './lake';
import { expectPaintedSoon } from './paint';

test('a repo is reached and mounted by keys', async ({ page, request }) => {
  await new Lake(request).createRepo('by-keys');
  const panel = await openPanel(page);
  await panel.getByRole('searchbox', { name: 'Search repos' }).fill('by-keys');
  await page.keyboard.press('Tab');
  const row = panel.getByRole('button', { name: /^by-keys: mount it/ });
  await expect(row).toBeFocused();
  await expect(row).toHaveCSS('outline-style', 'solid');
  for (const action of ['History of by-keys', 'Mount by-keys']) {
    await page.keyboard.press('Tab');
    await expect(panel.getByRole('button', { name: action, exact: true })).toBeFocused();
  }
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await expect(row).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('.jp-FileBrowser .jp-BreadCrumbs')).toContainText('by-keys');
});

test.describe('with nothing in it', () => {
  test.use({ autoGoto: false }); // the answers are made before it is loaded

  test('an empty lake says what to do first', async ({ page }) => {
    const nothing = { json: { results: [], next: null } };
    for (const path of ['repos', 'mounts', 'sessions', 'pipelines', 'jobs', 'globals']) {
      await page.route(new RegExp(`/datalake/${path}(\\?|$)`), route => route.fulfill(nothing));
    }
    await page.route(/\/datalake\/graph/, route =>
      route.fulfill({ json: { nodes: [], edges: [] } })
    );
    await page.goto('?reset');
    const panel = await openPanel(page, false);
    await expect(section(panel, 'repos')).toContainText('The lake holds no repos yet.');
    await expect(section(panel, 'changes')).toContainText('Mount a repo');
    await expect(section(panel, 'pipelines')).toContainText('Promote to pipeline');
    await expect(section(panel, 'jobs')).toContainText('No jobs yet.');
    await panel.getByRole('heading', { name: /^History/ }).click();
    await expect(section(panel, 'history')).toContainText('No repo is selected.');
    await openSections(panel);
    await expectAccessibleInThemes(page, '#jupyter-datalake');
    await panel.getByRole('button', { name: 'Lineage', exact: true }).click();
    await expect(page.locator('.jp-DatalakeLineagePanel')).toContainText(
      'There is no lineage yet.'
    );
  });
});

test.describe('without a server', () => {
  test.use({ expectedErrors: /^Failed to load resource: net::ERR_FAILED/ });

  test('a server that does not answer is told, and tried again', async ({ page, request }) => {
    await new Lake(request).createRepo('reached');
    const panel = await openPanel(page);
    await page.route(/\/datalake\/repos(\?|$)/, route => route.abort());
    await panel.getByRole('button', { name: 'Refresh' }).click();
    await expect(section(panel, 'repos').getByRole('alert')).toContainText('does not answer');
    await page.unroute(/\/datalake\/repos(\?|$)/);
    await section(panel, 'repos').getByRole('button', { name: 'Try again' }).click();
    await expect(section(panel, 'repos').getByRole('alert')).toHaveCount(0);
    await expect(panel.locator('li[data-repo="reached"]')).toBeVisible();
  });
});

test('the panel is as it was after a reload', async ({ page, request }) => {
  const lake = new Lake(request);
  const first = await lake.createRepo('reloaded');
  await lake.createBranch('reloaded', 'side', first);
  await lake.put('reloaded', 'a.txt', 'a\n', 'On main alone');
  const panel = await openPanel(page);
  const history = await openHistory(panel, 'reloaded');
  const kept = page.waitForRequest(
    one => one.method() === 'PUT' && /"jobs".*"ref":"side"/.test(one.postData() ?? '')
  );
  await panel.getByRole('heading', { name: /^Jobs/ }).click();
  await history.getByRole('combobox', { name: 'Branch or tag' }).selectOption('side');
  await kept;

  await page.reload();
  await openPanel(page);
  await expect(panel.getByRole('heading', { name: 'History (reloaded)' })).toBeVisible();
  await expect(history.getByRole('combobox', { name: 'Branch or tag' })).toHaveValue('side');
  await expect(history.getByRole('listitem')).toHaveCount(1);
  await expect(section(panel, 'pipelines')).toBeVisible();
  await expect(section(panel, 'jobs')).toBeHidden();
});

test('the panel is drawn within a second of being opened', async ({ page }) => {
  await expectPaintedSoon(page);
});

test('in a low window, as at twice the size, every section is scrolled to', async ({
  page,
  request
}) => {
  await new Lake(request).createRepo('low');
  await page.setViewportSize({ width: 640, height: 384 });
  const panel = await openPanel(page);
  await openSections(panel);
  for (const name of ['repos', 'mounts', 'changes', 'history', 'pipelines', 'jobs']) {
    await section(panel, name).hover(); // scrolls there
    await expect(section(panel, name)).toBeInViewport({ ratio: 0.9 });
  }
  await page.screenshot({ path: test.info().outputPath('low.png') });
});

test('a repo is described, and files are uploaded into it without a mount', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await lake.createRepo('uploads');
  await lake.put('uploads', 'in/a.txt', 'old\n', 'Before');
  const panel = await openPanel(page);
  const row = repoRow(panel, 'uploads');
  const menu = async (item: string) => {
    await row.click({ button: 'right' });
    await page.getByRole('menuitem', { name: item }).click();
  };
  await menu('Describe Repo…');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Description' }).fill('What people hand in');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(row.locator('[title="What people hand in"]')).toBeVisible();

  const chosen = page.waitForEvent('filechooser');
  await menu('Upload Files…');
  const content = (text: string) => ({ mimeType: 'text/plain', buffer: Buffer.from(text) });
  await (
    await chosen
  ).setFiles([
    { name: 'a.txt', ...content('new\n') },
    { name: 'b.txt', ...content('b\n') }
  ]);
  await expect(dialog).toContainText('2 files, 6 B');
  await dialog.getByRole('textbox', { name: 'Folder' }).fill('/in');
  await page.screenshot({ path: test.info().outputPath('upload.png') });
  await dialog.getByRole('button', { name: 'Upload' }).click();
  await expect(dialog).toContainText('in/a.txt is there already.');
  await dialog.getByRole('button', { name: 'Replace' }).click();
  await expect(page.getByText(/^Uploaded to uploads@main, commit/).last()).toBeVisible();
  expect(await lake.read('uploads', 'in/a.txt')).toBe('new\n');
  expect(await lake.read('uploads', 'in/b.txt')).toBe('b\n');
  const history = await openHistory(panel, 'uploads');
  await expect(history.getByRole('listitem').first()).toContainText('Upload a.txt, b.txt');
});
