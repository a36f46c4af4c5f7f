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

/** Return a notebook of code cells as text, of Python; each has its own ID. */
export function notebookOf(...cells: (string | { source: string; tags: string[] })[]): string {
  return JSON.stringify({
    cells: cells.map((cell, index) => ({
      id: `cell-${index}`,
      cell_type: 'code',
      execution_count: null,
      metadata: typeof cell === 'string' ? {} : { tags: cell.tags },
      outputs: [],
      source: typeof cell === 'string' ? cell : cell.source
    })),
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
    nbformat: 4,
    nbformat_minor: 5
  });
}

/** A cell with the parameters of a notebook, for `notebookOf`. */
export function parametersCell(source: string): { source: string; tags: string[] } {
  return { source, tags: ['parameters'] };
}

/** The file view that is in front. */
export function view(page: Page): Locator {
  return page.locator('.jp-DatalakeFileView:not(.lm-mod-hidden *)').last();
}
