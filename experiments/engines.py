"""Who computes: this process, or a pool of worker processes; a cluster is in `experiments.cluster`.

An engine takes tasks while it has room and returns outcomes in the order in which they come.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Protocol

import experiments.studies
from experiments.outcome import Failure, Outcome, evaluate
from experiments.plan import Task

__all__ = ["THREADS", "Engine", "Inline", "Limits", "Pool", "Worker"]

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_ATTEMPTS = 2  # a worker that dies may have been killed from outside: its run is tried once more
_LOADING = 300.0  # seconds a study may take to load where runs have a timeout


@dataclass(frozen=True)
class Limits:
    """Of one run: seconds, and MB of memory beyond what the program itself takes; None for none."""

    timeout: float | None = None
    memory: int | None = None


class Engine(Protocol):
    """Where runs are computed."""

    def room(self) -> int:
        """How many more tasks it can take now."""
        ...

    def busy(self) -> int:
        """How many tasks it has."""
        ...

    def submit(self, task: Task) -> None:
        """Take a task."""
        ...

    def collect(self) -> list[Outcome]:
        """Wait for outcomes: at least one, or none after a second or so."""
        ...

    def close(self) -> None:
        """Stop at once what is running."""
        ...


class Inline:
    """Runs in this process, one after the other; they have no limits and see this process's threads."""

    def __init__(self) -> None:
        self._tasks: deque[Task] = deque()

    def room(self) -> int:
        """One task at a time."""
        return 1 - len(self._tasks)

    def busy(self) -> int:
        """0 or 1."""
        return len(self._tasks)

    def submit(self, task: Task) -> None:
        """Keep the task for `collect`."""
        self._tasks.append(task)

    def collect(self) -> list[Outcome]:
        """Compute it."""
        return [evaluate(self._tasks.popleft())]

    def close(self) -> None:
        """Nothing is running between calls."""


class Worker:
    """A worker process and the task that it has."""

    def __init__(self, limits: Limits, studies: list[str] | None = None) -> None:
        self._limits = limits
        self._studies = list(experiments.studies.__path__) if studies is None else studies
        self.task: Task | None = None
        self.attempts = 0
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            settings = {
                "socket": theirs.fileno(),
                "parent": os.getpid(),
                "studies": self._studies,
                "memory": self._limits.memory,
            }
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
            root = str(Path(experiments.__path__[0]).parent)
            paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
            environment = os.environ | dict.fromkeys(THREADS, "1") | {"PYTHONPATH": os.pathsep.join(paths)}
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", "from experiments.worker import main; main()", json.dumps(settings)],
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
            )
        self.line = Connection(ours.detach())

    def send(self, task: Task) -> None:
        """Begin a task."""
        self.task, self.attempts = task, 1
        self._send()

    def _send(self) -> None:
        self._began = time.monotonic()
        self._deadline = None if self._limits.timeout is None else self._began + _LOADING
        with contextlib.suppress(OSError):  # a dead worker is seen by `answer`
            self.line.send_bytes(json.dumps(asdict(self.task)).encode())  # type: ignore[arg-type]

    def left(self) -> float | None:
        """Seconds to the end of the time that the task has."""
        return None if self._deadline is None or self.task is None else self._deadline - time.monotonic()

    def answer(self) -> Outcome | None:
        """What the worker has said, or what became of it; None if the task goes on."""
        task, left = self.task, self.left()
        if task is None:
            return None
        if not self.line.poll():
            if left is None or left > 0:
                return None
            return self._end(self._overdue(task))
        try:
            said = self.line.recv_bytes()
        except (EOFError, OSError):
            return self._dead(task)
        if said == b"begin":
            self._began = time.monotonic()
            self._deadline = None if self._limits.timeout is None else self._began + self._limits.timeout
            return None
        self.task = None
        content = json.loads(said)
        failure = content["failure"] and Failure(**{**content["failure"], "task": task})
        return Outcome(**{**content, "task": task, "failure": failure})

    def _end(self, outcome: Outcome) -> Outcome:
        self.task = None
        self.stop()
        self._start()
        return outcome

    def _overdue(self, task: Task) -> Outcome:
        with contextlib.suppress(OSError):
            self.process.send_signal(signal.SIGUSR1)  # the worker says where it is
            time.sleep(0.2)
        seconds = time.monotonic() - self._began
        message = f"the run takes longer than {self._limits.timeout:g} s."
        return Outcome.failed(task, "timeout", message, trace=self._last_words(), seconds=seconds)

    def _dead(self, task: Task) -> Outcome | None:
        status = self.process.wait()
        seconds = time.monotonic() - self._began
        if self.attempts < _ATTEMPTS:
            attempts = self.attempts + 1
            self.stop()
            self._start()
            self.attempts = attempts
            self._send()
            return None
        how = f"by signal {-status} ({signal.strsignal(-status)})" if status < 0 else f"with status {status}"
        message = f"the worker died {how}, {self.attempts} times."
        return self._end(Outcome.failed(task, "death", message, trace=self._last_words(), seconds=seconds))

    def _last_words(self) -> str:
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - 8000))
        return self._said.read().decode(errors="replace")

    def stop(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()
        self.line.close()
        self._said.close()


class Pool:
    """Worker processes on this machine, each started when there is a task for it."""

    def __init__(self, workers: int, limits: Limits | None = None) -> None:
        self._size = workers
        self._limits = limits or Limits()
        self._workers: list[Worker] = []

    def _active(self) -> list[Worker]:
        return [worker for worker in self._workers if worker.task is not None]

    def room(self) -> int:
        """Workers without a task, started or not."""
        return self._size - len(self._active())

    def busy(self) -> int:
        """Workers with a task."""
        return len(self._active())

    def submit(self, task: Task) -> None:
        """Give the task to a worker that is free."""
        free = [worker for worker in self._workers if worker.task is None]
        if not free:
            free = [Worker(self._limits)]
            self._workers += free
        free[0].send(task)

    def collect(self) -> list[Outcome]:
        """Wait at most a second for outcomes."""
        active = self._active()
        times = [1.0, *(max(0.0, left) for worker in active if (left := worker.left()) is not None)]
        wait([worker.line for worker in active], timeout=min(times))
        return [outcome for worker in active if (outcome := worker.answer()) is not None]

    def close(self) -> None:
        """Kill the workers."""
        for worker in self._workers:
            worker.stop()
