"""The memory that a measurement takes: tensors of the network beside arrays of ours, and what fits into a limit.

The network's part is measured: c samples, each with a vector, take fixed + each * c bytes, found by trying c = 1 and 3
while every storage is watched from its first appearance to its end. Buffers inside a kernel are not seen, so a quarter
is added. Ours is counted: the bases of Lanczos' iteration, stacked vectors, and Gram matrices of the blocks.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from pifs_sim.dynamics import Patches
from pifs_sim.kernels.need import Need
from pifs_sim.networks.denoiser import NetworkDenoiser

__all__ = ["Plan", "TensorMeter", "arrays_need", "network_need", "planned"]

_MARGIN = 1.25


class TensorMeter(TorchDispatchMode):
    """A context that counts the bytes of tensors' storages made in it while they live.

    Attributes:
        live: bytes now.
        peak: the most there were.
    """

    def __init__(self) -> None:
        """Nothing is counted yet."""
        super().__init__()
        self.live = self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(
        self, func: Callable, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Do what was called, and note new storages."""
        out = func(*args, **dict(kwargs or {}))
        for part in tree_iter(out):
            if isinstance(part, torch.Tensor):
                self._note(part.untyped_storage())
        return out

    def _note(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._seen:
            return
        self._seen.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.live -= size


def network_need(denoiser: NetworkDenoiser, angle: float) -> Need:
    """Bytes of tensors for products with so many samples, a vector each, at once."""
    peaks = []
    for count in (1, 3):
        trial = replace(denoiser, chunk=count)
        operator = trial.posterior(np.zeros((count, trial.dim), trial.dtype), angle).noise_jacobian
        V = np.ones((count, trial.dim, 1))
        with TensorMeter() as meter:
            for side in (operator, operator.T):
                _ = side @ V
        peaks.append(meter.peak)
    each = max(peaks[1] - peaks[0], 0) / 2
    return Need(_MARGIN * max(peaks[0] - each, 0.0), _MARGIN * max(each, 1.0))


def arrays_need(patches: Patches, *, most: int, method: str, probes: int, points: int) -> Need:
    """Bytes of arrays in a measurement of so many samples at once.

    Args:
        patches: M patches of n coordinates.
        most: steps of Lanczos' iteration.
        method: of the coupling.
        probes: Gaussian vectors on each patch.
        points: of the data that the Gaussian is fitted to.
    """
    d, count, n = patches.dim, patches.count, patches.length
    steps, few = min(most, n), min(points, d)
    whole = 2 * d * min(most, d) + 8 * d
    own = 2 * d * steps + 8 * d * count
    if method == "lanczos":
        coupled = (count - 1) * own
    else:
        vectors = n if method == "exact" else probes
        coupled = 6 * d * vectors + 4 * count * vectors**2 + (method == "frobenius") * d * vectors
    return Need(8.0 * (3 * points * d + 4 * few**2 + d * few), 8.0 * _MARGIN * max(whole, own, coupled))


class Plan(NamedTuple):
    """How many samples are measured at once, how many of them (times vectors) the network sees at once, in how much."""

    samples: int
    chunk: int
    bytes: float


def planned(network: Need, arrays: Need, *, samples: int, chunk: int, max_memory: float | None) -> Plan:
    """The largest plan within `max_memory` bytes, arrays given no more than half of what is not fixed.

    Raises:
        ValueError: not even one sample and one vector fit.
    """
    fixed = network.fixed + arrays.fixed
    whole = fixed + network.each * chunk + arrays.each * samples
    if max_memory is None or whole <= max_memory:
        return Plan(samples, chunk, whole)
    least = fixed + network.each + arrays.each
    if not least <= max_memory:
        raise ValueError(f"`max_memory` must be at least {math.ceil(least)} bytes here, got {max_memory!r}.")
    left = max_memory - fixed
    part = int(np.clip(left / 2 // arrays.each, 1, samples))
    seen = int(np.clip((left - part * arrays.each) // network.each, 1, chunk))
    return Plan(part, seen, fixed + network.each * seen + arrays.each * part)
