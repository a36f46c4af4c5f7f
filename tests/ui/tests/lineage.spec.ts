/** The lineage graph: large ones, keys, files, and going back in time. */
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect, test } from './fixtures';
import type { Locator, Page } from '@playwright/test';
import { readFile } from 'fs/promises';

import { madeLake } from '../../../src/__tests__/made-lake';
import {
  expectAccessible,
  expectAccessibleInThemes,
  Lake,
  openHistory,
  openPanel,
  section
} from './lake';

/** Far beyond what was measured: it guards against what grows with the square. */
const PATIENCE_MS = 8_000;
const FRAMES = 60;
const GRAPH = /\/datalake\/graph(\?|$)/;

/** Answer requests for the graph with a made one, and open it. */
async function openMade(page: IJupyterLabPageFixture, size: number, groups = 0): Promise<Locator> {
  await page.route(GRAPH, route => route.fulfill({ json: madeLake(size, groups) }));
  return openLineage(page);
}

async function openLineage(page: IJupyterLabPageFixture): Promise<Locator> {
  await page.evaluate(async () => {
    await window.jupyterapp.commands.execute('datalake:open-lineage');
  });
  return page.getByRole('group', { name: /^Lineage graph/ });
}

/** Return the milliseconds from a click to the frame after a condition holds. */
async function timed(page: Page, button: string, nodes: number): Promise<number> {
  return page.evaluate(
    async ([name, least]) => {
      const root = document.querySelector('.jp-DatalakeLineagePanel') as HTMLElement;
      const click = [...root.querySelectorAll('button')].find(one => one.textContent === name);
      const begun = performance.now();
      click?.click();
      const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
      while (root.querySelectorAll('[data-node]').length < Number(least)) {
        await frame();
      }
      await frame();
      return performance.now() - begun;
    },
    [button, String(nodes)] as const
  );
}

/** Show what was measured. */
function report(text: string): void {
  // eslint-disable-next-line no-console -- it is for people to read
  console.log(text);
}

/** Return what tells how long the main thread of the page has worked since now. */
async function workOf(page: Page): Promise<() => Promise<string>> {
  // The page of Galata is a wrapper, which Chromium's own protocol does not take.
  const [own = page] = page.context().pages();
  const session = await page.context().newCDPSession(own);
  // Time of the thread alone: others use the machine too.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const now = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return new Map(metrics.map(({ name, value }) => [name, value * 1000]));
  };
  const before = await now();
  return async () => {
    const after = await now();
    return ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration', 'TaskDuration']
      .map(name => {
        const each = ((after.get(name) ?? 0) - (before.get(name) ?? 0)) / FRAMES;
        return `${name.replace('Duration', '').toLowerCase()} ${each.toFixed(2)} ms`;
      })
      .join(', ');
  };
}

/** Drag the picture a frame at a time; return how long frames took, sorted, and what changed. */
async function pan(page: Page, count = FRAMES): Promise<{ frames: number[]; added: number }> {
  return page.evaluate(async steps => {
    const graph = document.querySelector('.jp-DatalakeLineageGraph') as HTMLElement;
    const { left, top, width, height } = graph.getBoundingClientRect();
    const at = (step: number) => ({
      clientX: left + width / 2 - step * 2,
      clientY: top + height / 2 - step,
      bubbles: true,
      button: 0,
      pointerId: 1,
      isPrimary: true
    });
    graph.setPointerCapture = () => undefined; // the pointer is not a real one
    let added = 0;
    const observer = new MutationObserver(records => {
      added += records.reduce((sum, one) => sum + one.addedNodes.length, 0);
    });
    observer.observe(graph, { subtree: true, childList: true });
    graph.dispatchEvent(new PointerEvent('pointerdown', at(0)));
    const frames: number[] = [];
    let before = performance.now();
    for (let step = 1; step <= steps; step++) {
      graph.dispatchEvent(new PointerEvent('pointermove', at(step)));
      await new Promise(resolve => requestAnimationFrame(resolve));
      const now = performance.now();
      frames.push(now - before);
      before = now;
    }
    graph.dispatchEvent(new PointerEvent('pointerup', at(steps)));
    observer.disconnect();
    return { frames: frames.sort((a, b) => a - b), added };
  }, count);
}

test('a thousand nodes are drawn at once, and panned without drawing anew', async ({ page }) => {
  const graph = await openMade(page, 1000, 8);
  await expect(graph.getByRole('button', { name: /^group team0/ })).toBeVisible();
  const drawn = await timed(page, 'Open groups', 1000);
  const work = await workOf(page);
  const { frames, added } = await pan(page);
  report(`a frame takes of the main thread: ${await work()}`);
  const middle = frames[Math.floor(frames.length / 2)] ?? 0;
  report(
    `1,000 nodes: drawn in ${drawn.toFixed(0)} ms; panned at ${middle.toFixed(1)} ms a frame, ` +
      `the slowest ${frames[frames.length - 1]?.toFixed(1)} ms`
  );
  expect(drawn).toBeLessThan(PATIENCE_MS);
  expect(added).toBe(0);
  // The layer has moved, and the stage in it, which would be painted anew, has not.
  await expect(page.locator('.jp-DatalakeLineageGraph-svg')).toHaveAttribute('style', /translate/);
});

test('ten thousand nodes begin as groups, and each opened one stays small', async ({ page }) => {
  test.slow(); // all of them open are drawn without a graphics card, and others use the processors
  const graph = await openMade(page, 10_000, 20);
  const group = graph.getByRole('button', { name: /^group team3/ });
  await expect(group).toBeVisible();
  expect(await graph.locator('[data-node]').count()).toBeLessThan(300);
  await group.focus();
  await page.keyboard.press('e');
  await graph.getByRole('button', { name: 'group team3/daily, failed' }).press('e');
  await expect(graph.getByRole('button', { name: /^group team3\/daily\/step3 –/ })).toBeVisible();
  expect(await graph.locator('[data-node]').count()).toBeLessThan(300);
  const begun = Date.now();
  await page.getByRole('combobox', { name: 'Find a node' }).fill('pipeline step4123');
  await page.keyboard.press('Enter');
  await expect(graph.getByRole('button', { name: /^pipeline step4123/ })).toBeFocused();
  report(`10,000 nodes: one is found and shown in ${Date.now() - begun} ms`);
  await graph.getByRole('button', { name: 'Fit' }).click();
  await timed(page, 'Close groups', 1);
  const opened = await timed(page, 'Open groups', 3000);
  const { frames } = await pan(page, FRAMES / 4);
  report(
    `10,000 nodes, all open: drawn in ${opened.toFixed(0)} ms, panned at ` +
      `${frames[Math.floor(frames.length / 2)]?.toFixed(1)} ms a frame`
  );
});

test('a node is looked for by keys, its flow is lit, and it is walked to', async ({ page }) => {
  const graph = await openMade(page, 120);
  const field = page.getByRole('combobox', { name: 'Find a node' });
  await field.fill('repo step1');
  await expect(page.getByRole('listbox', { name: 'Nodes found' })).toBeVisible();
  await page.keyboard.press('ArrowDown');
  const found = page.getByRole('listbox', { name: 'Nodes found' });
  const second = found.getByRole('option', { selected: true });
  const name = (await second.innerText()).split(/\s/)[0] ?? '';
  await page.keyboard.press('Enter');
  const node = graph.getByRole('button', { name: `repo ${name}`, exact: true });
  await expect(node).toBeFocused();
  await expect(node).toHaveClass(/jp-mod-traced/);
  await expect(graph.locator('.jp-DatalakeLineageGraph-edge.jp-mod-traced')).not.toHaveCount(0);
  await page.keyboard.press('ArrowLeft');
  await expect(graph.getByRole('button', { name: new RegExp(`^pipeline ${name},`) })).toBeFocused();
  await expectAccessible(page, '.jp-DatalakeLineagePanel');
});

test('the picture is saved as files that stand alone', async ({ page }) => {
  await page.theme.setTheme('JupyterLab Dark');
  const graph = await openMade(page, 60);
  await expect(graph.getByRole('button', { name: /^pipeline step1,/ })).toBeVisible();
  const [svg] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'SVG', exact: true }).click()
  ]);
  expect(svg.suggestedFilename()).toBe('lineage.svg');
  const text = (await readFile(await svg.path())).toString();
  expect(text).toContain('step1');
  expect(text).toContain('declared by a pipeline');
  expect(text).not.toMatch(/class=|var\(--|color\(srgb/);
  await svg.saveAs(`${test.info().outputDir}/lineage.svg`);
  const [png] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'PNG', exact: true }).click()
  ]);
  const bytes = await readFile(await png.path());
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  await png.saveAs(`${test.info().outputDir}/lineage.png`);
  await page.theme.setTheme('JupyterLab Light');
});

test('the graph is shown as it was after a change', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('early');
  await lake.put('early', 'a.txt', 'a\n', 'Early');
  await lake.createRepo('late');
  await lake.put('late', 'b.txt', 'b\n', 'Late');
  await openPanel(page);
  const graph = await openLineage(page);
  await expect(graph.getByRole('button', { name: /^repo late/ })).toBeVisible();
  const slider = page.getByRole('slider', { name: /^The graph as it was/ });
  await slider.focus();
  await page.keyboard.press('ArrowLeft'); // after the newest change
  await page.keyboard.press('ArrowLeft');
  await expect(slider).toHaveAttribute('aria-valuetext', /Commit to early/);
  await expect(graph.getByRole('button', { name: /^repo late/ })).not.toContainText('1 file');
  await page.keyboard.press('ArrowLeft');
  await expect(graph.getByRole('button', { name: /^repo late/ })).toHaveCount(0);
  await page.keyboard.press('ArrowRight');
  await expect(graph.getByRole('button', { name: /^repo early/ })).toBeVisible();
  const legend = page.getByRole('list', { name: 'Legend' });
  await expect(legend.getByRole('listitem').first()).toHaveText('repo');
  const toggle = page.getByRole('button', { name: 'Legend' });
  await toggle.press('Enter');
  await expect(legend).toHaveCount(0);
  await toggle.press('Enter');
  await page.getByRole('button', { name: 'Back to now' }).click();
  await expect(graph.getByRole('button', { name: /^repo late/ })).toBeVisible();
});

test('a file leads to what made it and to what uses it', async ({ page, request }) => {
  const lake = new Lake(request);
  await lake.createRepo('words');
  await lake.createPipeline({
    pipeline: 'loud',
    input: { repo: { name: 'words', glob: '/*' } },
    command: ['sh', '-c', 'for f in pfs/words/*; do tr a-z A-Z < $f > pfs/out/$(basename $f); done']
  });
  await lake.put('words', 'a.txt', 'abc\n', 'Three letters');
  const panel = await openPanel(page);
  const jobs = section(panel, 'jobs').getByRole('list', { name: /^Jobs of/ });
  await expect(
    jobs.getByRole('listitem').filter({ hasText: 'loud' }).locator('[data-state="success"]')
  ).toBeVisible({ timeout: 90_000 });
  const history = await openHistory(panel, 'loud');
  await history.getByRole('listitem').first().getByRole('button').first().click();
  await history.getByRole('button', { name: 'All files' }).click();
  const line = history.locator('.jp-DatalakeFileTree-file', { hasText: 'a.txt' });
  await line.click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Lineage' }).click();
  const made = page.getByRole('complementary', { name: 'file a.txt' });
  await expect(made.getByRole('list', { name: 'What made this?' })).toContainText('loud, datum 0');
  await expect(made).toContainText('No output was made from it');
  await expectAccessibleInThemes(page, '.jp-DatalakeLineagePanel');
  await made.getByRole('button', { name: 'words/a.txt' }).click();
  await expect(made.getByRole('list', { name: 'What uses this?' })).toContainText('loud, datum 0');
  await page.screenshot({ path: test.info().outputPath('file.png') });
});
