"""On a cluster of Dask the records are the same, and a worker that dies takes nothing with it."""

import os
import signal
import socket
import threading
import time

import pytest

from experiments import cluster
from experiments.cluster import Cluster
from experiments.engines import Inline, Limits
from experiments.runner import run as settle
from experiments.store import Store
from tests.experiments.drive import records, tasks

pytestmark = pytest.mark.filterwarnings("default")  # Dask's own warnings are not ours


def test_records_are_the_same_after_a_worker_is_killed_and_limits_hold(tmp_path):
    wanted = tasks("slow", "smoke", n=list(range(20)))
    bad = [*tasks("hang", "smoke", n=[1], scale=[1.0]), *tasks("die", "smoke", n=[1], scale=[1.0])]
    plain = Store.create(tmp_path / "plain")
    settle(plain, wanted, Inline())
    plain.close()
    engine = Cluster("local", workers=2, limits=Limits(timeout=2.0))
    killed = []

    def tick(tally):
        if tally.computed >= 5 and not killed:
            killed.extend(engine._client.run(os.getpid).values())
            os.kill(killed[0], signal.SIGKILL)

    store = Store.create(tmp_path / "dask")
    tally = settle(store, [*bad, *wanted], engine, tick=tick)
    store.close()
    assert (tally.computed, tally.failed, len(killed)) == (40, 2, 2)
    assert records(store.path) == records(plain.path)
    assert {failure.task.point["mode"]: failure.kind for failure in store.failures()} == {
        "hang": "timeout",
        "die": "death",
    }


@pytest.mark.parametrize("listens", [False, True])
def test_an_address_without_a_scheduler_is_refused_within_ten_seconds(listens, monkeypatch):
    assert cluster._PATIENCE <= 5  # of ten: the rest is for imports
    monkeypatch.setattr(cluster, "_PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if not listens:
            server.close()
        with pytest.raises(ValueError, match=rf"no Dask scheduler at 'tcp://127.0.0.1:{port}'"):
            Cluster(f"tcp://127.0.0.1:{port}")


def test_an_address_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no Dask scheduler at 'foo bar'"):
        Cluster("foo bar")


def test_what_answers_with_noise_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble():
            line = server.accept()[0]
            with line:
                line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)
                time.sleep(0.5)

        threading.Thread(target=babble, daemon=True).start()
        with pytest.raises(ValueError, match="no Dask scheduler"):
            Cluster(f"tcp://127.0.0.1:{server.getsockname()[1]}")
