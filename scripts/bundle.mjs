/**
 * Print the size of what a browser loads for the extension, and fail when it is over the budget.
 *
 * All of it is loaded before JupyterLab shows anything. What grows by our own code grows slowly; the
 * budget is there for what comes in unseen: React, its DOM, or a package of JupyterLab that is not
 * shared but bundled, each 100 kB and more. Of a development build, which has comments and names,
 * nothing is asked.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** 292 kB when it was set, with room for our own code, and for none of the above. */
const BUDGET_BYTES = 420_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'jupyter_datalake', 'labextension', 'static');

const chunks = readdirSync(folder)
  .filter(name => name.endsWith('.js'))
  .map(name => {
    const content = readFileSync(join(folder, name));
    return { name, content, bytes: content.length, packed: gzipSync(content).length };
  })
  .sort((a, b) => b.bytes - a.bytes);

const line = (bytes, packed, name) =>
  console.log(
    `${bytes.toLocaleString('en').padStart(10)} ${packed.toLocaleString('en').padStart(10)} gzipped  ${name}`
  );
for (const { name, bytes, packed } of chunks) {
  line(bytes, packed, name);
}
const bytes = chunks.reduce((sum, one) => sum + one.bytes, 0);
line(
  bytes,
  chunks.reduce((sum, one) => sum + one.packed, 0),
  `all, of ${BUDGET_BYTES.toLocaleString('en')}`
);
const isDevelopment = chunks.some(({ name }) => name.startsWith('lib_'));
if (isDevelopment) {
  console.log('a development build: `jlpm build:prod` makes the one that the budget is for');
} else if (bytes > BUDGET_BYTES) {
  console.error('over the budget: see scripts/bundle.mjs');
  process.exitCode = 1;
}
