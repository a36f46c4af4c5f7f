/**
 * The graph of the steps, on which they are connected by dragging or by keys.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ILayout } from '../lineage/layout';
import { REPO_MIME } from './formats';
import { LineageGraph } from './lineage-graph';
import type { IEnds } from './lineage-picture';

/** What a {@link DagCanvas} shows and does. */
export interface IDagCanvasProps {
  layout: ILayout;
  /** Id of the chosen node. */
  chosen: string | null;
  chosenEdge: IEnds | null;
  trans: TranslationBundle;
  /** Return the ids of the steps that may read what stands behind a node. */
  targetsOf: (id: string) => ReadonlySet<string>;
  onChoose: (id: string | null) => void;
  onEdge: (edge: IEnds) => void;
  /** Let a step read what stands behind a node; which step is asked for where none is given. */
  onConnect: (source: string, target: string | null) => void;
  onRefused: (source: string, target: string) => void;
  onRemove: (id: string) => void;
  /** Remove the chosen edge. */
  onDisconnect: () => void;
  onTidy: () => void;
  /** Take what was dragged here: a repo of the panel. */
  onRepo: (repo: string) => void;
}

/** A connection that is being dragged. */
interface IDragged {
  source: string;
  from: { x: number; y: number };
  to: { x: number; y: number };
  allowed: ReadonlySet<string>;
}

/** The canvas. */
export function DagCanvas(props: IDagCanvasProps): React.JSX.Element {
  const { trans, chosen, chosenEdge } = props;
  const box = React.useRef<HTMLDivElement>(null);
  const [dragged, handlers] = useConnecting(box, props);
  const [isOver, setOver] = React.useState(false);
  const only = React.useMemo(
    () => dragged && new Set([dragged.source, ...dragged.allowed]),
    [dragged?.source, dragged?.allowed]
  );
  const onKeyDown = (event: React.KeyboardEvent) => {
    const focused = (event.target as Element).closest('[data-node]')?.getAttribute('data-node');
    const node = focused ?? chosen;
    if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault();
      if (chosenEdge) {
        props.onDisconnect();
      } else if (node) {
        props.onRemove(node);
      }
    } else if (event.key === 'c' && node && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      props.onConnect(node, null);
    }
  };
  return (
    <div
      ref={box}
      className={`jp-DatalakeDagCanvas ${dragged ? 'jp-mod-connecting' : ''} ${
        isOver ? 'jp-mod-over' : ''
      }`}
      onKeyDown={onKeyDown}
      onDragOver={event => {
        if (event.dataTransfer.types.includes(REPO_MIME)) {
          event.preventDefault();
          event.dataTransfer.dropEffect = 'copy';
          setOver(true);
        }
      }}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        const repo = event.dataTransfer.getData(REPO_MIME);
        setOver(false);
        if (repo) {
          event.preventDefault();
          props.onRepo(repo);
        }
      }}
      {...handlers}
    >
      <LineageGraph
        layout={props.layout}
        chosen={chosen}
        sought={null}
        only={only}
        chosenEdge={chosenEdge}
        label={trans.__(
          'Steps; arrow keys walk them, Enter chooses, C connects, Delete removes, plus, minus and 0 zoom'
        )}
        trans={trans}
        onChoose={props.onChoose}
        onOpen={props.onChoose}
        onEdge={props.onEdge}
        onTidy={props.onTidy}
      />
      {dragged && (
        <svg className="jp-DatalakeDagCanvas-line" aria-hidden="true">
          <path d={lineOf(dragged)} />
        </svg>
      )}
    </div>
  );
}

/** Let a connection be dragged from the port of a node to a step. */
function useConnecting(
  box: React.RefObject<HTMLElement>,
  props: IDagCanvasProps
): [
  IDragged | null,
  Pick<
    React.HTMLAttributes<HTMLElement>,
    'onPointerDownCapture' | 'onPointerMove' | 'onPointerUp' | 'onPointerCancel'
  >
] {
  const [dragged, setDragged] = React.useState<IDragged | null>(null);
  const placeOf = (event: React.PointerEvent) => {
    const frame = box.current?.getBoundingClientRect();
    return { x: event.clientX - (frame?.left ?? 0), y: event.clientY - (frame?.top ?? 0) };
  };
  const handlers = {
    onPointerDownCapture: (event: React.PointerEvent<HTMLElement>) => {
      const port = (event.target as Element).closest('[data-port]');
      const source = port?.getAttribute('data-port');
      if (source && event.button === 0) {
        event.stopPropagation(); // the ground must not move
        event.currentTarget.setPointerCapture(event.pointerId);
        const at = placeOf(event);
        setDragged({ source, from: at, to: at, allowed: props.targetsOf(source) });
      }
    },
    onPointerMove: (event: React.PointerEvent) => {
      if (dragged) {
        setDragged({ ...dragged, to: placeOf(event) });
      }
    },
    onPointerUp: (event: React.PointerEvent) => {
      if (!dragged) {
        return;
      }
      setDragged(null);
      const target = document
        .elementFromPoint(event.clientX, event.clientY)
        ?.closest('[data-node]')
        ?.getAttribute('data-node');
      if (!target || target === dragged.source) {
        return;
      }
      if (dragged.allowed.has(target)) {
        props.onConnect(dragged.source, target);
      } else {
        props.onRefused(dragged.source, target);
      }
    },
    onPointerCancel: () => setDragged(null)
  };
  return [dragged, handlers];
}

function lineOf({ from, to }: IDragged): string {
  const middle = (from.x + to.x) / 2;
  return `M${from.x} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
}
