/**
 * Galata's settings, with the Chromium of the system, and servers of their own.
 *
 * Each of Playwright's workers has a server with a lake and a controller (`tests/server.ts`), at
 * every hundredth port: specs in two workers never meet. Those in one follow each other in one lake.
 */
const base = require('@jupyterlab/galata/lib/playwright-config');

const first = Number(process.env.DATALAKE_UI_PORT ?? 8899);
const workers = Number(process.env.DATALAKE_UI_WORKERS ?? 2);
const port = first + 100 * Number(process.env.TEST_PARALLEL_INDEX ?? 0);
const url = `http://localhost:${port}`;
process.env.TARGET_URL = url;

module.exports = {
  ...base,
  testDir: './tests',
  snapshotPathTemplate: '{testDir}/kept/{arg}{ext}',
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: {
    ...base.use,
    baseURL: url,
    browserName: 'chromium',
    headless: true,
    screenshot: 'only-on-failure',
    video: 'off', // needs a program of Playwright's own
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage']
    }
  },
  projects: undefined,
  workers,
  retries: Number(process.env.RERUNS ?? 0),
  reporter: [['list']]
};
