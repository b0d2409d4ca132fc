"""Arrays of a .safetensors file, mapped into memory, none of it believed before it is checked.

Layout: 8 bytes, the length of the header, little-endian; the header, JSON: name -> dtype, shape, data_offsets; then the
data, little-endian, C order. bfloat16 is the upper half of float32.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["MappedTensor", "read_safetensors"]

_MOST_HEADER = 100_000_000  # bytes; the format's own limit
_MOST_AXES = 16
_DTYPES = {"F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8"}


class MappedTensor(NamedTuple):
    """An array on disk, data (n, ...), of bfloat16 if `bfloat`; `floats` are its rows as floats, at least float32."""

    data: npt.NDArray[Any]
    bfloat: bool = False

    def floats(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Entries start..stop of the first axis, (stop - start, ...)."""
        part = np.asarray(self.data[start:stop])
        if self.bfloat:
            return (part.astype("<u4") << 16).view("<f4")
        return part.astype(np.float32) if part.dtype.itemsize == 2 else part


def _naturals(value: Any, most: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= most
        and all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 1 << 48 for n in value)
    )


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The header and the offset of the data."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= length <= min(size - 8, _MOST_HEADER):
            raise ValueError(f"its header of {length} bytes does not fit a file of {size}")
        text = file.read(length)
    try:
        header = json.loads(text)
    except (RecursionError, ValueError):
        raise ValueError("its header is not JSON") from None
    if not isinstance(header, dict):
        raise ValueError("its header is not a JSON object")
    header.pop("__metadata__", None)
    return header, 8 + length


def _mapped(path: Path, name: str, entry: Any, base: int) -> MappedTensor:
    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= set(entry):
        raise ValueError(f"tensor {name[:60]!r} must have dtype, shape and data_offsets")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in _DTYPES:
        raise ValueError(f"tensor {name[:60]!r} must have a dtype of {', '.join(_DTYPES)}, got {str(kind)[:20]!r}")
    if not _naturals(shape, _MOST_AXES) or not _naturals(offsets, 2) or len(offsets) != 2:
        raise ValueError(f"tensor {name[:60]!r} must have a shape and two offsets that are natural numbers")
    dtype, room = np.dtype(_DTYPES[kind]), path.stat().st_size - base
    if not offsets[0] <= offsets[1] <= room or offsets[1] - offsets[0] != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"tensor {name[:60]!r} of shape {shape} does not fit its bytes {offsets} of {room}")
    if not math.prod(shape):
        raise ValueError(f"tensor {name[:60]!r} is empty")
    return MappedTensor(np.memmap(path, dtype, "r", base + offsets[0], tuple(shape)), kind == "BF16")


def read_safetensors(path: str | os.PathLike[str]) -> dict[str, MappedTensor]:
    """The tensors of the file at `path` by name, in the order of its header.

    Raises:
        ValueError: not such a file, or one whose header contradicts itself or the file's length; no tensors; dtypes
            other than F16, BF16, F32 and F64.
        OSError: it cannot be opened.
    """
    file = Path(path)
    try:
        header, base = _header(file)
        tensors = {name: _mapped(file, name, entry, base) for name, entry in header.items()}
        if not tensors:
            raise ValueError("it holds no tensors")
    except ValueError as error:
        raise ValueError(f"'{file}' is not a readable safetensors file: {error}.") from None
    return tensors
