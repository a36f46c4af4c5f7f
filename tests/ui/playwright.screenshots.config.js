/** Draws the pictures of docs/images: npm run screenshots. */
process.env.DATALAKE_UI_WORKERS = '1'; // one story
const base = require('./playwright.config');

module.exports = {
  ...base,
  testDir: './screenshots',
  use: { ...base.use, viewport: { width: 1400, height: 900 }, deviceScaleFactor: 1 },
  webServer: {
    command: 'npm start',
    url: `${base.use.baseURL}/lab`,
    timeout: 600_000, // the story runs before the server answers
    gracefulShutdown: { signal: 'SIGTERM', timeout: 60_000 },
    reuseExistingServer: !process.env.CI
  }
};
