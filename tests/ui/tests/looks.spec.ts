/**
 * How screens look, held without pictures that are kept; `pictures.spec.ts` has those.
 *
 * Pictures of one machine differ on the next: fonts, their hinting, the version of Chromium. What is
 * compared here is the same everywhere: what the screens say and in what order (ARIA snapshots), and
 * pictures of one run with each other. A theme may change colours and nothing else, so places and sizes
 * are the same in light and dark; and a theme that is left leaves nothing behind, to the pixel.
 */
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

import { madeLake } from '../../../src/__tests__/made-lake';
import { expect, test } from './fixtures';
import { Lake, setTheme } from './lake';

/** Return where everything is that a part of the page draws, in whole pixels. */
function boxes(part: Locator): Promise<string[]> {
  return part.evaluate(root =>
    [root, ...root.querySelectorAll('*')].map(one => {
      const { x, y, width, height } = one.getBoundingClientRect();
      return `${one.tagName} ${[x, y, width, height].map(Math.round).join(' ')}`;
    })
  );
}

/** Expect that dark moves nothing, is dark, and is gone without a trace when it is left. */
async function expectThemesToAgree(page: IJupyterLabPageFixture, part: Locator): Promise<void> {
  const picture = () => part.screenshot({ animations: 'disabled', caret: 'hide' });
  const colour = () => part.evaluate(node => getComputedStyle(node).color);
  await page.mouse.move(0, 0);
  await setTheme(page, 'JupyterLab Light');
  const light = { boxes: await boxes(part), picture: await picture(), colour: await colour() };
  await setTheme(page, 'JupyterLab Dark');
  await expect.poll(colour).not.toBe(light.colour);
  expect(await boxes(part)).toEqual(light.boxes);
  expect((await picture()).equals(light.picture)).toBe(false);
  await setTheme(page, 'JupyterLab Light');
  await expect.poll(colour).toBe(light.colour);
  await expect.poll(async () => (await picture()).equals(light.picture)).toBe(true);
}

async function run(
  page: IJupyterLabPageFixture,
  command: string,
  args: Record<string, string> = {}
): Promise<void> {
  await page.evaluate(([id, given]) => window.jupyterapp.commands.execute(id, given), [
    command,
    args
  ] as const);
}

test('a table and the lineage', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('looks');
  await lake.put('looks', 'a.csv', 'city,n\nOslo,3\nLima,4\n', 'Two cities');
  await run(page, 'datalake:open-file', { repo: 'looks', ref: 'main', path: 'a.csv' });
  const view = page.locator('.jp-DatalakeFileView:visible');
  await expect(view.getByRole('gridcell', { name: 'Lima' })).toBeVisible();
  await expect(view).toMatchAriaSnapshot(`
    - heading "a.csv looks@main"
    - text: /\\d+ B · 2 rows · 2 columns/
    - tablist "Views of the file":
      - tab "Data" [selected]
      - tab "Statistics"
      - tab "Changes"
    - tabpanel "Data":
      - grid "a.csv"
  `);
  await expectThemesToAgree(page, view);

  await page.route(/\/datalake\/graph(\?|$)/, route => route.fulfill({ json: madeLake(12) }));
  await run(page, 'datalake:open-lineage');
  const graph = page.getByRole('group', { name: /^Lineage graph/ });
  await expect(graph.getByRole('button', { name: /^pipeline step1,/ })).toBeVisible();
  await expectThemesToAgree(page, graph);
});
