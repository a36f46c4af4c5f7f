// Writes src/api/types.ts from the contract, or checks that it is in step with it (--check).
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const contract = new URL('../jupyter_datalake/server/openapi.yaml', import.meta.url);
const target = new URL('../src/api/types.ts', import.meta.url);

const tree = await openapiTS(contract, {
  defaultNonNullable: false,
  emptyObjectsUnknown: true,
  rootTypes: true,
  rootTypesNoSchemaPrefix: true
});
const text = `// Generated from server/openapi.yaml by 'jlpm types'; not edited by hand.\n${astToString(tree)}`;

if (process.argv.includes('--check')) {
  const current = await readFile(target, 'utf8').catch(() => '');
  if (current !== text) {
    console.error('src/api/types.ts is out of step with server/openapi.yaml; run: jlpm types');
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
