"""Who is at work on which run: a file created exclusively, kept young while its owner lives, free once it is old.

Leases only save work. A run done twice, because a lease was thought to be dead, gives the same record.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["LIFETIME", "Leases", "alive", "owner"]

LIFETIME = 60.0  # seconds without renewal after which a lease is free
_RENEWAL = 10.0
_EMPTY = 5.0  # the owner died between creating a lease and writing its name


@functools.cache
def _host() -> str:
    """This machine since it was started, and the processes that can be seen from here."""
    facts = [socket.gethostname()]
    for path in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        with contextlib.suppress(OSError):
            facts.append(os.readlink(path) if "/ns/" in path else Path(path).read_text())
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def _started(pid: int) -> str | None:
    """When a process began, in ticks; "" where the system does not say; None without such a process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return None if Path("/proc/self/stat").exists() else ""


@functools.cache
def _name(pid: int) -> str:
    return f"{_host()}-{pid}-{_started(pid)}"


def owner() -> str:
    """This process: unlike any other, also a later one with its number."""
    return _name(os.getpid())


def alive(name: str) -> bool | None:
    """Whether the process of that name runs; None if it is on another machine."""
    host, _, rest = name.partition("-")
    pid, _, started = rest.partition("-")
    if host != _host() or not pid.isdecimal():
        return None
    return _started(int(pid)) == started


def expired(path: Path) -> bool:
    """Whether a lease is free, or gone."""
    try:
        age = time.time() - path.stat().st_mtime
        note = _note(path)
    except FileNotFoundError:
        return True
    if note is None:
        return age > _EMPTY
    return age > LIFETIME or alive(str(note.get("owner"))) is False


def _note(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


class Leases:
    """The leases of a store; those that this process holds are renewed until `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, key: str, about: Mapping[str, Any]) -> bool:
        """Take the lease of a run, unless another process holds it."""
        path = self._folder / key
        note = json.dumps({"owner": owner(), **about}, sort_keys=True).encode()
        for _ in range(2):
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            except FileExistsError:
                if not expired(path):
                    return False
                with contextlib.suppress(FileNotFoundError):  # of those that see it expired one renames it
                    aside = self._folder / f".{uuid.uuid4().hex}"
                    os.rename(path, aside)
                    aside.unlink()
                continue
            try:
                os.write(handle, note)
            finally:
                os.close(handle)
            with self._lock:
                self._held.add(key)
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew, daemon=True)
                self._thread.start()
            return True
        return False

    def release(self, key: str) -> None:
        """Give a lease back."""
        with self._lock:
            self._held.discard(key)
        (self._folder / key).unlink(missing_ok=True)

    def close(self) -> None:
        """Give all leases back."""
        self._done.set()
        for key in list(self._held):
            with contextlib.suppress(OSError):  # a lease that stays is free once it is old
                self.release(key)

    def live(self) -> Iterator[dict[str, Any]]:
        """What was said about the runs that some process is at work on."""
        for entry in self._folder.iterdir():
            if not entry.name.startswith(".") and not expired(entry):
                with contextlib.suppress(FileNotFoundError):
                    yield {"key": entry.name, **(_note(entry) or {})}

    def _renew(self) -> None:
        while not self._done.wait(_RENEWAL):
            with self._lock:
                held = list(self._held)
            for key in held:
                with contextlib.suppress(OSError):
                    os.utime(self._folder / key)
