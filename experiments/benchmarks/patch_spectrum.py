"""A million 8 x 8 x 3 patches streamed from a generator of uint8 images into their covariance spectrum.

Goal: at least 50 000 patches a second in at most 500 MB of memory (the peak resident set of the whole process).
Limit, measured in the same rounds: the product X^T X alone (BLAS syrk, d (d + 1) operations a patch, and gemm, 2 d^2)
on 16 times the same chunk of 8192 patches in R^192, whose memory counts in the peak. Peer: scikit-learn's
IncrementalPCA if it is installed, and numpy.cov with eigh, both on 65 536 patches that are in memory already as float64
rows.

    python -m experiments.benchmarks.patch_spectrum [--rounds N] [--output FILE]
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from experiments.benchmarks.machine import arguments, medians, publish
from pifs_sim.diffusion.spectra import PatchSpectrum, patch_spectrum

__all__ = ["main"]

SIZE, PATCHES, CHUNK, REPEATS, SUBSET = 8, 1_000_000, 1 << 13, 16, 1 << 16
DIM = SIZE * SIZE * 3


def _images(side: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Enough side x side images for a million patches, one at a time."""
    rng = np.random.default_rng(0)
    for _ in range(-(-PATCHES // (side // SIZE) ** 2)):
        yield np.frombuffer(rng.bytes(side * side * 3), dtype=np.uint8).reshape(side, side, 3)


def _stream(side: int) -> PatchSpectrum:
    return patch_spectrum(_images(side), SIZE)


def _generate(side: int) -> None:
    for _ in _images(side):
        pass


def _peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def _incremental_pca(rows: npt.NDArray[np.float64]) -> object:
    from sklearn.decomposition import IncrementalPCA  # type: ignore[import-not-found, import-untyped, unused-ignore]

    return IncrementalPCA(batch_size=CHUNK).fit(rows)


def main() -> None:
    """Time, print, and write the results if asked to."""
    options = arguments(__doc__, rounds=5)
    before = _peak_megabytes()
    tasks: dict[str, Callable[[], object]] = {}
    patches: dict[str, int] = {}
    for side in (512, 256, 32):
        ours, generator = f"patch_spectrum, images {side} x {side}", f"its generator alone, {side} x {side}"
        tasks |= {ours: partial(_stream, side), generator: partial(_generate, side)}
        patches |= dict.fromkeys((ours, generator), -(-PATCHES // (side // SIZE) ** 2) * (side // SIZE) ** 2)
    streams = list(tasks)[::2]
    chunk = np.random.default_rng(1).uniform(-1.0, 1.0, (CHUNK, DIM))
    other = chunk.copy()
    tasks["limit: syrk"] = lambda: [chunk.T @ chunk for _ in range(REPEATS)]
    tasks["limit: gemm"] = lambda: [other.T @ chunk for _ in range(REPEATS)]
    patches |= dict.fromkeys(("limit: syrk", "limit: gemm"), CHUNK * REPEATS)
    seconds = medians(tasks, options.rounds)
    peak = _peak_megabytes()

    rows = np.random.default_rng(2).uniform(-1.0, 1.0, (SUBSET, DIM))
    peers: dict[str, Callable[[], object]] = {
        "peer: numpy.cov, eigh": lambda: np.linalg.eigh(np.cov(rows, rowvar=False, bias=True))
    }
    patches["peer: numpy.cov, eigh"] = SUBSET
    try:
        _incremental_pca(rows[:DIM])
    except ImportError as error:
        peer = f"left out: {error}"
    else:
        peer = "timed"
        peers["peer: IncrementalPCA"] = lambda: _incremental_pca(rows)
        patches["peer: IncrementalPCA"] = SUBSET
    seconds |= medians(peers, options.rounds)

    rates = {name: patches[name] / value for name, value in seconds.items()}
    operations = {"limit: gemm": 2 * DIM * DIM} | dict.fromkeys(("limit: syrk", *streams), DIM * (DIM + 1))
    table = [
        {
            "task": name,
            "patches": patches[name],
            "seconds": seconds[name],
            "patches/s": rate,
            "GFLOP/s": rate * operations[name] / 1e9 if name in operations else "",
            "of syrk": rate / rates["limit: syrk"],
        }
        for name, rate in rates.items()
    ]
    slowest = min(rates[name] for name in streams)
    facts = {
        "goal": f">= 50000 patches/s: {slowest:.0f} at least, {'met' if slowest >= 50_000 else 'missed'}",
        "memory goal": f"<= 500 MB: peak {peak:.0f} MB ({before:.0f} MB at the start), "
        f"{'met' if peak <= 500 else 'missed'}",
        "scikit-learn's IncrementalPCA": peer,
        "rounds": options.rounds,
    }
    publish(table, facts, f"{PATCHES} patches {SIZE} x {SIZE} x 3 from a generator of uint8 images", options.output)


if __name__ == "__main__":
    main()
