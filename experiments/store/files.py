"""Files that are there whole or not at all: written under another name, flushed to the disk, then renamed.

A name that appears in a folder survives a loss of power once the folder itself is flushed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["StoreError", "flush", "folders", "publish", "replace", "writing"]


class StoreError(ValueError):
    """The store cannot be used, in one sentence."""


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """An error of the system becomes a sentence about the store at `path`."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StoreError(f"cannot write to the store '{path}': {reason}.") from None


def flush(folder: Path) -> None:
    """Make the names in a folder last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def folders(path: Path, root: Path) -> None:
    """Create `path` and what is missing between it and `root`, each name made to last."""
    if path.is_dir():
        return
    if path != root:
        folders(path.parent, root)
    path.mkdir(exist_ok=True, parents=path == root)
    flush(path.parent)


def _write(contents: Mapping[str, bytes]) -> None:
    """Write files, then flush them: what one needs to be on the disk is often what all need."""
    with contextlib.ExitStack() as stack:
        handles = []
        for path, data in contents.items():
            handles.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
            stack.callback(os.close, handles[-1])
            view = memoryview(data)
            while view:
                view = view[os.write(handles[-1], view) :]
        for handle in handles:
            os.fsync(handle)


def replace(path: Path, data: bytes) -> None:
    """Put a file in place, over an older one of that name."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        _write({str(temporary): data})
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)


def publish(folder: Path, contents: Mapping[str, bytes], *, scratch: Path) -> bool:
    """Put a folder of files in place; False if there is one of that name already, which is then left as it is.

    The files are written in the order given in a folder under `scratch`, which is renamed last.
    """
    temporary = scratch / uuid.uuid4().hex
    temporary.mkdir()
    try:
        _write({f"{temporary}/{name}": data for name, data in contents.items()})
        flush(temporary)
        try:
            os.rename(temporary, folder)
        except OSError:
            if not folder.is_dir():
                raise
            shutil.rmtree(temporary)
            return False
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    flush(folder.parent)
    return True
