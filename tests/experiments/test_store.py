"""A record is there whole or not at all, holds what was written, and is the same whoever writes it."""

import json
import os

import pytest

from experiments.engines import Inline
from experiments.outcome import evaluate
from experiments.plan import plan
from experiments.runner import run
from experiments.store import Damaged, Store, StoreError, record
from experiments.store.files import publish
from experiments.store.leases import owner
from tests.experiments.drive import records, tasks


@pytest.fixture
def store(tmp_path):
    made = Store.create(tmp_path / "store")
    yield made
    made.close()


@pytest.fixture
def task():
    return tasks("well", "smoke")[1]


def kept(store, task):
    run(store, [task], Inline())
    return store.folder(task.study, task.key)


def test_a_flip_of_any_bit_of_any_byte_is_noticed(store, task):
    files = store.files(task.study, kept(store, task).name)
    assert record.decode(files, task.key)["rows"] == 2
    for name in ("rows.parquet", "record.json"):
        for i in range(len(files[name])):
            altered = bytearray(files[name])
            altered[i] ^= 1 << (i % 8)
            with pytest.raises(Damaged, match=r"json|parquet"):
                record.decode({**files, name: bytes(altered)}, task.key)


@pytest.mark.parametrize("name", ["rows.parquet", "record.json"])
@pytest.mark.parametrize("length", [0, 1, 100, -1, None])
def test_a_record_cut_short_is_set_aside_and_computed_again(store, task, name, length):
    folder = kept(store, task)
    before = records(store.path)
    if length is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / name).read_bytes()[:length])
    with pytest.raises(Damaged):
        store.check(task)
    tally = run(store, [task], Inline())
    assert (tally.found, tally.computed, len(tally.damaged)) == (0, 1, 1)
    assert name in tally.damaged[0]
    assert records(store.path) == before
    assert len(list((store.path / "damaged").iterdir())) == 1


def test_the_record_of_another_run_is_noticed(store):
    one, other = tasks("well", "smoke")[:2]
    store.folder(other.study, other.key).parent.mkdir(parents=True, exist_ok=True)
    kept(store, one).rename(store.folder(other.study, other.key))
    with pytest.raises(Damaged, match="another run"):
        record.decode(store.files(other.study, other.key), other.key)


def test_provenance_is_beside_the_record_and_can_be_lost(store, task):
    folder = kept(store, task)
    about = json.loads((folder / "provenance.json").read_text())
    assert about.keys() == {"versions", "device", "commit", "backend", "seconds"}
    (folder / "provenance.json").write_text("{")
    assert store.check(task)
    assert store.provenance(plan("probe", "smoke")) == []


def test_one_and_one_point_zero_are_the_same_run():
    def of(*, n, scale):
        return list(plan("probe", "smoke", {"n": [n], "scale": [scale]}).tasks())

    assert of(n=2.0, scale=1) == of(n=2, scale=1.0)
    assert record.encode(of(n=2.0, scale=1)[0], [{"a": 1}]) == record.encode(of(n=2, scale=1.0)[0], [{"a": 1}])
    assert [task.point["scale"] for task in plan("probe", "smoke", {"scale": [1, 1.0, 3]}).tasks()] == [1.0, 3.0] * 3


def test_rows_come_back_in_the_order_of_the_grid_as_they_were(store):
    asked = plan("probe", "smoke")
    run(store, reversed(list(asked.tasks())), Inline())
    expected = [{**task.point, **row} for task in asked.tasks() for row in evaluate(task).rows]
    assert store.rows(asked) == expected
    assert {type(value) for row in store.rows(asked) for value in row.values()} == {int, float, str, bool}


def test_integers_beside_floats_become_floats(store, task):
    store.write(task, [{"a": 1}, {"a": 0.5}], {})
    assert [row["a"] for row in record.table(store.files(task.study, task.key)).to_pylist()] == [1.0, 0.5]


def test_a_record_that_is_there_is_left_as_it_is(tmp_path):
    assert publish(tmp_path / "a", {"x": b"first"}, scratch=tmp_path)
    assert not publish(tmp_path / "a", {"x": b"second"}, scratch=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a" / "x").read_bytes() == b"first"


def test_a_store_of_a_newer_schema_is_refused(store):
    (store.path / "store.json").write_text('{"schema": 2}')
    for door in (Store.open, Store.create):
        with pytest.raises(StoreError, match=r"schema 2.*up to 1"):
            door(store.path)


def test_what_is_no_store_is_refused_and_left_alone(tmp_path):
    with pytest.raises(StoreError, match="no store"):
        Store.open(tmp_path)
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(StoreError, match="not empty"):
        Store.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_plans_and_failures_come_back_as_they_were(store):
    asked = plan("probe", "smoke", {"mode": ["raise", "well"]})
    store.remember(asked, 2)
    assert store.plans() == [asked]
    run(store, asked.tasks(), Inline())
    found = store.failures(asked)
    assert [failure.message for failure in found] == [f"RuntimeError: no {f.task.point['n']}" for f in found]
    assert len(found) == 6
    assert all("raise RuntimeError" in failure.traceback for failure in found)
    assert store.failures(plan("probe", "smoke")) == []


def test_what_a_dead_runner_left_unfinished_is_removed(store):
    (store.path / "scratch" / "0123-1-1").mkdir()
    dead = store.path / "scratch" / owner().replace(str(os.getpid()), "4194304")
    dead.mkdir()
    Store.create(store.path).close()
    left = {path.name for path in (store.path / "scratch").iterdir()}
    assert "0123-1-1" in left  # of another machine: its runner may live
    assert dead.name not in left
    assert len(left) == 2  # and that of the store that is open here
