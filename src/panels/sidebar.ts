/**
 * The panel of the lake: a stack of sections.
 */
import type { ITranslator } from '@jupyterlab/translation';
import { PanelWithToolbar, SidePanel } from '@jupyterlab/ui-components';
import type { AccordionPanel, Widget } from '@lumino/widgets';

import { lakeIcon } from '../icons';
import type { ILake } from '../tokens';
import { LakeHealth } from './health';

/** One section of the panel. */
export interface ISection {
  /** Stable name, kept with the layout. */
  name: string;
  label: string;
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
    this.header.addWidget(new LakeHealth(options.lake, trans));
    for (const [name, button] of Object.entries(options.buttons)) {
      this.toolbar.addItem(name, button);
    }
    for (const section of options.sections) {
      this._addSection(section);
    }
    this.accordion.expansionToggled.connect(() => options.onStateChanged?.(this.state));
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
    this._sections.forEach((section, index) => {
      if (state.closed.includes(section.name)) {
        this.accordion.collapse(index);
      } else {
        this.accordion.expand(index);
      }
    });
  }

  /** Open a section. */
  reveal(name: string): void {
    const index = this._sections.findIndex(section => section.name === name);
    if (index >= 0) {
      this.accordion.expand(index);
    }
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
    this._sections.push(section);
    this.addWidget(panel);
  }

  private readonly _sections: ISection[] = [];
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
