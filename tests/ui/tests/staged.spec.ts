/** What is staged is compared as what it is. */
import { customers, SVG, view } from './content';
import { expect, test } from './fixtures';
import { expectAccessibleInThemes, Lake, openPanel, section, setTheme } from './lake';

test('what is staged is compared with the commit below it, as what it is', async ({
  page,
  request
}, info) => {
  const lake = new Lake(request);
  await lake.unmountAll(); // what is mounted as files
  await lake.createRepo('staged');
  await lake.put('staged', 'a.py', 'def one():\n    return 1\n', 'Code');
  await lake.put('staged', 'plot.svg', SVG.replace('COLOUR', 'teal'), 'Image');
  await lake.put('staged', 'customers.csv', customers(50), 'Table');
  await lake.mount('staged', 'drive');
  const stage = async (path: string, data: string) => {
    const saved = await request.put('/datalake/drive/content', {
      params: { path: `staged/${path}` },
      headers: { 'Content-Type': 'application/octet-stream' },
      data
    });
    expect(saved.ok(), await saved.text()).toBe(true);
  };
  await stage('a.py', 'def one():\n    return "two"\n');
  await stage('plot.svg', SVG.replace('COLOUR', 'orange'));
  await stage('customers.csv', customers(51, 7));

  const panel = await openPanel(page);
  const open = (path: string) =>
    section(panel, 'changes')
      .getByRole('region', { name: 'Changes in staged@main' })
      .locator(`[data-path="${path}"]`)
      .getByRole('button', { name: path, exact: true })
      .click();
  await open('a.py');
  await expect(view(page)).toContainText('not committed');
  await expect(view(page).getByRole('cell', { name: 'return "two"' })).toBeVisible();
  const word = view(page).locator('.jp-DatalakeSideBySide span', { hasText: /^"two"$/ });
  await expect(word).toHaveAttribute('class', /\S/);
  await page.screenshot({ path: info.outputPath('staged-code.png') });
  await expectAccessibleInThemes(page, '.jp-DatalakeFileView:not(.lm-mod-hidden *)');

  await open('customers.csv');
  await expect(view(page)).toContainText('1 added');
  const changed = view(page).getByRole('row').filter({ hasText: 'onerror' });
  await expect(changed.locator('del')).toHaveText('pro');
  await page.screenshot({ path: info.outputPath('staged-table.png') });
  await expectAccessibleInThemes(page, '.jp-DatalakeFileView:not(.lm-mod-hidden *)');

  await open('plot.svg');
  await expect(view(page).getByRole('figure', { name: 'Before' })).toContainText('120 × 80');
  await view(page).getByRole('button', { name: 'Swipe' }).click();
  await expectAccessibleInThemes(page, '.jp-DatalakeFileView:not(.lm-mod-hidden *)');
  await setTheme(page, 'JupyterLab Dark');
  await page.screenshot({ path: info.outputPath('staged-image.png') });
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  await setTheme(page, 'JupyterLab Light');

  // What is open follows: first what is staged, then that it is staged no longer.
  await open('a.py');
  await stage('a.py', 'def one():\n    return "three"\n');
  await expect(view(page).getByRole('cell', { name: 'return "three"' })).toBeVisible();
  const changes = section(panel, 'changes').getByRole('region', { name: 'Changes in staged@main' });
  await changes.getByRole('textbox').fill('Three files');
  await changes.getByRole('button', { name: 'Commit', exact: true }).click();
  await expect(view(page)).toContainText('It was committed or discarded since.');
  await expect(view(page)).not.toContainText('not committed');
  await expect(view(page).getByRole('cell', { name: 'return "three"' })).toBeVisible();
  await page.screenshot({ path: info.outputPath('staged-settled.png') });
  await view(page).getByRole('button', { name: 'Show staged@main as it is now' }).click();
  await expect(view(page).getByRole('tab', { name: 'Data' })).toBeVisible();
  await expect(view(page)).toContainText('return "three"');
  await lake.unmountAll();
});
