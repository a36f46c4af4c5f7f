/**
 * Showing widgets in shells that differ: JupyterLab's, and that of Notebook 7.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { LabShell } from '@jupyterlab/application';
import type { Widget } from '@lumino/widgets';
import { SplitPanel } from '@lumino/widgets';

/** Part of the height that what is below the document of Notebook 7 has at least. */
const SHARE = 0.6;
/** With less of it somebody could not have meant it: it is as small as it comes. */
const MOVED = 0.2;

/**
 * Show a widget in the main area, and give it the focus.
 *
 * #### Notes
 * In Notebook 7 the main area holds one document and refuses others: there it comes below that, and
 * takes most of the height the first time. People move the border between the two after that.
 */
export function showInMain(shell: JupyterFrontEnd.IShell, widget: Widget): void {
  if (!widget.isAttached) {
    shell.add(widget, 'main');
    // JupyterLab may attach it later, when it has its layout.
    if (!(shell instanceof LabShell) && !widget.isAttached) {
      widget.addClass('jp-DatalakeBelow');
      shell.add(widget, 'down');
    }
  }
  shell.activateById(widget.id);
  if (!(shell instanceof LabShell)) {
    giveRoom(widget);
  }
}

/** Let the area that a widget is in have its part of the height, unless it has as much. */
function giveRoom(widget: Widget): void {
  let area: Widget = widget;
  while (area.parent && !(area.parent instanceof SplitPanel)) {
    area = area.parent;
  }
  const split = area.parent;
  if (split instanceof SplitPanel && split.orientation === 'vertical') {
    const sizes = split.relativeSizes();
    const at = split.widgets.indexOf(area);
    if ((sizes[at] ?? 1) < MOVED) {
      const others = (1 - SHARE) / Math.max(1, sizes.length - 1);
      split.setRelativeSizes(sizes.map((_, index) => (index === at ? SHARE : others)));
    }
  }
}
