/**
 * The panel of the lake: a stack of sections.
 */
import type { ITranslator } from '@jupyterlab/translation';
import { PanelWithToolbar, SidePanel } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { AccordionPanel, Widget } from '@lumino/widgets';

import { DROP_TARGET, hasFiles } from '../components/drop-target';
import { lakeIcon } from '../icons';
import type { ILake } from '../tokens';
import { LakeHealth } from './health';
import { shareRoom } from './room';

/** How much more room a section gets that is asked for. */
const REVEALED = 1.5;
const LEAST_PX = 60;
const FOCUSABLE = 'a, button, input, select, textarea, [tabindex]';

/** One section of the panel. */
export interface ISection {
  /** Stable name, kept with the layout. */
  name: string;
  label: string;
  /** Its share of the height. */
  share: number;
  content: Widget;
  /** Buttons in its title. */
  buttons?: Record<string, Widget>;
  /** Return what stands behind the label, such as a count. */
  badge?: () => string;
}

/** Which sections are closed. */
export interface ISidebarState {
  closed: string[];
}

/** Keep files that nothing in the panel takes from being opened in place of JupyterLab. */
function refuseFiles(event: DragEvent): void {
  if (event.dataTransfer && hasFiles(event.dataTransfer)) {
    event.preventDefault();
    event.dataTransfer.dropEffect = 'none';
  }
}

/** The panel on the left. */
export class LakeSidebar extends SidePanel {
  constructor(options: LakeSidebar.IOptions) {
    super({ translator: options.translator });
    const trans = options.translator.load('jupyter_datalake');
    this.id = 'jupyter-datalake';
    this.addClass('jp-DatalakeSidebar');
    this.title.icon = lakeIcon;
    this.title.caption = trans.__('Data Lake');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Data Lake'));
    this.node.addEventListener('dragover', refuseFiles);
    this.node.addEventListener('drop', refuseFiles);
    this.header.addWidget(new LakeHealth(options.lake, trans));
    for (const [name, button] of Object.entries(options.buttons)) {
      this.toolbar.addItem(name, button);
    }
    for (const section of options.sections) {
      this._addSection(section);
    }
    this.accordion.handleMoved.connect(() => {
      this._isSized = true;
    });
    this.accordion.expansionToggled.connect((accordion, index) => {
      if (this._isArranged && !accordion.widgets[index]?.isHidden) {
        this._revealed = this._sections[index]?.name ?? ''; // whoever opens it wants to look at it
      }
      this._arrangeSoon();
      if (this._isArranged) {
        options.onStateChanged?.(this.state);
      }
    });
  }

  /** Which sections are closed. */
  get state(): ISidebarState {
    return {
      closed: this._sections
        .filter((_, index) => this.accordion.widgets[index]?.isHidden)
        .map(section => section.name)
    };
  }
  set state(state: ISidebarState) {
    this._closed = state.closed;
    this._isArranged = false;
    this._arrangeSoon();
  }

  /** Open a section, and give it room. */
  reveal(name: string): void {
    const index = this._sections.findIndex(section => section.name === name);
    if (index < 0) {
      return;
    }
    this.accordion.expand(index);
    this._revealed = name;
    this._isSized = false;
    this._arrangeSoon();
  }

  /** Write what stands behind the labels anew. */
  updateBadges(): void {
    this._sections.forEach((section, index) => {
      const widget = this.accordion.widgets[index];
      const badge = section.badge?.();
      const label = badge ? `${section.label} (${badge})` : section.label;
      if (widget && widget.title.label !== label) {
        widget.title.label = label;
      }
    });
  }

  override dispose(): void {
    this._drawn.disconnect();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._arrangeSoon();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._arrangeSoon();
  }

  private get accordion(): AccordionPanel {
    return this.content as AccordionPanel;
  }

  private _addSection(section: ISection): void {
    const panel = new PanelWithToolbar();
    panel.addClass('jp-DatalakeSidebar-section');
    panel.title.label = section.label;
    panel.node.dataset.section = section.name;
    for (const [name, button] of Object.entries(section.buttons ?? {})) {
      panel.toolbar.addItem(name, button);
    }
    panel.addWidget(section.content);
    this._drawn.observe(section.content.node, { childList: true, subtree: true });
    this._sections.push(section);
    this.addWidget(panel);
  }

  /** Arrange the sections once there is a height to share, and their content is drawn. */
  private _arrangeSoon(): void {
    if (this._isWaiting) {
      return;
    }
    this._isWaiting = true;
    window.requestAnimationFrame(() => {
      this._isWaiting = false;
      if (this.isDisposed || this.node.clientHeight === 0) {
        return;
      }
      if (!this._isArranged) {
        this._toggleAll();
        this._isArranged = true;
      }
      if (!this._isSized) {
        this._size();
      }
      this._letKeysScroll();
    });
  }

  /** Let the keyboard into sections that scroll and have nothing else for it. */
  private _letKeysScroll(): void {
    for (const { node } of this.accordion.widgets) {
      if (node.scrollHeight > node.clientHeight && !node.querySelector(FOCUSABLE)) {
        node.tabIndex = 0;
      } else {
        node.removeAttribute('tabindex');
      }
    }
  }

  /** Open and close the sections as the state says. */
  private _toggleAll(): void {
    this._sections.forEach(({ name }, index) => {
      if (this._closed.includes(name)) {
        this.accordion.collapse(index);
      } else {
        this.accordion.expand(index);
      }
    });
  }

  /** Give the sections their heights, until somebody drags them to others. */
  private _size(): void {
    const { widgets } = this.accordion;
    const room = widgets.reduce((sum, { node }) => sum + node.clientHeight, 0);
    const claims = this._sections.map(({ name, share, content }, index) => ({
      height: widgets[index]?.isHidden ? 0 : Math.max(LEAST_PX, heightOf(content)),
      share: name === this._revealed ? share * REVEALED : share
    }));
    if (room > 0) {
      this.accordion.setRelativeSizes(shareRoom(room, claims));
    }
  }

  private readonly _sections: ISection[] = [];
  private readonly _drawn = new MutationObserver(() => this._arrangeSoon());
  private _isWaiting = false;
  private _closed: readonly string[] = [];
  private _isArranged = false;
  /** Whether somebody has chosen the heights. */
  private _isSized = false;
  private _revealed = '';
}

/** Return the height of what a widget shows, which may be less than its own. */
function heightOf({ node }: Widget): number {
  return [...node.children].reduce((sum, child) => sum + heightIn(child as HTMLElement), 0);
}

/** Return the height of a part; of a place that takes files, which fills what is left, that of its content. */
function heightIn(part: HTMLElement): number {
  if (!part.classList.contains(DROP_TARGET)) {
    return part.offsetHeight;
  }
  const last = [...part.children].pop() as HTMLElement | undefined;
  return last ? last.offsetTop + last.offsetHeight : 0; // from the top of the place
}

/** What a {@link LakeSidebar} is made of. */
export namespace LakeSidebar {
  export interface IOptions {
    lake: ILake;
    sections: readonly ISection[];
    /** Buttons above the sections. */
    buttons: Record<string, Widget>;
    translator: ITranslator;
    onStateChanged?: (state: ISidebarState) => void;
  }
}
