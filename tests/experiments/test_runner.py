"""A batch settles every run once, whatever the workers and the order, and says what failed."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.engines import Inline, Pool
from experiments.runner import run as settle
from experiments.store import Store
from experiments.store.leases import Leases
from tests.experiments.drive import PROBES, records, tasks

ROOT = Path(__file__).parents[2]


def settled(path, wanted, engine, **options):
    store = Store.create(path)
    try:
        return settle(store, wanted, engine, **options)
    finally:
        store.close()


def test_records_do_not_depend_on_workers_or_order(tmp_path):
    wanted = tasks("well", "smoke", n=list(range(10)))
    shuffled = random.Random(1).sample(wanted, len(wanted))
    for name, order, engine in (("0", wanted, Inline()), ("1", wanted, Pool(1)), ("2", shuffled, Pool(2))):
        assert settled(tmp_path / name, order, engine).computed == 20
    expected = records(tmp_path / "0")
    assert len(expected) == 40
    assert records(tmp_path / "1") == expected
    assert records(tmp_path / "2") == expected


def test_what_is_there_is_not_computed_again(tmp_path):
    wanted = tasks("well", "smoke")
    assert settled(tmp_path / "s", wanted[:4], Inline()).computed == 4
    tally = settled(tmp_path / "s", wanted, Inline())
    assert (tally.found, tally.computed, tally.settled) == (4, 2, 6)


def test_failures_are_kept_and_retried_only_when_asked(tmp_path, monkeypatch):
    wanted = tasks("raise", "smoke", n=[1, 2], scale=[1.0])
    assert settled(tmp_path / "s", wanted, Inline()).failed == 2
    began = []
    monkeypatch.setattr(Inline, "submit", lambda *_: began.append(1))
    assert settled(tmp_path / "s", wanted, Inline()).failed == 2
    assert began == []
    monkeypatch.undo()
    assert settled(tmp_path / "s", wanted, Inline(), retry_failed=True).failed == 2
    store = Store.create(tmp_path / "s")
    assert len(store.failures()) == 2
    store.write(wanted[0], [{"a": 1}], {})
    assert [failure.task for failure in store.failures()] == wanted[1:]
    store.close()


def test_a_run_that_another_runner_has_is_waited_for(tmp_path):
    wanted = tasks("well", "smoke")
    store = Store.create(tmp_path / "s")
    other = Leases(store.path / "leases")
    assert other.take(wanted[0].key, {})
    seen = []

    def tick(tally):
        seen.append(tally.settled)
        if len(seen) > 3 and tally.settled == 5:  # all but the leased one: now the other writes it
            store.write(wanted[0], [{"a": 1}], {})
            other.release(wanted[0].key)

    tally = settle(store, wanted, Inline(), tick=tick)
    assert (tally.computed, tally.elsewhere) == (5, 1)
    store.close()


@pytest.fixture
def command(tmp_path):
    """Start `pifs-sim run` on the probe in a process of its own."""

    def start(*words):
        arguments = [sys.executable, "-m", "experiments", "run", *words, "--store", str(tmp_path / "s")]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*arguments, "--studies", PROBES], cwd=ROOT, text=True, **pipes)

    return start


@pytest.fixture
def modes(tmp_path):
    """A batch file with these modes of the probe."""

    def write(modes, n="[1]", more=""):
        path = tmp_path / "batch.toml"
        path.write_text(
            f'studies = ["probe"]\nworkers = 2\n{more}\n[overrides.probe]\nmode = {json.dumps(modes)}\nn = {n}\n'
        )
        return str(path)

    return write


def test_the_command_lists_failures_with_tracebacks_and_exits_with_1(command, modes):
    process = command(modes(["well", "raise", "nan"]), "--json")
    out, err = process.communicate()
    found = json.loads(out)
    assert process.returncode == 1
    assert (found["computed"], found["failed"], found["stopped"]) == (2, 4, False)
    assert sorted(failure["kind"] for failure in found["failures"]) == ["exception"] * 2 + ["nan"] * 2
    assert all("RuntimeError" in f["traceback"] for f in found["failures"] if f["kind"] == "exception")
    assert err.count("pifs-sim: failed: probe") == 4
    assert "raise RuntimeError" in err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_stops_cleanly(command, modes, tmp_path, how):
    process = command(modes(["slow"], n="{start = 1, stop = 2000, step = 1}"), "--json")
    while len(records(tmp_path / "s")) < 6:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(how)
    start = time.monotonic()
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - start < 10
    assert process.returncode == 130
    assert err == "pifs-sim: stopped; the same command goes on from here.\n"
    assert json.loads(out)["stopped"]
    assert list((tmp_path / "s" / "leases").iterdir()) == []
    assert list((tmp_path / "s" / "scratch").iterdir()) == []
    assert len(records(tmp_path / "s")) // 2 - json.loads(out)["computed"] in (0, 1)  # one may be kept but not counted
