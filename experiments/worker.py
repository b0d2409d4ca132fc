"""A process that computes runs one after the other, within limits, and ends when its runner does.

It is a new interpreter with one thread for each library, so results depend neither on how many there are nor on what
the runner has loaded. It speaks JSON over a socket: a task in, "begin" once the study is loaded, the outcome out. The
kernel kills it with its parent (Linux); elsewhere, and if it outlives that, a thread watches the parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import experiments.studies
from experiments.outcome import evaluate
from experiments.plan import Task

__all__ = ["main", "serve"]

_PR_SET_PDEATHSIG = 1


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _taken() -> int:
    """Bytes of private memory that this process has asked for."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


@contextlib.contextmanager
def _limited(memory: int | None) -> Iterator[None]:
    """At most `memory` MB more than the process has now."""
    if memory is None:
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_taken() + memory * 2**20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def serve(line: Connection, memory: int | None) -> None:
    """Compute tasks from `line` until it is closed."""
    while True:
        try:
            task = Task(**json.loads(line.recv_bytes()))
        except EOFError:
            return
        with contextlib.ExitStack() as limits:

            def begin(stack: contextlib.ExitStack = limits) -> None:
                line.send_bytes(b"begin")
                stack.enter_context(_limited(memory))

            outcome = evaluate(task, begin=begin)
        line.send_bytes(json.dumps(asdict(outcome)).encode())


def main() -> None:
    """Serve the runner whose socket, process and settings the arguments name."""
    settings: dict[str, Any] = json.loads(sys.argv[1])
    _die_with(settings["parent"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's to handle
    faulthandler.enable()
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR1, all_threads=False)
    for folder in settings["studies"]:
        if folder not in experiments.studies.__path__:
            experiments.studies.__path__.append(folder)
    serve(Connection(settings["socket"]), settings["memory"])
