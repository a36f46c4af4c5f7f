/** What specs of files put into the lake, and where they look at it. */
import type { Locator, Page } from '@playwright/test';

/** An image that would do something, if it were let. */
export const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80">' +
  '<script>window.parent.hacked = true; window.hacked = true</script>' +
  '<rect width="120" height="80" fill="COLOUR"/></svg>';

/** A table; in the row `changed` is HTML. */
export function customers(count: number, changed = -1): string {
  const rows = Array.from({ length: count }, (_, n) => {
    const plan =
      n === changed ? '<img src=x onerror="window.hacked=true">' : ['basic', 'pro'][n % 2];
    return `${n},Customer ${n},${((n * 37) % 1000) / 10},${plan}\n`;
  });
  return `id,name,charge,plan\n${rows.join('')}`;
}

/** The file view that is in front. */
export function view(page: Page): Locator {
  return page.locator('.jp-DatalakeFileView:not(.lm-mod-hidden *)').last();
}
