/** The panel in both themes: no errors in the console, everything named and reached by keys. */
import { expect, test } from '@jupyterlab/galata';

import { expectNamed, Lake, openHistory, openPanel, section } from './lake';

for (const theme of ['JupyterLab Light', 'JupyterLab Dark']) {
  test(`the panel works in ${theme} without a word in the console`, async ({ page, request }) => {
    const problems: string[] = [];
    page.on('console', message => {
      if (message.type() === 'error') {
        problems.push(message.text());
      }
    });
    page.on('pageerror', error => problems.push(String(error)));
    const repo = theme.endsWith('Dark') ? 'dark' : 'light';
    await new Lake(request).createRepo(repo);
    await page.theme.setTheme(theme);
    const panel = await openPanel(page);
    await openHistory(panel, repo);

    await expectNamed(panel);
    expect(problems).toEqual([]);
  });
}

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

test('an empty lake says what to do first', async ({ page }) => {
  const nothing = { json: { results: [], next: null } };
  for (const path of ['repos', 'mounts', 'sessions', 'pipelines', 'jobs', 'globals']) {
    await page.route(new RegExp(`/datalake/${path}(\\?|$)`), route => route.fulfill(nothing));
  }
  await page.route(/\/datalake\/graph/, route => route.fulfill({ json: { nodes: [], edges: [] } }));
  await page.reload();
  const panel = await openPanel(page, false);
  await expect(section(panel, 'repos')).toContainText('The lake holds no repos yet.');
  await expect(section(panel, 'changes')).toContainText('Mount a repo');
  await expect(section(panel, 'pipelines')).toContainText('Promote to pipeline');
  await expect(section(panel, 'jobs')).toContainText('No jobs yet.');
  await panel.getByRole('heading', { name: /^History/ }).click();
  await expect(section(panel, 'history')).toContainText('No repo is selected.');
  await panel.getByRole('button', { name: 'Lineage', exact: true }).click();
  await expect(page.locator('.jp-DatalakeLineagePanel')).toContainText('There is no lineage yet.');
});

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
