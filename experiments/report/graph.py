"""The graph of what rests on what, as an SVG of links: a claim stands to the right of all that it uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from experiments.report.findings import css_class
from experiments.report.layout import layered

__all__ = ["Node", "draw"]

_WIDTH, _HEIGHT = 160, 46  # of a node, in pixels
_ACROSS, _GAP, _BEND = 44, 9, 12  # between layers, between nodes, between edges
_MARGIN = 6
_LETTERS = 21  # in a line of a label


@dataclass(frozen=True)
class Node:
    """A claim as the graph shows it; `corrected_by` only if it is among those that it uses."""

    status: str
    statement: str
    uses: tuple[str, ...]
    corrected_by: str | None


def _lines(label: str) -> list[str]:
    """The label on one line or two, broken after a hyphen as evenly as can be."""
    breaks = [i + 1 for i, letter in enumerate(label) if letter == "-"]
    if len(label) <= _LETTERS or not breaks:
        return [label]
    at = min(breaks, key=lambda i: max(i, len(label) - i))
    return [label[:at], label[at:]]


def _node(label: str, node: Node, x: float, y: float) -> str:
    lines = _lines(label)
    first = y + (32 if len(lines) == 1 else 26.5)
    text = "".join(f'<text x="{x + 10:g}" y="{first + 13 * i:.1f}">{escape(s)}</text>' for i, s in enumerate(lines))
    return (
        f'<a class="node {css_class(node.status)}" id="node-{label}" href="#claim-{label}" '
        f'aria-label="{label}, {node.status}"><title>{escape(node.statement)}</title>'
        f'<rect x="{x:g}" y="{y:.1f}" width="{_WIDTH}" height="{_HEIGHT}" rx="5"/>'
        f'<rect class="bar" x="{x:g}" y="{y:.1f}" width="4" height="{_HEIGHT}" rx="2"/>'
        f'<text class="word" x="{x + 10:g}" y="{y + 12:.1f}">{node.status}</text>{text}</a>'
    )


def _curve(xs: Sequence[float], ys: Sequence[float]) -> str:
    """A path through (xs[0], ys[0]), level from xs[1] to xs[2], from xs[3] to xs[4] and so on."""
    path = f"M{xs[0]:g},{ys[0]:.1f}"
    for i, y in enumerate(ys[1:]):
        start, end = xs[2 * i], xs[2 * i + 1]
        middle = (start + end) / 2
        path += f"C{middle:g},{ys[i]:.1f} {middle:g},{y:.1f} {end:g},{y:.1f}"
        if i < len(ys) - 2:
            path += f"H{xs[2 * i + 2]:g}"
    return path


def _relatives(nodes: Mapping[str, Node]) -> dict[str, set[str]]:
    """Of each claim: itself and all that it rests on."""
    found: dict[str, set[str]] = {}

    def visit(label: str) -> set[str]:
        if label not in found:
            found[label] = {label}.union(*map(visit, nodes[label].uses))
        return found[label]

    for label in nodes:
        visit(label)
    return found


def draw(nodes: Mapping[str, Node]) -> tuple[str, str]:
    """SVG of the graph, each node a link to #claim-LABEL with the id node-LABEL, and its style sheet.

    The sheet marks, for a node that is pointed at or focused, the edges on the ways to and from it.
    """
    used = {other for node in nodes.values() for other in node.uses}
    joined = {label: node.uses for label, node in nodes.items() if node.uses or label in used}
    layout = layered(joined, gap=_HEIGHT + _GAP, bend=_BEND)
    left = [_MARGIN + i * (_WIDTH + _ACROSS) for i in range(max(layout.layer.values(), default=-1) + 1)]
    rest, numbers = _relatives(nodes), {label: i for i, label in enumerate(nodes)}
    parts = []
    for (start, end), bends in layout.bends.items():
        layers = range(layout.layer[start], layout.layer[end] + 1)
        xs = [x for layer in layers for x in (left[layer], left[layer] + _WIDTH)][1:-1]
        ys = [_MARGIN + _HEIGHT / 2 + y for y in (layout.height[start], *bends, layout.height[end])]
        touched = [label for label in nodes if end in rest[label] or label in rest[start]]
        css = " ".join(["edge", *(f"e{numbers[label]}" for label in touched)])
        css += " corrected" if nodes[end].corrected_by == start else ""
        parts.append(f'<path class="{css}" d="{_curve(xs, ys)}"/>')
    order = sorted(joined, key=lambda label: (layout.layer[label], layout.height[label]))
    for label in order:
        parts.append(_node(label, nodes[label], left[layout.layer[label]], _MARGIN + layout.height[label]))
    bottom = max(layout.height.values(), default=-float(_HEIGHT + _GAP)) + _HEIGHT + _GAP + _MARGIN
    columns = max(len(left), 4)
    alone = [label for label in nodes if label not in joined]
    if alone:
        parts.append(f'<text class="note" x="{_MARGIN}" y="{bottom + 22:.1f}">On their own:</text>')
        bottom += 32
    for i, label in enumerate(alone):
        row, column = divmod(i, columns)
        y = bottom + row * (_HEIGHT + _GAP)
        parts.append(_node(label, nodes[label], _MARGIN + column * (_WIDTH + _ACROSS), y))
    height = bottom + -(-len(alone) // columns) * (_HEIGHT + _GAP) + _MARGIN
    width = columns * (_WIDTH + _ACROSS) - _ACROSS + 2 * _MARGIN
    rules = ",\n".join(
        f"#graph:has(#node-{label}:is(:hover,:focus-visible)) .e{i}" for label, i in numbers.items() if label in joined
    )
    drawing = (
        f'<svg id="graph" role="group" aria-label="What rests on what" width="{width:g}" height="{height:.0f}" '
        f'viewBox="0 0 {width:g} {height:.0f}">{"".join(parts)}</svg>'
    )
    return drawing, f"{rules} {{ stroke: var(--accent); stroke-width: 2; opacity: 1; }}" if rules else ""
