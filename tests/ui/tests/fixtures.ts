/**
 * The `test` of all specs: one fails when our code throws in the page, or logs an error.
 *
 * Specs of one worker follow each other in one server and one lake. Playwright takes a new worker
 * after a failure, so a test that is run once more, and those after it, begin with a lake that
 * nobody has touched.
 */
import { expect, test as base } from '@jupyterlab/galata';
import type { ConsoleMessage, WebError } from '@playwright/test';

import { startServer } from './server';

export { expect };

/** What has to do with us: our files, in addresses and stacks, and requests of our interface. */
const OURS = /\/(jupyter-datalake|datalake)\//;

/** What the browser itself logs of answers that are refusals; panels show those to people. */
const REFUSED = /^Failed to load resource: the server responded with a status of 4\d\d/;

/** What the specs have beside Galata's fixtures. */
export interface IFixtures {
  /** Errors that are wanted: of a server that is cut off, for instance. */
  expectedErrors: RegExp;
  /** What was thrown and logged so far. */
  problems: string[];
}

export const test = base.extend<IFixtures, { server: void }>({
  server: [
    async ({}, use, { project }) => {
      const server = await startServer(project.use.baseURL ?? '');
      await use();
      await server.stop();
    },
    { scope: 'worker', auto: true, timeout: 300_000 }
  ],
  expectedErrors: [/(?!)/, { option: true }],
  problems: [
    async ({ context, expectedErrors }, use) => {
      const problems: string[] = [];
      const tell = (text: string, from: string) => {
        const isOurs = OURS.test(from) || OURS.test(text);
        if (isOurs && !REFUSED.test(text) && !expectedErrors.test(text)) {
          problems.push(`${text} (${from})`);
        }
      };
      // Of the context, not the page: that is loaded before a test sees it.
      const onConsole = (message: ConsoleMessage) => {
        if (message.type() === 'error') {
          tell(message.text(), message.location().url);
        }
      };
      const onError = (one: WebError) => {
        const error = one.error();
        tell(String(error), error instanceof Error ? (error.stack ?? '') : '');
      };
      context.on('console', onConsole);
      context.on('weberror', onError);
      await use(problems);
      context.off('console', onConsole); // the next test may have the same one
      context.off('weberror', onError);
      expect(problems, 'errors in the console').toEqual([]);
    },
    { auto: true }
  ]
});
