/**
 * Screens, compared with pictures that are kept in `kept/`.
 *
 * Text looks different with other fonts and another Chromium. `kept/machine.json` says what a line of it
 * looked like where the pictures were drawn; where it looks otherwise, nothing is compared, and
 * `looks.spec.ts` alone speaks for the screens. `npm run pictures` draws all of them anew.
 */
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator, Page, TestInfo } from '@playwright/test';
import { createHash } from 'crypto';
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';

import { madeLake } from '../../../src/__tests__/made-lake';
import { customers, view } from './content';
import { Lake, openPanel, section, setTheme } from './lake';
import { expect, test } from './sharing';

const MACHINE = join(__dirname, 'kept', 'machine.json');

/** What differs with the day: it keeps its place, and is not drawn. */
const HIDDEN = join(__dirname, 'kept', 'hidden.css');

/** So many may differ: the edge of a line that lies between two pixels, and no letter. */
const PIXELS = 20;

/** Return what a line of text looks like here, as a digest. */
async function looksOfText(page: Page): Promise<string> {
  const drawn = await page.evaluate(() => {
    const canvas = document.createElement('canvas');
    canvas.width = 400;
    canvas.height = 60;
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    const fonts = ['--jp-ui-font-family', '--jp-code-font-family'].map(name =>
      getComputedStyle(document.body).getPropertyValue(name)
    );
    fonts.forEach((font, line) => {
      context.font = `13px ${font}`;
      context.fillText('Ref 0123456789, fijgy: “Lake” → Größe…', 2, 20 + 25 * line);
    });
    return canvas.toDataURL();
  });
  return createHash('sha256').update(drawn).digest('hex');
}

/** Skip a test where text looks otherwise than in the pictures; keep how it looks where they are drawn. */
async function expectSameFonts(page: Page, info: TestInfo): Promise<void> {
  const text = await looksOfText(page);
  if (info.config.updateSnapshots === 'all') {
    const chromium = page.context().browser()?.version();
    writeFileSync(MACHINE, `${JSON.stringify({ text, chromium }, null, 2)}\n`);
  }
  const kept = JSON.parse(readFileSync(MACHINE, 'utf8')) as { text: string };
  test.skip(kept.text !== text, 'text looks different on this machine: see pictures.spec.ts');
}

/** Compare a part of the page with the picture of a name, as it is now. */
async function expectKept(
  page: IJupyterLabPageFixture,
  part: Locator,
  name: string
): Promise<void> {
  await page.mouse.move(0, 0);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await expect(part).toHaveScreenshot(`${name}.png`, {
    animations: 'disabled',
    caret: 'hide',
    maxDiffPixels: PIXELS,
    stylePath: HIDDEN
  });
}

async function openFile(
  page: IJupyterLabPageFixture,
  args: Record<string, string>
): Promise<Locator> {
  await page.evaluate(given => window.jupyterapp.commands.execute('datalake:open-file', given), {
    repo: 'kept-shop',
    ref: 'main',
    path: 'customers.csv',
    ...args
  });
  return view(page);
}

test('files and repos look as they did', async ({ page, request }, info) => {
  await expectSameFonts(page, info);
  const lake = new Lake(request);
  await lake.createRepo('kept-shop');
  const first = await lake.put('kept-shop', 'customers.csv', customers(40), 'All customers');
  await lake.createBranch('kept-shop', 'before', first);
  await lake.put('kept-shop', 'customers.csv', customers(41, 7), 'One more, one changed');

  const shown = await openFile(page, { tab: 'data' });
  await expect(shown.getByRole('gridcell', { name: 'Customer 3', exact: true })).toBeVisible();
  await expectKept(page, shown, 'table');

  await shown.getByRole('tab', { name: 'Statistics' }).click();
  await expect(shown.getByRole('img', { name: /Histogram of charge/ })).toBeVisible();
  await expectKept(page, shown, 'statistics');

  const changed = await openFile(page, { tab: 'changes', base: 'before' });
  await expect(changed.getByRole('region', { name: 'Changed rows' })).toBeVisible();
  await expectKept(page, changed, 'difference');
  await setTheme(page, 'JupyterLab Dark');
  await expectKept(page, changed, 'difference-dark');
  await setTheme(page, 'JupyterLab Light');

  const panel = await openPanel(page);
  await page.getByRole('searchbox', { name: 'Search repos' }).fill('kept-shop');
  const repos = section(panel, 'repos');
  await expect(repos.getByRole('listitem')).toHaveCount(1);
  await expectKept(page, repos.getByRole('listitem'), 'repo');
});

test('graphs look as they did', async ({ page, tmpPath }, info) => {
  await expectSameFonts(page, info);
  const answer = /\/datalake\/graph(\?|$)/;
  await page.route(answer, route => route.fulfill({ json: madeLake(60) }));
  await page.evaluate(() => window.jupyterapp.commands.execute('datalake:open-lineage'));
  const lineage = page.locator('.jp-DatalakeLineagePanel');
  await expect(lineage.getByRole('group', { name: /^Lineage graph/ })).toBeVisible();
  await expectKept(page, lineage, 'lineage');
  await page.unroute(answer);

  const path = `${tmpPath}/kept.pipelines.yaml`;
  const first = 'pipeline: kept-first\ndescription: It begins\ncommand: ["true"]\n';
  const last =
    'pipeline: kept-last\ninput:\n  repo: {name: kept-first, glob: "/*"}\ncommand: ["true"]\n';
  await page.contents.uploadContent(`${first}---\n${last}`, 'text', path);
  await page.evaluate(async opened => {
    await window.jupyterapp.commands.execute('datalake:open-dag', { path: opened });
  }, path);
  const dag = page.locator('.jp-DatalakeDagPanel');
  const step = dag.getByRole('button', { name: /^pipeline kept-last/ });
  await expect(step).toBeVisible();
  await expectKept(page, dag, 'steps');
  await step.click();
  await expect(dag.getByRole('tab', { name: 'Form' })).toBeVisible();
  await expectKept(page, dag, 'step');
});
