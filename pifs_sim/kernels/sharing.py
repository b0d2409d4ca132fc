"""Samples shared out to threads: in blocks, whose numbers do not depend on how they are shared out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from numba import get_num_threads

__all__ = ["share"]

_PIECES = 8  # for each thread: one that is held up leaves its next to the others


def share(run: Callable[[int, int], None], batch: int, block: int, threads: int | None) -> None:
    """Call run(first, stop) until all samples are done; pieces are whole blocks, `threads` None is Numba's number."""
    count = -(-batch // block)
    number = max(1, min(threads or get_num_threads(), count))
    if number == 1:
        run(0, batch)
        return
    pieces = min(count, _PIECES * number)
    edges = [min(batch, block * (count * i // pieces)) for i in range(pieces + 1)]
    with ThreadPoolExecutor(number) as pool:
        list(pool.map(lambda edge: run(*edge), pairwise(edges)))
