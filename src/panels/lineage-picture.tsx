/**
 * The lineage graph as a file: SVG or PNG that look right alone, in the colours of the light theme.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { LegendPicture, legendHeight } from '../components/lineage-legend';
import { LineagePicture } from '../components/lineage-picture';
import type { ILayout } from '../lineage/layout';

const MARGIN = 24;
/** Fewer pixels than this leave no room for a legend. */
const LEAST_WIDTH = 420;
/** Largest side of a PNG; canvases have limits. */
const MOST_PX = 12_000;
const SHARP = 2;
const NAMESPACE = 'http://www.w3.org/2000/svg';

/** Properties that a file alone would not know. */
const STYLES = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'font-family',
  'font-size',
  'font-weight'
] as const;

const nothing = () => undefined;

/** Return the graph as the text of an SVG file. */
export async function svgOf(layout: ILayout, trans: TranslationBundle): Promise<string> {
  const svg = React.createRef<SVGSVGElement>();
  const width = Math.max(layout.width, LEAST_WIDTH);
  const height = layout.height + MARGIN + legendHeight(layout, width);
  const box = { left: -Infinity, top: -Infinity, right: Infinity, bottom: Infinity };
  let drawn: () => void = nothing;
  const isDrawn = new Promise<void>(resolve => {
    drawn = resolve;
  });
  const host = ReactWidget.create(
    <Drawn onDrawn={() => drawn()}>
      <svg
        ref={svg}
        xmlns={NAMESPACE}
        width={width + 2 * MARGIN}
        height={height + 2 * MARGIN}
        viewBox={`${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}`}
      >
        <rect
          className="jp-DatalakeLineageExport-ground"
          x={-MARGIN}
          y={-MARGIN}
          width="100%"
          height="100%"
        />
        <LineagePicture
          layout={layout}
          drawn={{ box, isPlain: false }}
          chosen={null}
          traced={null}
          reachable={undefined}
          trans={trans}
          onChoose={nothing}
          onOpen={nothing}
          onFocus={nothing}
          onHover={nothing}
        />
        <LegendPicture layout={layout} width={width} y={layout.height + MARGIN} trans={trans} />
      </svg>
    </Drawn>
  );
  host.addClass('jp-DatalakeLineageExport');
  Widget.attach(host, document.body);
  try {
    await isDrawn;
    const picture = svg.current as SVGSVGElement;
    inline(picture);
    return new XMLSerializer().serializeToString(picture);
  } finally {
    host.dispose();
  }
}

/** Return the picture of an SVG as a PNG. */
export async function pngOf(svg: string): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const scale = Math.min(SHARP, MOST_PX / Math.max(image.width, image.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.ceil(image.width * scale);
    canvas.height = Math.ceil(image.height * scale);
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise<Blob>((resolve, reject) =>
      canvas.toBlob(
        blob => (blob ? resolve(blob) : reject(new Error('The picture is too large for a PNG'))),
        'image/png'
      )
    );
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Let the browser save a file. */
export function save(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has taken it up once it comes back to us.
  window.setTimeout(() => URL.revokeObjectURL(link.href));
}

function Drawn(props: { onDrawn: () => void; children: React.ReactNode }): React.JSX.Element {
  React.useLayoutEffect(props.onDrawn);
  return <>{props.children}</>;
}

/** Write into each element what style sheets make of it, and take out what is for the screen. */
function inline(svg: SVGSVGElement): void {
  for (const element of svg.querySelectorAll<SVGElement>('rect, path, polygon, line, text')) {
    const style = window.getComputedStyle(element);
    for (const name of STYLES) {
      const value = style.getPropertyValue(name);
      if (value && value !== 'none') {
        element.setAttribute(name, plain(value));
      } else if (name === 'fill') {
        element.setAttribute(name, 'none');
      }
    }
  }
  for (const element of svg.querySelectorAll<SVGElement>('*')) {
    for (const name of ['class', 'tabindex', 'role', 'aria-pressed', 'data-node', 'data-state']) {
      element.removeAttribute(name);
    }
  }
}

/** Return a colour as every program reads it: mixed ones come as `color(srgb …)`. */
function plain(value: string): string {
  return value.replace(
    /color\(srgb ([\d.]+) ([\d.]+) ([\d.]+)(?: \/ [\d.]+)?\)/g,
    (_, ...parts) => {
      const [red, green, blue] = parts.slice(0, 3).map(one => Math.round(Number(one) * 255));
      return `rgb(${red}, ${green}, ${blue})`;
    }
  );
}
