"""The file of a PIFS: everything that decoding needs, in as few bits as fixed lengths allow, and a checksum.

header    36 bytes, little-endian: "PIFS", version, height, width, range size, least size, ratio, domain step
          (0: the range's size), isometries, bits of a contrast and of a brightness, contrast limit, payload bytes
payload   bits: for each size of range but the last, whether each node is split; then for each size the contrasts
          (level + J), the brightnesses, and, of those with a contrast other than 0, isometries and domains, each
          with the fewest bits that hold the largest; zeros to a whole byte
SHA-256   32 bytes, of all before
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.fractals.layout import IntArray, Layout
from pifs_sim.fractals.quadtree import grow, splits
from pifs_sim.fractals.quantiser import Quantiser

__all__ = ["pack", "unpack"]

_HEADER = struct.Struct("<4sHIIHHBHBBBdI")
_MAGIC, _VERSION, _DIGEST = b"PIFS", 1, 32

Bits = npt.NDArray[np.uint8]


def _bits(values: IntArray, width: int) -> Bits:
    return ((values[:, None] >> np.arange(width - 1, -1, -1)) & 1).astype(np.uint8).ravel()


class _Reader:
    """Fixed-length numbers from the front of a payload."""

    def __init__(self, payload: bytes) -> None:
        self.bits, self.place = np.unpackbits(np.frombuffer(payload, np.uint8)), 0

    def take(self, count: int, width: int) -> IntArray:
        """`count` numbers of `width` bits."""
        end = self.place + count * width
        if end > self.bits.size:
            raise ValueError(f"its payload ends after {self.bits.size} bits, expected at least {end}")
        part = self.bits[self.place : end].reshape(count, width).astype(np.int64)
        self.place = end
        return part @ (1 << np.arange(width - 1, -1, -1))

    def finish(self) -> None:
        """Only zeros to the end of a byte are left."""
        rest = self.bits[self.place :]
        if rest.size > 7 or rest.any():
            raise ValueError(f"its payload goes on after its {self.place} bits")


def _widths(layout: Layout, size: int) -> tuple[int, int]:
    """Bits of an isometry and of a domain."""
    rows, columns, _ = layout.domain_grid(size)
    return (layout.isometries - 1).bit_length(), (rows * columns - 1).bit_length()


def pack(layout: Layout, quantiser: Quantiser, codes: dict[str, IntArray]) -> bytes:
    """The file of valid codes: ranges (K, 3), domains, isometries, contrast_levels and brightness_levels (K,)."""
    parts = [flags.astype(np.uint8) for flags in splits(layout, codes["ranges"])]
    for size in layout.sizes:
        own = codes["ranges"][:, 2] == size
        contrasts = codes["contrast_levels"][own]
        parts.append(_bits(contrasts + quantiser.contrast_levels, quantiser.contrast_bits))
        parts.append(_bits(codes["brightness_levels"][own], quantiser.brightness_bits))
        for name, width in zip(("isometries", "domains"), _widths(layout, size), strict=True):
            parts.append(_bits(codes[name][own][contrasts != 0], width))
    payload = np.packbits(np.concatenate(parts)).tobytes()
    header = _HEADER.pack(
        _MAGIC,
        _VERSION,
        *layout.shape,
        layout.range_size,
        layout.min_size,
        layout.ratio,
        layout.domain_step or 0,
        layout.isometries,
        quantiser.contrast_bits,
        quantiser.brightness_bits,
        quantiser.contrast_limit,
        len(payload),
    )
    return header + payload + hashlib.sha256(header + payload).digest()


def unpack(data: bytes) -> dict[str, Any]:
    """Layout, quantiser and codes of a file; that the codes are in range is left to their user.

    Raises:
        ValueError: a fragment, "its ..", that says what is wrong with the file.
    """
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError(f"its first bytes are {data[: len(_MAGIC)]!r}, expected {_MAGIC!r}")
    if len(data) < _HEADER.size + _DIGEST:
        raise ValueError(f"its {len(data)} bytes are fewer than {_HEADER.size + _DIGEST}, those of an empty one")
    _, version, height, width, size, least, ratio, step, turns, *quantised, length = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise ValueError(f"its version is {version}, expected {_VERSION}")
    if len(data) != _HEADER.size + length + _DIGEST:
        raise ValueError(f"its length is {len(data)} bytes, expected {_HEADER.size + length + _DIGEST}")
    if hashlib.sha256(data[:-_DIGEST]).digest() != data[-_DIGEST:]:
        raise ValueError("its SHA-256 is not that of its content")
    layout = Layout((height, width), size, least, ratio, step or None, turns)
    quantiser = Quantiser(*quantised)
    rows, columns = (whole // size for whole in layout.padded)
    if rows * columns * (quantiser.contrast_bits + quantiser.brightness_bits) > 8 * length:
        raise ValueError(f"its payload of {length} bytes is too short for {rows * columns} ranges")
    reader = _Reader(data[_HEADER.size : -_DIGEST])
    ranges = grow(layout, lambda nodes, size: reader.take(len(nodes), int(size > layout.min_size)) > 0)
    parts: list[dict[str, IntArray]] = []
    for size in layout.sizes:
        count = int(np.count_nonzero(ranges[:, 2] == size))
        contrasts = reader.take(count, quantiser.contrast_bits) - quantiser.contrast_levels
        codes = {"contrast_levels": contrasts, "brightness_levels": reader.take(count, quantiser.brightness_bits)}
        for name, width in zip(("isometries", "domains"), _widths(layout, size), strict=True):
            codes[name] = np.zeros(count, dtype=np.int64)
            codes[name][contrasts != 0] = reader.take(int(np.count_nonzero(contrasts)), width)
        parts.append(codes)
    reader.finish()
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {"layout": layout, "quantiser": quantiser, "ranges": ranges, **joined}
