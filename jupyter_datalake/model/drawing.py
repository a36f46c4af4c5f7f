"""A picture of a lineage graph: layers from left to right, as SVG in the colours of its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from jupyter_datalake.model.text import printable

MAX_NODES = 200
"""Beyond it nobody sees anything."""

_WIDTH, _HEIGHT = 150, 38
_ACROSS, _DOWN = 210, 54
_MARGIN = 8
_MAX_LABEL = 20


def layers_of(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return how many edges lead to each node on the longest way; a cycle ends a way.

    >>> layers_of(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    {'a': 0, 'b': 1, 'c': 2}
    """
    targets: dict[str, list[str]] = defaultdict(list)
    waits = dict.fromkeys(nodes, 0)
    for source, target in edges:
        if source in waits and target in waits:
            targets[source].append(target)
            waits[target] += 1
    layers = dict.fromkeys(nodes, 0)
    ready = [one for one in nodes if waits[one] == 0]
    while ready:
        one = ready.pop()
        for target in targets[one]:
            layers[target] = max(layers[target], layers[one] + 1)
            waits[target] -= 1
            if waits[target] == 0:
                ready.append(target)
    return layers


def drawing_of(
    labels: Mapping[str, tuple[str, str]], edges: Sequence[tuple[str, str]], title: str
) -> str:
    """Return a graph as SVG.

    Parameters
    ----------
    labels
        Node to its label and to what is written below it.
    """
    nodes = [*labels][:MAX_NODES]
    kept = [one for one in edges if one[0] in nodes and one[1] in nodes]
    layers = layers_of(nodes, kept)
    rows: dict[int, int] = defaultdict(int)
    places: dict[str, tuple[int, int]] = {}
    for node in nodes:
        layer = layers[node]
        places[node] = (_MARGIN + layer * _ACROSS, _MARGIN + rows[layer] * _DOWN)
        rows[layer] += 1
    width = 2 * _MARGIN + _WIDTH + _ACROSS * max(layers.values(), default=0)
    height = 2 * _MARGIN + _HEIGHT + _DOWN * (max(rows.values(), default=1) - 1)
    lines = "".join(_edge(places[source], places[target]) for source, target in kept)
    boxes = "".join(_node(places[one], *labels[one]) for one in nodes)
    more = len(labels) - len(nodes)
    note = f"<p>… and {more:,} more</p>" if more else ""
    return (
        f'<svg role="img" aria-label="{escape(printable(title))}" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" fill="none" stroke="currentColor" font-size="12">'
        f"{lines}{boxes}</svg>{note}"
    )


def _edge(source: tuple[int, int], target: tuple[int, int]) -> str:
    x1, y1 = source[0] + _WIDTH, source[1] + _HEIGHT // 2
    x2, y2 = target[0], target[1] + _HEIGHT // 2
    bend = max(20, abs(x2 - x1) // 2)
    return (
        f'<path d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}" stroke-opacity="0.5"/>'
        f'<circle cx="{x2}" cy="{y2}" r="3" fill="currentColor"/>'
    )


def _node(place: tuple[int, int], label: str, note: str) -> str:
    x, y = place
    short = label if len(label) <= _MAX_LABEL else f"{label[: _MAX_LABEL - 1]}…"
    return (
        f"<g><title>{escape(printable(f'{label} {note}'))}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
        f'<g fill="currentColor" stroke="none"><text x="{x + 10}" y="{y + 16}">'
        f'{escape(printable(short))}</text><text x="{x + 10}" y="{y + 31}" font-size="10"'
        f' fill-opacity="0.7">{escape(printable(note))}</text></g></g>'
    )
