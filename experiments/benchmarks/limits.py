"""What a core can do: multiply-adds in registers, and bytes from memory."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from pifs_sim.kernels.lanes import WIDTH, Lanes

__all__ = ["blas", "memory_bandwidth", "multiply_add_peak"]

_CHAINS = 10  # independent sums: more than a core has multiply-adds in flight
_TURNS = 2_000_000


def _multiply_adds(_context: Any, numbers: Any, turns: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        code = Lanes(context, builder, WIDTH // (4 if numbers.dtype == types.float32 else 8))
        place = code.data(signature.args[0], arguments[0])
        factor, term = code.spread(place, 0), code.spread(place, 1)
        sums = [code.variable(code.spread(place, 2 + i)) for i in range(_CHAINS)]
        with code.loop(arguments[1]):
            for total in sums:
                total.set(total.get().times_plus(factor, term))
        for i, total in enumerate(sums):
            code.store(total.get(), place, i * code.count)
        return context.get_dummy_value()

    return types.void(numbers, turns), emit


_emitted = intrinsic(_multiply_adds)


@njit
def _spin(numbers: Any, turns: int) -> None:
    _emitted(numbers, turns)


def _best(task: Any, tries: int) -> float:
    task()
    seconds = []
    for _ in range(tries):
        start = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def multiply_add_peak(dtype: Any) -> float:
    """Floating-point operations per second of one core, two a multiply-add, by independent sums in registers."""
    width = WIDTH // np.dtype(dtype).itemsize
    numbers = np.linspace(0.4, 0.6, _CHAINS * width + 2).astype(dtype)
    return 2 * _CHAINS * width * _TURNS / _best(lambda: _spin(numbers, _TURNS), 7)


def memory_bandwidth() -> float:
    """Bytes per second of one core that reads two arrays of 128 MB and writes a third, all three counted."""
    a, b, c = np.ones(1 << 24), np.ones(1 << 24), np.empty(1 << 24)
    return 3 * a.nbytes / _best(lambda: np.add(a, b, out=c), 5)


def blas() -> str:
    """The core types that NumPy's and SciPy's BLAS have chosen."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown: threadpoolctl is not installed"
    found = {f"{pool['internal_api']} {pool.get('architecture', '?')}" for pool in threadpool_info()}
    return ", ".join(sorted(found)) or "none"
