"""The index holds what the records hold, and can be lost at any time."""

import os
import time

import duckdb
import pytest

from experiments.engines import Inline
from experiments.plan import plan
from experiments.runner import run
from experiments.store import Store, StoreError
from experiments.store import index as indexing
from experiments.store.index import opened
from tests.experiments.drive import tasks


@pytest.fixture
def store(tmp_path):
    made = Store.create(tmp_path / "store")
    run(made, tasks("well", "smoke"), Inline())
    yield made
    made.close()


def ask(store, sql):
    with opened(store) as index:
        return index.database.execute(sql).fetchall()


def test_a_study_is_a_table_of_its_rows(store):
    rows = store.rows(plan("probe", "smoke"))
    assert ask(store, "SELECT count(*), sum(value) FROM probe WHERE even") == [
        (sum(row["even"] for row in rows), pytest.approx(sum(row["value"] for row in rows if row["even"]), rel=1e-12))
    ]
    assert ask(store, "SELECT study, count(*), sum(rows) FROM runs GROUP BY study") == [("probe", 6, len(rows))]


def test_what_is_new_is_added_and_what_is_gone_is_removed(store, monkeypatch):
    monkeypatch.setattr(indexing, "_CHUNK", 4)
    before = set(ask(store, "SELECT DISTINCT key FROM probe"))
    assert before == {(key,) for _, key in store.contents()}
    gone = sorted(store.contents())[::2]
    for study, key in gone:
        store.set_aside(study, key)
    run(store, tasks("well", "smoke", n=[7, 8]), Inline())
    after = {(key,) for _, key in store.contents()}
    assert len(after) == 3 + 4
    for table in ("probe", "runs"):
        assert set(ask(store, f"SELECT DISTINCT key FROM {table}")) == after


def test_runs_done_are_those_of_the_plan(store):
    run(store, tasks("raise", "smoke"), Inline())
    with opened(store) as index:
        assert index.done(plan("probe", "smoke"))[0] == 6
        assert index.done(plan("probe", "smoke", {"n": [2, 9], "scale": [2.5]}))[0] == 1
        assert index.done(plan("probe", "smoke", {"mode": ["slow"]}))[0] == 0
        assert index.database.execute("SELECT DISTINCT kind FROM failures").fetchall() == [("exception",)]


def test_an_index_that_cannot_be_read_is_made_again(store):
    expected = ask(store, "SELECT * FROM probe ORDER BY ALL")
    path = store.path / "index.duckdb"
    for damage in (b"", b"not a database", path.read_bytes()[:5000]):
        path.write_bytes(damage)
        assert ask(store, "SELECT * FROM probe ORDER BY ALL") == expected
    path.unlink()
    assert ask(store, "SELECT * FROM probe ORDER BY ALL") == expected


def test_an_altered_index_differs_from_a_fresh_one_until_it_is_made_again(store):
    ask(store, "UPDATE probe SET value = value + 1e-15 WHERE i = 0 AND n = 1")
    with opened(store) as index, opened(store, fresh=True) as fresh:
        assert index.differences(fresh) == ["probe"]
        index.rebuild()
        assert index.differences(fresh) == []


def test_columns_become_as_wide_as_later_rows_need(store):
    first, second, third = tasks("well", "smoke", n=[20, 21, 22], scale=[1.0])
    for task, rows in ((first, [{"a": 1}]), (second, [{"a": 0.5, "b": True}]), (third, [{"a": "many"}])):
        store.write(task, rows, {})
        ask(store, "FROM runs")  # each in a pass of its own
    assert ask(store, "SELECT n, a, b FROM probe WHERE n >= 20 ORDER BY n") == [
        (20, "1.0", None),
        (21, "0.5", True),
        (22, "many", None),
    ]
    with opened(store, fresh=True) as fresh:  # all in one pass
        found = fresh.database.execute("SELECT n, a::VARCHAR, b FROM probe WHERE n >= 20 ORDER BY n").fetchall()
    assert [(n, b) for n, _, b in found] == [(20, None), (21, True), (22, None)]


def test_a_damaged_record_is_named_and_left_out(store):
    study, key = next(store.contents())
    path = store.folder(study, key) / "rows.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with opened(store, fresh=True) as index:
        assert len(index.damaged) == 1
        assert key in index.damaged[0]
        assert index.database.execute("SELECT count(*) FROM runs").fetchone() == (5,)


def test_an_index_in_use_elsewhere_is_waited_for(store, monkeypatch):
    monkeypatch.setattr(indexing, "_PATIENCE", 0.3)
    monkeypatch.setattr(indexing.duckdb, "connect", lambda *_, **__: _refuse())
    start = time.monotonic()
    with pytest.raises(StoreError, match="in use"):
        ask(store, "FROM runs")
    assert time.monotonic() - start >= 0.3


def _refuse():
    raise duckdb.IOException("Could not set lock on file")


def test_a_reading_connection_changes_nothing(store, tmp_path):
    with opened(store) as index:
        database = index.reading()
        with pytest.raises(duckdb.Error):
            database.execute("DROP TABLE runs")
        with pytest.raises(duckdb.Error):
            database.execute(f"COPY runs TO '{tmp_path / 'x.csv'}'")
    assert not os.path.exists(tmp_path / "x.csv")
