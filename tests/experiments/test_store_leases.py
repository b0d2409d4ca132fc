"""A lease keeps other processes from a run while its owner lives, and no longer."""

import os
import subprocess
import sys
import threading

import pytest

from experiments.store.leases import LIFETIME, Leases, alive, owner


@pytest.fixture
def leases(tmp_path):
    made = Leases(tmp_path)
    yield made
    made.close()


def aged(path, seconds):
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - seconds))


def test_a_lease_is_taken_once_until_it_is_given_back(leases, tmp_path):
    assert leases.take("k", {"study": "s"})
    assert not Leases(tmp_path).take("k", {})
    assert [note["study"] for note in leases.live()] == ["s"]
    leases.release("k")
    assert list(leases.live()) == []
    assert leases.take("k", {})


def test_of_many_that_want_a_lease_one_gets_it(tmp_path):
    start, won = threading.Barrier(8), []

    def want():
        mine = Leases(tmp_path)
        start.wait()
        won.extend(key for key in map(str, range(50)) if mine.take(key, {}))

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(map(str, range(50)))


def test_the_lease_of_a_dead_process_is_free_at_once(leases, tmp_path):
    code = (
        "import sys, pathlib; from experiments.store.leases import *; Leases(pathlib.Path(sys.argv[1])).take('k', {})"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert (tmp_path / "k").exists()
    assert list(leases.live()) == []
    assert leases.take("k", {})


def test_a_lease_that_nobody_renews_is_free_once_it_is_old(leases, tmp_path):
    elsewhere = '{"owner": "0123456789abcdef-1-1"}'  # of another machine: only its age can tell
    (tmp_path / "k").write_text(elsewhere)
    aged(tmp_path / "k", LIFETIME - 5)
    assert not leases.take("k", {})
    aged(tmp_path / "k", 10)
    assert leases.take("k", {})


def test_a_lease_without_a_name_is_free_after_seconds(leases, tmp_path):
    (tmp_path / "k").touch()
    assert not leases.take("k", {})
    aged(tmp_path / "k", 6)
    assert leases.take("k", {})


def test_processes_are_told_apart_by_when_they_began():
    assert alive(owner())
    assert alive(f"{owner()}1") is False
    assert alive("0123456789abcdef-1-1") is None
    assert alive("") is None
