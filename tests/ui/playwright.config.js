/** Galata's settings, with the Chromium of the system and a server of its own. */
const base = require('@jupyterlab/galata/lib/playwright-config');

const port = process.env.DATALAKE_UI_PORT ?? '8899';
const url = `http://localhost:${port}`;
process.env.TARGET_URL = url;

module.exports = {
  ...base,
  testDir: './tests',
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: {
    ...base.use,
    baseURL: url,
    browserName: 'chromium',
    headless: true,
    video: 'off', // needs a program of Playwright's own
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage']
    }
  },
  projects: undefined,
  workers: 1, // one lake, one controller
  retries: 0,
  reporter: [['list']],
  webServer: {
    command: 'npm start',
    url: `${url}/lab`,
    timeout: 180_000,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 60_000 }, // it unmounts and removes its folders
    reuseExistingServer: !process.env.CI
  }
};
