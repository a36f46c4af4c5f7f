/** What the specs that draw pictures share. */
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';
import { resolve } from 'path';

import { openPanel, section } from '../tests/lake';

const SIDEBAR_PX = 330;

/** Return where a picture goes: to those that are kept, or to be looked at in test-results. */
export function pathOf(name: string, isKept = true): string {
  const folder = resolve(__dirname, isKept ? '../../../docs/images' : '../test-results');
  return resolve(folder, `${name}.png`);
}

/** Write a picture of the page. */
export async function draw(
  page: IJupyterLabPageFixture,
  name: string,
  isKept = true
): Promise<void> {
  await page.mouse.move(700, 750); // nothing is hovered over
  await page.screenshot({ path: pathOf(name, isKept), animations: 'disabled' });
}

export async function openWide(page: IJupyterLabPageFixture): Promise<Locator> {
  const panel = await openPanel(page);
  await page.sidebar.setWidth(SIDEBAR_PX, 'left');
  await expect(section(panel, 'jobs').getByRole('listitem').first()).toBeVisible();
  return panel;
}

export async function openJob(
  page: IJupyterLabPageFixture,
  panel: Locator,
  name: string
): Promise<Locator> {
  await section(panel, 'jobs')
    .getByRole('button', { name: new RegExp(`^Job ${name} #`) })
    .first()
    .click();
  const job = page.locator('.jp-DatalakeJobView');
  await expect(job.getByRole('log')).toBeVisible();
  return job;
}
