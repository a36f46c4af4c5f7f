/**
 * Galata's settings, with the Chromium of the system, and servers of their own.
 *
 * Each of Playwright's workers has a server with a lake and a controller, at every hundredth port:
 * specs in two workers never meet. Those in one follow each other in one lake.
 */
const base = require('@jupyterlab/galata/lib/playwright-config');

const first = Number(process.env.DATALAKE_UI_PORT ?? 8899);
const workers = Number(process.env.DATALAKE_UI_WORKERS ?? 2);
const ports = Array.from({ length: workers }, (_, index) => first + 100 * index);
const url = `http://localhost:${ports[Number(process.env.TEST_PARALLEL_INDEX ?? 0)]}`;
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
  reporter: [['list']],
  webServer: ports.map(port => ({
    command: 'npm start',
    env: { DATALAKE_UI_PORT: String(port) },
    url: `http://localhost:${port}/lab`,
    timeout: 180_000,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 60_000 }, // it unmounts and removes its folders
    reuseExistingServer: !process.env.CI
  }))
};
