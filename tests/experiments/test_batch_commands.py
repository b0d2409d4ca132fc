"""`pifs-sim run`, `status`, `query`, `export`: what is said is what is in the store."""

import csv
import json

import pyarrow.parquet as pq
import pytest

import experiments.studies
from experiments import batches
from experiments.store import Store
from experiments.study import load
from tests.experiments.drive import PROBES


@pytest.fixture(autouse=True)
def probes(monkeypatch):
    monkeypatch.setattr(experiments.studies, "__path__", [*experiments.studies.__path__, PROBES])


@pytest.fixture
def full(run):
    """A store of the probe's smoke grid, in the folder of the test."""
    status, out, _ = run("run", "probe", "--workers", "0", "--json")
    assert status == 0
    return json.loads(out)


def test_a_second_run_finds_everything(run, full):
    assert (full["runs"], full["computed"], full["found"], full["failed"]) == (6, 6, 0, 0)
    assert full["verdicts"]["probe"]["answer"] == "confirmed"
    assert "6 runs in 'store': 6 found, 0 computed, 0 failed" in run("run", "probe", "--workers", "0")[1]


@pytest.mark.usefixtures("full")
def test_status_counts_what_is_left(run, tmp_path):
    (tmp_path / "b.toml").write_text('studies = ["probe"]\n[overrides.probe]\nmode = ["well", "raise"]\nn = [1, 7]\n')
    assert run("run", "b.toml", "--dry-run")[1] == "probe smoke: 8 runs (mode 2 × n 2 × scale 2), 6 to run\n"
    status, out, _ = run("status", "b.toml", "--json")
    assert status == 0
    (row,) = json.loads(out)["plans"]
    assert {name: row[name] for name in ("runs", "done", "running", "failed", "left")} == {
        "runs": 8,
        "done": 2,
        "running": 0,
        "failed": 0,
        "left": 6,
    }
    assert run("run", "b.toml", "--workers", "0")[0] == 1
    found = json.loads(run("status", "b.toml", "--json", "--verify")[1])
    assert [found["plans"][0][name] for name in ("done", "failed", "left")] == [4, 4, 0]
    assert found["verified"]
    everything = run("status")[1]
    assert "8 records and 4 failures in 'store'" in everything
    assert everything.count("probe") == 2


def test_a_study_whose_packages_are_not_installed_is_refused_or_left_out(run, refused, monkeypatch):
    monkeypatch.setattr(load("probe"), "NEEDS", ("no_such_package",), raising=False)
    assert refused(run("run", "probe"), "probe needs no_such_package")
    status, out, err = run("run", "--dry-run")
    assert status == 0
    assert "probe" not in out
    assert "left out" in err
    assert "no_such_package" in err


@pytest.mark.usefixtures("full")
def test_verification_names_what_is_damaged(run, tmp_path):
    store = Store.open(tmp_path / "store")
    study, key = next(store.contents())
    path = store.folder(study, key) / "rows.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    status, out, _ = run("status", "--verify")
    assert status == 1
    assert f"damaged: record probe/{key}: rows.parquet differs from its checksum" in out
    status, _, err = run("run", "probe", "--workers", "0")
    assert status == 0
    assert err.startswith("pifs-sim: damaged: probe")
    assert run("status", "--verify")[0] == 0


@pytest.mark.usefixtures("full")
def test_a_query_is_answered_in_rows_and_changes_nothing(run, refused):
    status, out, _ = run("query", "select n, count(*) c from probe group by n order by n", "--json")
    assert (status, json.loads(out)["rows"]) == (0, [{"n": 1, "c": 4}, {"n": 2, "c": 6}, {"n": 3, "c": 2}])
    assert "n3" in run("query", "select distinct word from probe")[1]
    assert refused(run("query", "drop table probe"), "read-only")
    assert refused(run("query", "selec 1"), "syntax error")
    assert refused(run("query", "from prob"), "prob")


@pytest.mark.usefixtures("full")
def test_an_export_holds_every_row(run, refused, tmp_path):
    rows = {(n, scale, i) for n in (1, 2, 3) for scale in (1.0, 2.5) for i in range(n % 3 + 1)}
    assert run("export", "probe", "-o", "p.parquet")[:2] == (0, "Wrote p.parquet\n")
    found = pq.read_table(tmp_path / "p.parquet").to_pylist()
    assert {(row["n"], row["scale"], row["i"]) for row in found} == rows
    assert run("export", "probe", "--format", "csv", "-o", "p.csv")[0] == 0
    with open(tmp_path / "p.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert {(int(row["n"]), float(row["scale"]), int(row["i"])) for row in lines} == rows
    assert {float(row["value"]) for row in lines} == {row["value"] for row in found}  # no digit is lost
    assert refused(run("export", "prob", "-o", "x.csv"), "prob", "did you mean probe")
    assert refused(run("export", "probe", "--format", "xml", "-o", "x"), "xml")
    assert not list(tmp_path.glob(".p*"))


def test_evidence_depends_on_the_records_alone(run, tmp_path):
    words = ("run", "probe", "--workers", "0", "--record", "--evidence")
    for store, folder in (("one", "a"), ("two", "b"), ("one", "c")):
        assert run(*words, folder, "--store", store)[0] == 0
    texts = {(tmp_path / folder / "probe.json").read_text() for folder in "abc"}
    assert len(texts) == 1
    content = json.loads(texts.pop())
    assert (content["study"], content["version"], content["grid"], content["runs"]) == ("probe", 1, "smoke", 6)
    assert content["verdict"] == {"answer": "confirmed", "text": "12 rows.", "numbers": {"rows": 12.0}}
    assert content["scope"] == "mode: well; n: 1, 2, 3; scale: 1, 2.5"
    assert len(content["keys"]) == 6


def test_what_cannot_be_run_is_refused_in_one_sentence(run, refused, tmp_path, monkeypatch):
    assert refused(run("run", "prob"), "unknown study 'prob'", "probe")
    assert refused(run("run", "absent.toml"), "'absent.toml': no such file or directory.")
    assert refused(run("run", "probe", "--grid", "papr"), "smoke, paper", "'papr'")
    assert refused(run("run", "probe", "--workers", "0", "--timeout", "3"), "`workers` must be at least 1", "0")
    assert refused(run("status"), "'store' is no store")
    (tmp_path / "b.toml").write_text(
        'studies = ["probe"]\n[overrides.probe]\nn = {start = 1, stop = 600000, step = 1}\n'
    )
    assert refused(run("run", "b.toml", "--workers", "0"), "1200000 runs", "--yes")
    monkeypatch.setattr(batches, "find_spec", lambda name: None if name == "duckdb" else object())
    for words in (("run", "probe"), ("status",), ("query", "from runs"), ("export", "probe", "-o", "x")):
        assert refused(run(*words), "duckdb is not installed", "pifs-sim[batch]")
    assert not (tmp_path / "store").exists()
