"""Steps of a measurement kept as files, each whole or not at all, with the key of the measurement they belong to."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

__all__ = ["key_of", "load", "save"]


def key_of(facts: Mapping[str, Any], *arrays: Any) -> str:
    """A digest of facts that JSON can hold, and of arrays."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def save(path: Path, key: str, arrays: Mapping[str, Any]) -> None:
    """Write arrays to a file (.npz): it appears whole, or not at all."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        np.savez(file, key=np.frombuffer(key.encode(), np.uint8), **arrays)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load(path: Path, key: str) -> dict[str, Any] | None:
    """The arrays of a file, None if there is none.

    Raises:
        ValueError: a file that cannot be read, or of another measurement.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            kept = {name: archive[name] for name in archive.files}
        own = kept.pop("key").tobytes().decode()
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise ValueError(f"`folder` holds {path.name}, which cannot be read: {error}.") from None
    if own != key:
        raise ValueError(
            f"`folder` holds {path.name} of another measurement: other network, data, schedule or options."
        )
    return kept
