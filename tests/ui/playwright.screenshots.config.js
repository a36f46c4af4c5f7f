/** Draws the pictures of docs/images: npm run screenshots. */
const base = require('./playwright.config');

module.exports = {
  ...base,
  testDir: './screenshots',
  use: { ...base.use, viewport: { width: 1400, height: 900 }, deviceScaleFactor: 1 },
  webServer: { ...base.webServer, timeout: 600_000 } // the story runs before the server answers
};
