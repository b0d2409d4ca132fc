"""Engines return an outcome for each task, whatever becomes of the process that computes it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.engines import Inline, Limits, Pool, Worker
from experiments.outcome import _checked, _Refused, evaluate
from tests.experiments.drive import tasks

ROOT = Path(__file__).parents[2]


def outcomes(engine, wanted):
    """By n; the engine is closed."""
    found, wanted = {}, list(wanted)
    try:
        while wanted or engine.busy():
            while wanted and engine.room() > 0:
                engine.submit(wanted.pop(0))
            found |= {outcome.task.point["n"]: outcome for outcome in engine.collect()}
    finally:
        engine.close()
    return found


def test_runs_that_fail_leave_the_others_as_they_are():
    well = tasks("well", "smoke", n=[1, 2, 3], scale=[2.0])
    bad = [
        tasks(mode, "smoke", n=[n], scale=[2.0])[0] for n, mode in ((4, "nan"), (5, "raise"), (6, "die"), (7, "hang"))
    ]
    found = outcomes(Pool(2, Limits(timeout=1.0)), [*bad[:2], well[0], *bad[2:], *well[1:]])
    assert [found[n].rows for n in (1, 2, 3)] == [evaluate(task).rows for task in well]
    kinds = {n: found[n].failure.kind for n in (4, 5, 6, 7)}
    assert kinds == {4: "nan", 5: "exception", 6: "death", 7: "timeout"}
    assert found[4].failure.message == "column 'value' is NaN."
    assert 'raise RuntimeError(f"no {n}")' in found[5].failure.traceback
    assert "signal 9 (Killed), 2 times" in found[6].failure.message
    assert "probe.py" in found[7].failure.traceback  # where it hung
    assert 1.0 <= found[7].failure.seconds < 5.0


def test_a_run_that_needs_too_much_memory_fails_and_its_worker_goes_on():
    hungry, modest = tasks("memory", "smoke", n=[1], scale=[1.0])[0], tasks("well", "smoke", n=[2], scale=[1.0])[0]
    found = outcomes(Pool(1, Limits(memory=256)), [hungry, modest])  # it asks for 2 GB
    assert found[1].failure.kind == "memory"
    assert "np.ones" in found[1].failure.traceback
    assert found[2].rows == evaluate(modest).rows


def test_a_run_whose_worker_is_killed_once_is_tried_again():
    pool = Pool(1)
    task = tasks("slow", "smoke", n=[1], scale=[1.0])[0]
    pool.submit(task)
    pool._workers[0].process.kill()
    found = []
    while not found:
        found = pool.collect()
    pool.close()
    assert found[0].rows == evaluate(task).rows


def test_a_worker_has_one_thread_for_each_library_and_dies_with_its_engine():
    worker = Worker(Limits())
    worker.send(tasks("well", "smoke", n=[1], scale=[1.0])[0])
    while worker.answer() is None:  # a process that has only just been made shows no environment
        time.sleep(0.01)
    environment = Path(f"/proc/{worker.process.pid}/environ").read_bytes().split(b"\0")
    for name in (b"OPENBLAS", b"OMP", b"MKL", b"NUMBA"):
        assert name + b"_NUM_THREADS=1" in environment
    worker.stop()
    assert worker.process.returncode == -signal.SIGKILL


def test_the_engine_of_this_process_takes_one_task_at_a_time():
    engine = Inline()
    first, second = tasks("well", "smoke", n=[1, 2], scale=[1.0])
    engine.submit(first)
    assert (engine.room(), engine.busy()) == (0, 1)
    assert engine.collect()[0].rows == evaluate(first).rows
    assert engine.room() == 1
    assert outcomes(engine, [second])[2].rows == evaluate(second).rows


@pytest.mark.parametrize(
    ("returned", "kind", "words"),
    [
        ([], "rows", "at least one dict"),
        ({"a": 1}, "rows", "list"),
        ([{"a": 1}, {"b": 1}], "rows", "every row"),
        ([{"a": float("nan")}], "nan", "'a' is NaN"),
        ([{"a": None}], "rows", "numbers, strings or booleans"),
        ([{"a": 1}, {"a": "x"}], "rows", "one type"),
        ([{"a": True}, {"a": 1}], "rows", "one type"),
        ([{"a": 2**63}], "rows", "64 bits"),
        ([{"N": 1}], "rows", "'N'"),  # an axis, but for the case
        ([{"a": 1, "A": 2}], "rows", "'A'"),
        ([{"key": 1}], "rows", "reserved"),
    ],
)
def test_what_cannot_be_kept_is_a_failure(returned, kind, words):
    with pytest.raises(_Refused, match=words) as refusal:
        _checked(returned, tasks("well", "smoke")[0])
    assert refusal.value.kind == kind


def test_random_numbers_come_from_the_key_alone():
    first, second = tasks("well", "smoke", n=[2], scale=[1.0, 2.0])
    assert evaluate(first).rows == evaluate(first).rows
    assert evaluate(first).rows[0]["value"] * 2 != evaluate(second).rows[0]["value"]


RUNNER = """
import signal
from experiments.engines import Limits, Worker
from tests.experiments.drive import tasks
workers = [Worker(Limits()) for _ in range(2)]
for worker, task in zip(workers, tasks("hang", "smoke", n=[1, 2], scale=[1.0])):
    worker.send(task)
    worker.line.poll(60)  # it has begun
print(*(worker.process.pid for worker in workers), flush=True)
signal.pause()
"""


def test_workers_end_when_their_runner_is_killed():
    with subprocess.Popen([sys.executable, "-c", RUNNER], stdout=subprocess.PIPE, cwd=ROOT) as runner:
        pids = [int(word) for word in runner.stdout.readline().split()]
        runner.kill()
        runner.wait()
    start = time.monotonic()
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < start + 5
        time.sleep(0.02)
    assert len(pids) == 2


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
