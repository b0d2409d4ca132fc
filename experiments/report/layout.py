"""A layered layout of a directed acyclic graph: each node stands to the right of all that it rests on.

Layers are longest paths; a long edge passes through a bend in every layer between. The order within a layer is that
of barycentres, swept to and fro, the one with the fewest crossings kept (Sugiyama, Tagawa, Toda 1981). Heights are
then swept towards the mean of the neighbours', each layer by the least-squares heights that keep order and gaps.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TypeAlias

__all__ = ["Layout", "crossings", "layered", "spread"]

Place: TypeAlias = Hashable  # a node's name, or (from, to, layer) where the edge between them bends
Neighbours: TypeAlias = Mapping[Place, Sequence[Place]]

_SWEEPS = 12


@dataclass(frozen=True)
class Layout:
    """Layers and heights of nodes, heights >= 0, and those of the bends of edges (from, to), ends left out."""

    layer: Mapping[str, int]
    height: Mapping[str, float]
    bends: Mapping[tuple[str, str], tuple[float, ...]]


def spread(wanted: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Heights nearest to the wanted ones, in least squares, of which each exceeds the one before by its gap at least.

    With the gaps' sums taken off it is isotonic regression: neighbours out of order are pooled to their mean.
    """
    sums = [0.0]
    for gap in gaps:
        sums.append(sums[-1] + gap)
    pools: list[tuple[float, int]] = []
    for height, taken in zip(wanted, sums, strict=True):
        mean, count = height - taken, 1
        while pools and pools[-1][0] > mean:
            other, size = pools.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        pools.append((mean, count))
    level = [mean for mean, count in pools for _ in range(count)]
    return [height + taken for height, taken in zip(level, sums, strict=True)]


def crossings(layers: Sequence[Sequence[Place]], right: Neighbours) -> int:
    """Crossings of the edges between neighbouring layers."""
    total = 0
    for here, there in pairwise(layers):
        rank = {place: i for i, place in enumerate(there)}
        ends: list[int] = []
        for place in here:
            targets = sorted(rank[other] for other in right[place])
            total += sum(len(ends) - bisect(ends, target) for target in targets)
            for target in targets:
                insort(ends, target)
    return total


def _depths(uses: Mapping[str, Sequence[str]]) -> dict[str, int]:
    depth: dict[str, int] = {}

    def visit(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max(map(visit, uses[name]), default=-1)
        return depth[name]

    for name in uses:
        visit(name)
    return depth


def _ordered(layers: list[list[Place]], left: Neighbours, right: Neighbours) -> list[list[Place]]:
    best, fewest = layers, crossings(layers, right)
    for sweep in range(_SWEEPS):
        layers = [list(layer) for layer in layers]
        to_right = sweep % 2 == 0
        for here in range(1, len(layers)) if to_right else range(len(layers) - 2, -1, -1):
            fixed = layers[here - 1 if to_right else here + 1]
            rank = {place: i / len(fixed) for i, place in enumerate(fixed)}
            own = {place: i / len(layers[here]) for i, place in enumerate(layers[here])}
            beside = left if to_right else right
            centre = {p: fmean([rank[other] for other in beside[p]] or [own[p]]) for p in layers[here]}
            layers[here].sort(key=centre.__getitem__)
        count = crossings(layers, right)
        if count < fewest:
            best, fewest = layers, count
    return best


def layered(uses: Mapping[str, Sequence[str]], *, gap: float, bend: float) -> Layout:
    """Lay out the nodes of an acyclic graph, given what each rests on.

    Args:
        uses: node -> nodes that it rests on, all of them keys.
        gap: least difference of the heights of nodes in a layer.
        bend: the same between two edges, or between an edge and a node less half a gap.
    """
    depth = _depths(uses)
    layers: list[list[Place]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    left: dict[Place, list[Place]] = {name: [] for name in uses}
    right: dict[Place, list[Place]] = {name: [] for name in uses}
    for name in sorted(uses, key=lambda name: depth[name]):
        layers[depth[name]].append(name)
    size: dict[Place, float] = dict.fromkeys(uses, gap)
    chains: dict[tuple[str, str], list[Place]] = {}
    for name, used in uses.items():
        for other in used:
            chain: list[Place] = [(other, name, layer) for layer in range(depth[other] + 1, depth[name])]
            for place in chain:
                left[place], right[place], size[place] = [], [], bend
            for layer, place in enumerate(chain, start=depth[other] + 1):
                layers[layer].append(place)
            for a, b in pairwise([other, *chain, name]):
                right[a].append(b)
                left[b].append(a)
            chains[other, name] = chain
    layers = _ordered(layers, left, right)
    height: dict[Place, float] = {place: gap * i for layer in layers for i, place in enumerate(layer)}
    for sweep in range(2 * _SWEEPS):
        for places in layers if sweep % 2 == 0 else reversed(layers):
            wanted = [fmean([height[p] for p in (*left[q], *right[q])] or [height[q]]) for q in places]
            gaps = [(size[a] + size[b]) / 2 for a, b in pairwise(places)]
            height.update(zip(places, spread(wanted, gaps), strict=True))
    top = min(height.values(), default=0.0)
    return Layout(
        depth,
        {name: height[name] - top for name in uses},
        {edge: tuple(height[place] - top for place in chain) for edge, chain in chains.items()},
    )
