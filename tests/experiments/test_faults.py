"""Kills, full disks, races: what is in the store afterwards is what an undisturbed run would have put there."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.engines import Inline
from experiments.runner import run as settle
from experiments.store import Store
from tests.experiments.drive import PROBES, process, records, tasks

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The records of the probe's 90 runs, undisturbed, with and without a delay in each."""

    def of(mode):
        path = tmp_path_factory.mktemp(mode) / "s"
        store = Store.create(path)
        # the delay is not what is tested: each key has the rows of `well`, of the run's own generator
        settle(store, tasks(mode), Inline())
        store.close()
        return records(path)

    return {mode: of(mode) for mode in ("well", "slow")}


@pytest.mark.kills
@pytest.mark.parametrize("kills", [int(os.environ.get("PIFS_SIM_KILLS", "20"))])
def test_nothing_is_lost_or_altered_by_kills(tmp_path, expected, kills):
    """Every kill lands while some but not all records are there; a full store is begun anew."""
    draw, log, landed, store = random.Random(kills), [], 0, tmp_path / "0"
    rounds = 0
    while landed < kills:
        enough = len(list((store / "records").glob("*/*/*"))) + draw.randint(1, 4)
        workers = landed % 3  # 0: the runner itself computes
        runner = process(store, "slow", workers, draw.randrange(1000))
        while runner.exitcode is None and len(list((store / "records").glob("*/*/*"))) < enough:
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.03))
        runner.kill()
        runner.join()
        found = records(store)
        assert found.items() <= expected["slow"].items()
        assert len(found) % 2 == 0
        if 0 < len(found) < len(expected["slow"]):
            assert runner.exitcode == -signal.SIGKILL
            landed += 1
            log.append([landed, rounds, workers, len(found) // 2])
        else:
            assert found == expected["slow"]
            rounds, store = rounds + 1, tmp_path / str(rounds + 1)
    runner = process(store, "slow", 1, 0)
    runner.join()
    assert runner.exitcode == 0
    assert records(store) == expected["slow"]
    assert list((store / "damaged").iterdir()) == []
    if path := os.environ.get("PIFS_SIM_KILLS_LOG"):
        facts = {"kills": landed, "runs": len(expected["slow"]) // 2, "identical": True}
        columns = ["kill", "store", "workers", "records after it"]
        lines = ",\n".join(json.dumps(line) for line in [columns, *log])
        Path(path).write_text(f'{json.dumps(facts)[:-1]},\n"log": [\n{lines}\n]}}\n', encoding="utf-8")


def test_two_runners_share_the_work(tmp_path, expected):
    runners = [process(tmp_path / "s", "slow", 1, seed) for seed in (1, 2)]
    for runner in runners:
        runner.join()
    assert [runner.exitcode for runner in runners] == [0, 0]
    said = [[int(word) for word in (tmp_path / f"tally-{seed}").read_text().split()] for seed in (1, 2)]
    assert records(tmp_path / "s") == expected["slow"]
    assert all(settled == 90 and failed == 0 for settled, _, failed in said)
    assert list((tmp_path / "s" / "leases").iterdir()) == []


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))


def test_a_file_that_cannot_grow_ends_the_batch_in_one_sentence(tmp_path):
    Store.create(tmp_path / "s").close()
    result = command(tmp_path / "s", preexec_fn=limit_files)
    assert refused(result, "cannot write to the store", "file too large")
    assert records(tmp_path / "s") == {}
    assert list((tmp_path / "s" / "scratch").iterdir()) == []


def command(store, *words, **options):
    arguments = [sys.executable, "-m", "experiments", "run", "probe", "--grid", "paper", "--workers", "0", *words]
    where = ["--store", str(store), "--studies", PROBES]
    return subprocess.run([*arguments, *where], cwd=ROOT, capture_output=True, text=True, check=False, **options)


def refused(result, *words):
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    for word in ("pifs-sim: ", *words):
        assert word in result.stderr
    return True


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 700 kB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "none", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_ends_the_batch_in_one_sentence_and_the_rest_goes_on_later(small_disk, expected):
    store = small_disk / "s"
    assert refused(command(store), "no space left on device")
    found = records(store)
    assert 0 < len(found) < len(expected["well"])
    assert found.items() <= expected["well"].items()
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    assert command(store).returncode == 0
    assert records(store) == expected["well"]


def test_a_store_that_cannot_be_written_to_is_refused_and_can_be_read(small_disk):
    store = Store.create(small_disk / "s")
    settle(store, tasks("well", "smoke"), Inline())
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert refused(command(store.path), "cannot write to the store", "read-only file system")
    asked = [
        sys.executable,
        "-m",
        "experiments",
        "query",
        "select count(*) c from runs",
        "--json",
        "--store",
        store.path,
    ]
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, check=True)
    assert json.loads(said.stdout)["rows"] == [{"c": 6}]
