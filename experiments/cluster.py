"""Runs on a Dask cluster: one on this machine, or any that an address leads to.

Each thread of a Dask worker keeps a worker process of its own (`experiments.engines.Worker`), so a run has the same
limits, threads and end as in a pool; the Dask worker only waits for it, and stays free to answer the scheduler. Rows
come back to the runner, which alone writes: workers need no common file system, only this package.

    SLURMCluster(cores=1, memory="4GB", job_extra_directives=[...]).scale(jobs=100)      # dask-jobqueue
    LocalCUDACluster()                                                                 # dask-cuda: a worker a card
    pifs-sim run --grid paper --dask tcp://<scheduler>:8786
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
import uuid
from dataclasses import asdict
from typing import Any

import dask
from distributed import Client, Future, LocalCluster
from distributed.core import rpc

import experiments.studies
from experiments.engines import THREADS, Limits, Worker
from experiments.outcome import Outcome
from experiments.plan import Task
from experiments.store.files import StoreError

__all__ = ["Cluster", "compute"]

_EARLY = tuple(name for name in THREADS if "NUMBA" not in name)  # Numba minds if its own changes later

_PATIENCE = 5.0  # seconds for a scheduler to answer
_RETRIES = 2  # of a task whose Dask worker died
_mine = threading.local()


def compute(task: dict[str, Any], limits: dict[str, Any], studies: list[str]) -> Outcome:
    """Run a task in the worker process of this thread, which is made when there is none."""
    worker: Worker | None = getattr(_mine, "worker", None)
    if worker is None or _mine.settings != (limits, studies):
        if worker is not None:
            worker.stop()
        worker = _mine.worker = Worker(Limits(**limits), studies)
        _mine.settings = (limits, studies)
    worker.send(Task(**task))
    while True:
        left = worker.left()
        worker.line.poll(1.0 if left is None else max(0.0, min(1.0, left)))
        outcome = worker.answer()
        if outcome is not None:
            return outcome


async def _probe(address: str) -> None:
    """Refuse an address at which no scheduler answers; what answers there may be anything."""
    try:
        async with rpc(address, timeout=_PATIENCE) as scheduler:
            said = await asyncio.wait_for(scheduler.identity(), _PATIENCE)
    except (OSError, TimeoutError, EOFError, ValueError, TypeError, MemoryError) as error:
        reason = (str(error).splitlines() or ["it does not answer"])[0]
        raise ValueError(f"no Dask scheduler at {address!r}: {reason.rstrip('.')}.") from None
    if said.get("type") != "Scheduler":
        raise ValueError(f"no Dask scheduler at {address!r}, but a {said.get('type')}.")


class Cluster:
    """A Dask cluster, with twice as many tasks as it has threads.

    Raises:
        ValueError: no scheduler answers at the address within ten seconds.
    """

    def __init__(self, address: str, *, workers: int = 1, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._done: queue.SimpleQueue[tuple[Future, Task]] = queue.SimpleQueue()
        self._futures: set[Future] = set()
        self._looked, self._threads = 0.0, 1
        self._cluster: LocalCluster | None = None
        with contextlib.ExitStack() as stack:
            stack.enter_context(
                dask.config.set(
                    {
                        "distributed.nanny.pre-spawn-environ": dict.fromkeys(
                            _EARLY, "1"
                        ),  # passes through this process
                        "distributed.nanny.environ": dict.fromkeys(THREADS, "1"),  # the workers' alone
                        "distributed.scheduler.allowed-failures": _RETRIES,
                        "distributed.comm.timeouts.connect": f"{_PATIENCE}s",
                    }
                )
            )
            if address == "local":
                self._cluster = LocalCluster(
                    n_workers=workers, threads_per_worker=1, dashboard_address=None, memory_limit=0
                )
            else:
                asyncio.run(_probe(address))
            self._client = Client(self._cluster or address, timeout=_PATIENCE, set_as_default=False)

    def room(self) -> int:
        """Two tasks a thread: one running, one on its way."""
        if time.monotonic() > self._looked + 2.0:
            self._looked = time.monotonic()
            self._threads = max(1, sum(self._client.nthreads().values()))
        return 2 * self._threads - len(self._futures)

    def busy(self) -> int:
        """Tasks that the cluster has."""
        return len(self._futures)

    def submit(self, task: Task) -> None:
        """Send a task; names are unique, so nothing is taken from another's results."""
        studies = list(experiments.studies.__path__)
        future = self._client.submit(
            compute,
            asdict(task),
            asdict(self._limits),
            studies,
            key=f"{task.study}-{task.key[:16]}-{uuid.uuid4().hex[:8]}",
            pure=False,
            retries=_RETRIES,
        )
        self._futures.add(future)
        future.add_done_callback(lambda done: self._done.put((done, task)))

    def collect(self) -> list[Outcome]:
        """Wait at most a second for outcomes."""
        try:
            future, task = self._done.get(timeout=1.0)
        except queue.Empty:
            if self._client.status not in ("running", "connecting"):
                raise StoreError("the Dask scheduler is gone; the same command goes on from here.") from None
            return []
        self._futures.discard(future)
        if future.status == "finished":
            found: Outcome = future.result()
            return [found]
        if future.status in ("cancelled", "lost"):
            raise StoreError("the Dask scheduler is gone; the same command goes on from here.")
        reason = f"the Dask worker failed: {future.exception()}"
        return [Outcome.failed(task, "death", reason, trace="")]

    def close(self) -> None:
        """Drop what is running, and the cluster if it is ours."""
        with contextlib.suppress(OSError, TimeoutError):
            self._client.cancel(list(self._futures), force=True)
        self._client.close(timeout=5)
        if self._cluster is not None:
            self._cluster.close(timeout=5)
