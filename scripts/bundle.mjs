/**
 * Print the size of what a browser loads for the extension, and fail when it is over the budget.
 *
 * The first chunk, the panel and the commands, is loaded before JupyterLab shows anything; the screens
 * that commands open (`src/screens/`) come when they are first looked at. Both grow slowly with what we
 * write. The budgets are there for what comes in unseen: a screen that something of the panel imports,
 * React's DOM, a package of JupyterLab that is bundled and not shared, a library with all its languages.
 * Of a development build, which has comments and long names, nothing is asked.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** 189 kB when it was set. */
const FIRST_BYTES = 230_000;

/** 835 kB when it was set, 203 of them cronstrue's languages, which are loaded when one is chosen. */
const ALL_BYTES = 950_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'jupyter_datalake', 'labextension', 'static');

const chunks = readdirSync(folder)
  .filter(name => name.endsWith('.js'))
  .map(name => {
    const content = readFileSync(join(folder, name));
    return { name, bytes: content.length, packed: gzipSync(content).length, content };
  })
  .sort((a, b) => b.bytes - a.bytes);

const isDevelopment = chunks.some(({ name }) => name.startsWith('lib_'));
const entry = chunks.find(({ name }) => name.startsWith('remoteEntry')).content.toString();
const first = isDevelopment ? 'lib_' : /"\.\/index":\(\)=>\w+\.e\((\d+)\)/.exec(entry)?.[1];
if (first === undefined) {
  throw new Error('remoteEntry.js does not say which chunk ./index is: see scripts/bundle.mjs');
}

const say = (bytes, packed, name) =>
  console.log(
    [bytes, packed].map(one => one.toLocaleString('en').padStart(10)).join('') + ` gzipped  ${name}`
  );
const total = key => chunks.reduce((sum, one) => sum + one[key], 0);
for (const { name, bytes, packed } of chunks) {
  say(bytes, packed, name.startsWith(first) ? `${name}, the first` : name);
}
say(total('bytes'), total('packed'), 'all');

const firstBytes = chunks.find(({ name }) => name.startsWith(first)).bytes;
if (isDevelopment) {
  console.log('a development build: `jlpm build:prod` makes the one that the budget is for');
} else if (firstBytes > FIRST_BYTES || total('bytes') > ALL_BYTES) {
  console.error(`over the budget, ${FIRST_BYTES} for the first and ${ALL_BYTES} for all of them`);
  process.exitCode = 1;
}
