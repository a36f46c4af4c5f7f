/**
 * Outputs of a notebook's cell, as far as two of them can be compared. Pure.
 */

/** One output: a text, an image at a data address, or HTML that is not to be trusted. */
export type Output =
  { kind: 'text'; text: string } | { kind: 'image'; url: string } | { kind: 'html'; html: string };

/** One output beside its older version; null for what was not there. */
export interface IOutputChange {
  readonly old: Output | null;
  readonly new: Output | null;
}

const MAX_OUTPUTS = 50;
const MAX_TEXT = 200_000;
const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const BASE64 = /^[A-Za-z0-9+/=\s]*$/;
const ANSI = /\u001b\[[0-9;]*[A-Za-z]/g;

/** Return the outputs of a cell, whatever it is that was found in the file. */
export function outputsOf(cell: unknown): Output[] {
  const outputs = (cell as { outputs?: unknown } | null)?.outputs;
  if (!Array.isArray(outputs)) {
    return [];
  }
  const found: Output[] = [];
  for (const one of outputs.slice(0, MAX_OUTPUTS) as unknown[]) {
    const output = outputOf((one ?? {}) as Record<string, unknown>);
    const last = found.at(-1);
    if (output?.kind === 'text' && last?.kind === 'text') {
      last.text = cut(`${last.text}${last.text.endsWith('\n') ? '' : '\n'}${output.text}`);
    } else if (output) {
      found.push(output);
    }
  }
  return found;
}

/** Return the outputs that differ, each beside the one in the same place. */
export function outputChanges(old: readonly Output[], now: readonly Output[]): IOutputChange[] {
  const found: IOutputChange[] = [];
  for (let place = 0; place < Math.max(old.length, now.length); place++) {
    const [before, after] = [old[place] ?? null, now[place] ?? null];
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      found.push({ old: before, new: after });
    }
  }
  return found;
}

function outputOf(output: Record<string, unknown>): Output | null {
  switch (output.output_type) {
    case 'stream':
      return { kind: 'text', text: cut(textOf(output.text)) };
    case 'error':
      return { kind: 'text', text: cut(errorText(output)) };
    default:
      return bundleOf((output.data ?? null) as Record<string, unknown> | null);
  }
}

/** Return the richest of what an output can be shown as, and that can be compared. */
function bundleOf(data: Record<string, unknown> | null): Output | null {
  if (typeof data !== 'object' || data === null) {
    return null;
  }
  for (const type of IMAGES) {
    const bytes = textOf(data[type]);
    if (bytes !== '' && BASE64.test(bytes)) {
      return { kind: 'image', url: `data:${type};base64,${bytes.replace(/\s/g, '')}` };
    }
  }
  const svg = textOf(data['image/svg+xml']);
  if (svg !== '') {
    // As an image, an SVG runs no scripts and loads nothing.
    return { kind: 'image', url: `data:image/svg+xml,${encodeURIComponent(svg)}` };
  }
  const html = textOf(data['text/html']);
  if (html !== '' && html.length <= MAX_TEXT) {
    return { kind: 'html', html };
  }
  const type = ['text/markdown', 'text/latex', 'text/plain'].find(one => textOf(data[one]) !== '');
  const text = type === undefined ? JSON.stringify(data, null, 2) : textOf(data[type]);
  return { kind: 'text', text: cut(text) };
}

function errorText(output: Record<string, unknown>): string {
  const { traceback } = output;
  const lines = Array.isArray(traceback) ? traceback.filter(one => typeof one === 'string') : [];
  return (
    lines.length > 0 ? lines.join('\n') : `${textOf(output.ename)}: ${textOf(output.evalue)}`
  ).replace(ANSI, '');
}

function textOf(text: unknown): string {
  if (Array.isArray(text)) {
    return text.filter(one => typeof one === 'string').join('');
  }
  return typeof text === 'string' ? text : '';
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
