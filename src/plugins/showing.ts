/**
 * Showing widgets in shells that differ: JupyterLab's, and that of Notebook 7.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { LabShell } from '@jupyterlab/application';
import type { Widget } from '@lumino/widgets';

/**
 * Show a widget in the main area, and give it the focus.
 *
 * #### Notes
 * In Notebook 7 the main area holds one document and refuses others: there it comes below that.
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
}
