"""The memory that is left, asked before arrays are allocated that may not fit."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from array_api_compat import array_namespace

__all__ = ["available_memory", "check_memory", "itemsize"]

_GROUP = Path("/sys/fs/cgroup")
_SMALL = 1 << 28  # bytes up to which asking is not worth the time


def _left_to_group() -> float:
    """Bytes between the limit of the process's control group, if it has one, and what it holds but for caches."""
    try:
        limit = float((_GROUP / "memory.max").read_text(encoding="ascii"))
        held = dict(line.split() for line in (_GROUP / "memory.stat").read_text(encoding="ascii").splitlines())
        return limit - float(held["anon"])
    except (OSError, ValueError, KeyError):  # no such group, or the limit "max"
        return math.inf


def available_memory() -> float:
    """Bytes that can be allocated, as far as the system tells; inf where it does not."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found = next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        try:
            found = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        except (AttributeError, ValueError, OSError):
            found = math.inf
    return min(found, _left_to_group())


def itemsize(array: Any) -> int:
    """Bytes of one number of an array of floats."""
    return int(array_namespace(array).finfo(array.dtype).bits) // 8


def check_memory(what: str, shape: tuple[int, ...], itemsize: int = 8) -> None:
    """ValueError naming the memory needed, if an array of this shape cannot fit into what is left."""
    needed = math.prod(shape) * itemsize
    if needed > _SMALL and needed > (left := available_memory()):
        gib = 2.0**30
        raise ValueError(f"{what} needs {needed / gib:.4g} GiB of memory, where {left / gib:.4g} GiB are left.")
