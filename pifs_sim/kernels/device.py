"""The door to a GPU: CUDA C++ templates, compiled through CuPy and launched over its arrays.

A program is a room's `kernel.cuh` with the files that it includes, as one text: what CuPy's cache of compiled kernels
is keyed by. Kernels are named as C++ names them, "sweep<float>", and compiled when first launched.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

__all__ = ["THREADS", "Device", "Program", "TooLarge", "blocks", "carriers", "current", "real"]

THREADS = 128  # of a block, as in device.cuh
_HERE = Path(__file__).parent
_INCLUDE = re.compile(r'^#include "(.+)"$', re.MULTILINE)
_EXTRAS = "install `pifs_sim[cuda12]` or `pifs_sim[cuda13]`"


@dataclass(frozen=True)
class Program:
    """What is compiled from one `kernel.cuh`.

    Args:
        room: the folder of `kernel.cuh`.
        kernels: instantiations that must compile for every supported GPU without spilling registers to memory.
        spilling: more instantiations, that may spill.
        mixed: those of float32 whose law computes in float64; in all others of float32, float64 is a mistake.
        fused: whether products and sums may be rounded together; False where backends agree in every bit.
        before: C++ that `kernel.cuh` refers to.
    """

    room: str
    kernels: tuple[str, ...]
    spilling: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()
    fused: bool = False
    before: str = ""

    @cached_property
    def text(self) -> str:
        """The whole source."""
        seen: set[Path] = set()
        return self.before + _expanded(_HERE / self.room / "kernel.cuh", seen)

    @property
    def options(self) -> tuple[str, ...]:
        """Of the compiler. Functions without a mark are the device's."""
        return ("-std=c++17", "-default-device", f"-fmad={str(self.fused).lower()}")


def _expanded(path: Path, seen: set[Path]) -> str:
    """The text of a file, with each file that it includes once."""
    if path in seen:
        return ""
    seen.add(path)
    text = path.read_text(encoding="utf-8").replace("#pragma once\n", "")
    return _INCLUDE.sub(lambda found: _expanded((path.parent / found[1]).resolve(), seen), text)


def blocks(items: int, lanes: int = 1) -> int:
    """Blocks of threads that give `lanes` threads to every item."""
    return -(-items * lanes // THREADS)


def real(array: Any) -> str:
    """The C++ name of an array's numbers."""
    return "float" if array.dtype.itemsize == 4 else "double"


class TooLarge(MemoryError, ValueError):
    """What is asked for does not fit into the GPU's memory."""


class Device:
    """CuPy's current GPU.

    Attributes:
        xp: the array namespace.
    """

    def __init__(self, cupy: Any) -> None:
        self.xp = cupy

    def owns(self, array: Any) -> bool:
        """Whether an array lies on a GPU."""
        return isinstance(array, self.xp.ndarray)

    def here(self, array: Any) -> Any:
        """A NumPy array of what lies on the GPU."""
        return self.xp.asnumpy(array)

    def available(self) -> float:
        """Bytes of memory that are free."""
        return float(self.xp.cuda.runtime.memGetInfo()[0] + self.xp.get_default_memory_pool().free_bytes())

    def require(self, size: float, room: str) -> None:
        """TooLarge unless so many bytes are free."""
        free = self.available()
        if size > free:
            raise TooLarge(f"`{room}` needs {size / 1e9:.3g} GB of GPU memory, and {free / 1e9:.3g} GB are free.")

    def launch(self, program: Program, kernel: str, count: int, *arguments: Any) -> None:
        """Run `count` blocks; arguments are contiguous arrays of this GPU and NumPy scalars, of the kernel's types."""
        if count:
            _function(program, kernel)((count,), (THREADS,), arguments)


@cache
def _function(program: Program, kernel: str) -> Any:
    import cupy

    return cupy.RawModule(code=program.text, options=program.options, name_expressions=(kernel,)).get_function(kernel)


def current() -> Device:
    """The GPU; ValueError where there is no CuPy or no GPU."""
    try:
        import cupy
    except ImportError:
        raise ValueError(f'`backend` "cuda" needs CuPy and a GPU: {_EXTRAS}.') from None
    if not cupy.cuda.is_available():
        raise ValueError(
            f'`backend` "cuda" needs a GPU, and CuPy finds none or not its driver (CUDA 12 or 13: {_EXTRAS}).'
        )
    return Device(cupy)


def carriers(backend: str | None) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """What takes NumPy arrays to a backend, and what takes its arrays back; ValueError for "cuda" without a GPU."""
    if backend != "cuda":
        return _itself, _itself
    gpu = current()
    return gpu.xp.asarray, gpu.here


def _itself(array: Any) -> Any:
    return array
