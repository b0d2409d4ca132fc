"""Exhaustive search for a 512 x 512 photograph, ranges of 4 x 4 pixels, domains every 8: against a plain Python loop.

Goal: the search, and the whole encoder with it, at least 500 times as fast as a double loop over ranges and domains
(and isometries) in plain Python, timed on a crop of 64 x 64 and scaled by the number of matches. The loop is given all
sums of a block in advance; its choices are compared with the kernel's.
Limit, measured in the same rounds: multiply-adds in registers, sixteen on each of 128 numbers. A match needs n of them.

    NUMBA_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m experiments.benchmarks.block_matching [--output FILE]
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from operator import mul
from typing import Any

import numpy as np
from numba import get_num_threads, njit
from PIL import Image

from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.diffusion.spectra import default_photograph
from pifs_sim.fractals import Layout, Quantiser, encode, psnr
from pifs_sim.fractals.layout import blocks, isometries
from pifs_sim.kernels import block_matching
from pifs_sim.kernels.block_matching import Quantisation

__all__ = ["main", "photograph"]

SIZE, STEP, CROP = 4, 8, 64
ITERATIONS, NUMBERS, CHAIN = 1_000_000, 128, 16


def photograph() -> Any:
    """Grace Hopper, the upper 512 x 512 pixels in grey, uint8."""
    with Image.open(default_photograph()) as image:
        return np.asarray(image.convert("L"))[:512, :512]


@njit(error_model="numpy", fastmath={"contract"})
def _multiply_adds(x: Any, a: float, b: float) -> None:
    for _ in range(ITERATIONS):
        for j in range(x.size):
            v = x[j]
            v = a * (a * (a * (a * v + b) + b) + b) + b
            v = a * (a * (a * (a * v + b) + b) + b) + b
            v = a * (a * (a * (a * v + b) + b) + b) + b
            x[j] = a * (a * (a * (a * v + b) + b) + b) + b


def _plain(ranges: Any, domains: Any, turns: Any, q: Quantisation) -> list[tuple[int, int]]:
    """The best domain and isometry of each range, block by block, in Python's own numbers."""
    n = ranges.shape[1]
    pool = []
    for d in domains.tolist():
        total, square = sum(d), sum(map(mul, d, d))
        pool.append((total, n * square - total * total, [[d[a] for a in turn] for turn in turns.tolist()]))
    found = []
    for r in ranges.tolist():
        A = sum(r)
        R = n * sum(map(mul, r, r)) - A * A
        best, choice = math.inf, (0, 0)
        for c, (B, Q, versions) in enumerate(pool):
            for g, d in enumerate(versions):
                P = n * sum(map(mul, r, d)) - A * B
                level = min(math.floor(abs(P) / (Q * q.contrast_step) + 0.5), q.contrast_levels) if Q else 0
                s = math.copysign(level * q.contrast_step, P)
                m = (A - s * B) / n
                tone = math.floor((m - q.brightness_low) / q.brightness_step + 0.5)
                off = m - q.brightness_low - min(max(tone, 0), q.brightness_levels - 1) * q.brightness_step
                error = (R - s * (2.0 * P - s * Q)) / n + n * off * off
                if error < best:
                    best, choice = error, (c, g) if level else (0, 0)
        found.append(choice)
    return found


def _cut(image: Any) -> tuple[Any, Any, Any]:
    """Ranges, domains and isometries of an image, in units from mid grey."""
    layout, pixels = Layout(image.shape, SIZE, SIZE, 2, STEP), image.astype(float) - 127.5
    return blocks(pixels, layout.roots(), SIZE), layout.shrunk_domains(pixels, SIZE), isometries(SIZE)


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=5)
    image, quantisation = photograph(), Quantiser().in_units(255.0)
    whole, crop = _cut(image), _cut(image[150 : 150 + CROP, 230 : 230 + CROP])
    matches = {"whole": math.prod(map(len, whole)), "crop": math.prod(map(len, crop))}
    plain = _plain(*crop, quantisation)
    kernel = block_matching.compute(*crop, quantisation=quantisation)
    if plain != list(zip(kernel.domain.tolist(), kernel.isometry.tolist(), strict=True)):
        raise SystemExit("the kernel and the plain loop disagree")

    numbers = np.ones(NUMBERS)
    fast: dict[str, Callable[[], Any]] = {
        "kernel": lambda: block_matching.compute(*whole, quantisation=quantisation),
        "encoder, exhaustive": partial(encode, image, SIZE, domain_step=STEP),
        "limit: multiply-adds": lambda: _multiply_adds(numbers, 0.5, 0.5),
    }
    slow: dict[str, Callable[[], Any]] = {
        "plain Python, the crop": lambda: _plain(*crop, quantisation),
        "encoder, k-d tree": partial(encode, image, SIZE, domain_step=STEP, search="kdtree"),
        "encoder, k-d tree, 8 x 8, domains every 2": partial(encode, image, 8, domain_step=2, search="kdtree"),
        "encoder, exhaustive, 8 x 8, domains every 2": partial(encode, image, 8, domain_step=2),
    }
    seconds = medians(fast, options.rounds) | medians(slow, min(2, options.rounds))
    peak = 2 * ITERATIONS * NUMBERS * CHAIN / seconds["limit: multiply-adds"]
    loop = seconds["plain Python, the crop"] * matches["whole"] / matches["crop"]
    flops = 2 * SIZE**2 * matches["whole"]
    rows = [
        {
            "task": name,
            "seconds": value,
            "times plain Python": loop / value
            if name in ("kernel", "encoder, exhaustive", "encoder, k-d tree")
            else "",
            "matches/s": matches["whole"] / value if name in ("kernel", "encoder, exhaustive") else "",
            "of peak": flops / value / peak if name == "kernel" else "",
            "dB": psnr((fast | slow)[name]().decode(), image) if name.startswith("encoder") else "",
        }
        for name, value in seconds.items()
    ]
    ratio = loop / seconds["encoder, exhaustive"]
    facts = {
        "goal": f">= 500 x plain Python: encoder {ratio:.0f}, {'met' if ratio >= 500 else 'missed'}",
        "matches": matches["whole"],
        "plain Python, scaled to the whole, seconds": loop,
        "multiply-add peak, GFLOP/s": peak / 1e9,
        "threads of the kernel": get_num_threads(),
        "rounds": options.rounds,
    }
    publish(rows, facts, "Block matching, 512 x 512, ranges 4 x 4, domains every 8, 8 isometries", options.output)


if __name__ == "__main__":
    main()
