/**
 * Colours by the languages that JupyterLab's editor knows, which are loaded when they are needed.
 */
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { PathExt } from '@jupyterlab/coreutils';

import type { Colouring, ISpan } from '../components/coloured';

/** More is shown without colours: a parser takes its time, and the page waits for it. */
const MAX_CHARS = 100_000;
const MAX_LINE_CHARS = 5_000;

/** Return what colours lines by the ending of a file's name. */
export function colouringBy(languages: IEditorLanguageRegistry): Colouring {
  return async (path, lines) => {
    const language = languages.findByFileName(PathExt.basename(path));
    const count = lines.reduce((sum, line) => sum + line.length + 1, 0);
    if (!language || count > MAX_CHARS || lines.some(line => line.length > MAX_LINE_CHARS)) {
      return null;
    }
    const code = document.createElement('code');
    await languages.highlight(lines.join('\n'), language, code);
    return spansOf(code);
  };
}

/** Return what was put into an element, line by line. */
export function spansOf(code: HTMLElement): ISpan[][] {
  const lines: ISpan[][] = [[]];
  for (const node of code.childNodes) {
    const classes = node instanceof HTMLElement ? node.className : '';
    (node.textContent ?? '').split('\n').forEach((text, index) => {
      if (index > 0) {
        lines.push([]);
      }
      if (text !== '') {
        lines.at(-1)?.push({ text, classes });
      }
    });
  }
  return lines;
}
