/** How long the panel takes until there is something in it to use. */
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';

/** Milliseconds until a frame with repos in it. */
export interface IPaint {
  /** Since the panel was opened for the first time. */
  opened: number;
  /** How many requests it took. */
  requests: number;
}

/** Load JupyterLab anew, open the panel, and measure. */
export async function timePaint(page: IJupyterLabPageFixture): Promise<IPaint> {
  await page.reload();
  await page.sidebar.openTab('filebrowser');
  return page.evaluate(async () => {
    const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
    const asked = () =>
      performance.getEntriesByType('resource').filter(one => one.name.includes('/datalake/'));
    const before = asked().length;
    const begun = performance.now();
    void window.jupyterapp.commands.execute('datalake:open-panel');
    while (!document.querySelector('#jupyter-datalake li[data-repo]')) {
      await frame();
    }
    await frame();
    return { opened: performance.now() - begun, requests: asked().length - before };
  });
}

/** Show what was measured. */
export function reportPaint({ opened, requests }: IPaint): void {
  // eslint-disable-next-line no-console -- it is for people to read
  console.log(
    `the panel showed its repos ${opened.toFixed(0)} ms after it was opened, ${requests} requests`
  );
}
