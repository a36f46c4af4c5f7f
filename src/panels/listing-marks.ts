/**
 * Marks in the rows of JupyterLab's file browsers, drawn after its own rendering of a row.
 */
import type { FileBrowser } from '@jupyterlab/filebrowser';
import { DirListing } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import type * as api from '../api/types';
import { changeText } from '../components/change-list';
import type { FolderMarks } from '../models/folder-marks';

const MARK = 'jp-DatalakeListingMark';

/**
 * Have a browser's rows marked, and say in their data what they are in the lake, for menus.
 *
 * #### Notes
 * Browsers share one renderer unless they were given another, so each is taken once only.
 */
export function markRows(browser: FileBrowser, marks: FolderMarks, trans: TranslationBundle): void {
  const listing = listingOf(browser);
  if (!listing) {
    return;
  }
  const { renderer } = listing;
  if (!taken.has(renderer)) {
    taken.add(renderer);
    const update = renderer.updateItemNode.bind(renderer);
    renderer.updateItemNode = (...row) => {
      update(...row);
      const [node, { path, type }] = row;
      nameRow(node, path, type === 'directory', marks);
      markRow(node, marks.markOf(path), trans);
    };
  }
  marks.stateChanged.connect(() => listing.update());
  listing.update();
}

/** Return the list of files within a browser. */
function listingOf(widget: Widget): DirListing | null {
  if (widget instanceof DirListing) {
    return widget;
  }
  for (const child of widget.children()) {
    const found = listingOf(child);
    if (found) {
      return found;
    }
  }
  return null;
}

/** Say in the data of a row which file of which repo it is. */
function nameRow(node: HTMLElement, path: string, isFolder: boolean, marks: FolderMarks): void {
  const place = marks.placeOf(path);
  const isWithin = place !== null && place.path !== '';
  const facts = isWithin
    ? {
        repo: place.mount.repo,
        ref: place.mount.commit_id ?? place.mount.ref,
        path: place.path,
        datalake: isFolder ? 'folder' : 'file'
      }
    : {};
  for (const name of ['repo', 'ref', 'path', 'datalake'] as const) {
    const value = (facts as Partial<Record<typeof name, string>>)[name];
    if (value === undefined) {
      delete node.dataset[name];
    } else if (node.dataset[name] !== value) {
      node.dataset[name] = value;
    }
  }
}

/** Show in a row what is staged in it. */
function markRow(node: HTMLElement, mark: api.ChangedChild | null, trans: TranslationBundle): void {
  const shown = node.querySelector<HTMLElement>(`.${MARK}`);
  if (!mark) {
    shown?.remove();
    return;
  }
  const badge = shown ?? document.createElement('span');
  const kind = mark.is_conflict ? 'conflict' : mark.kind;
  const [letter, word] = mark.is_conflict
    ? ['!', trans.__('conflict: others changed it too')]
    : changeText(mark.kind, trans);
  const isFolder = node.dataset.datalake !== 'file';
  const text = isFolder
    ? trans._n('%2, not committed: %1 path', '%2, not committed: %1 paths', mark.count, word)
    : trans.__('%1, not committed', word);
  if (badge.dataset.kind !== kind || badge.title !== text) {
    badge.className = `${MARK} jp-mod-${kind}`;
    badge.dataset.kind = kind;
    badge.textContent = letter;
    badge.title = text;
    badge.setAttribute('role', 'img');
    badge.setAttribute('aria-label', text);
  }
  if (!shown) {
    node.querySelector('.jp-DirListing-itemName')?.append(badge);
  }
}

const taken = new WeakSet<DirListing.IRenderer>();
