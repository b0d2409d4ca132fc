"""A batch file says what is wrong with it, and where."""

import pytest

import experiments.studies
from experiments.batch import Batch, Range, plans, read
from experiments.study import lacking, names
from tests.experiments.drive import PROBES


@pytest.fixture(autouse=True)
def probes(monkeypatch):
    monkeypatch.setattr(experiments.studies, "__path__", [*experiments.studies.__path__, PROBES])


def written(tmp_path, text):
    path = tmp_path / "b.toml"
    path.write_text(text)
    return path


def test_a_batch_is_what_the_file_says(tmp_path):
    path = written(
        tmp_path,
        """
        studies = ["probe"]
        grid = "paper"
        workers = 3
        [overrides.probe]
        mode = "slow"
        n = {start = 1, stop = 100, count = 3, scale = "log"}
        scale = [2, 0.5]
        [limits]
        timeout = 1.5
        memory = 300
        """,
    )
    batch = read(path)
    (made,) = plans(batch, path)
    assert made.axes == {"mode": ("slow",), "n": (1, 10, 100), "scale": (2.0, 0.5)}
    assert (batch.workers, batch.limits.timeout, batch.limits.memory, len(made)) == (3, 1.5, 300, 6)


def test_ranges_include_their_ends():
    assert Range(start=10, stop=100, step=45).values() == [10, 55, 100]
    assert Range(start=0, stop=1, step=0.1).values() == pytest.approx([i / 10 for i in range(11)], abs=1e-15)
    assert Range(start=0.0, stop=1.0, count=3).values() == [0.0, 0.5, 1.0]
    assert Range(start=1e-3, stop=10.0, count=5, scale="log").values() == pytest.approx([1e-3, 1e-2, 0.1, 1, 10])
    assert Range(start=1, stop=3, count=9).values() == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("studies == 1", ("not TOML", "line 1")),
        ("studies = []", ("line 1", "`studies`", "at least 1 item")),
        ('studies = ["prob"]', ("line 1", "unknown study 'prob'", "did you mean probe")),
        ('studies = ["probe"]\n[overrides.prob]\nn = [1]', ("line 2", "unknown study 'prob'", "probe")),
        ("\nworker = 2", ("line 2", "unknown key `worker`", "did you mean workers")),
        ("grid = 3", ("line 1", "`grid`", "string", "'3'")),
        ('workers = "many"', ("line 1", "`workers`", "integer", "'many'")),
        ("workers = -1", ("line 1", "`workers`", "greater than or equal to 0", "'-1'")),
        ("[limits]\ntimeout = 0", ("line 2", "`limits.timeout`", "greater than 0")),
        ("[limits]\ntime_out = 3", ("line 2", "unknown key `limits.time_out`", "did you mean timeout")),
        ('backend = "gpu"', ("line 1", "`backend`", "'gpu'")),
        ('studies = ["probe"]\nbackend = "cuda"', ("`backend` must be 'cpu' for probe",)),
        ('studies = ["probe"]\ngrid = "papr"', ("`grid` must be one of smoke, paper", "'papr'")),
        ('studies = ["probe"]\n[overrides.probe]\nn = []', ("line 3", "`overrides.probe.n`", "at least 1")),
        ('studies = ["probe"]\n[overrides.probe]\nm = [1]', ("line 3", "`m` is no axis of probe", "mode, n, scale")),
        ('studies = ["probe"]\n[overrides.probe]\n\nn = [1, 1.5]', ("line 4", "`n` of probe must be whole", "1.5")),
        (
            'studies = ["probe"]\n[overrides.probe]\nscale = ["x"]',
            ("line 3", "`scale` of probe must be numbers", "'x'"),
        ),
        ('studies = ["probe"]\n[overrides.probe]\nscale = [nan]', ("line 3", "`scale` of probe must be finite", "nan")),
        ('studies = ["probe"]\n[overrides.probe]\nn = {start = 3, stop = 1, step = 1}', ("line 3", "`stop` must be")),
        ('studies = ["probe"]\n[overrides.probe]\nn = {start = 3, stop = 9}', ("line 3", "`step` or `count`")),
        ('studies = ["probe"]\n[overrides.probe]\nn = {from = 3, stop = 9}', ("line 3", "unknown key", "start")),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, words):
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=r"\A[^\n]*\Z") as error:
        plans(read(path), path)
    for word in ("b.toml", *words):
        assert word in str(error.value)


def test_all_studies_are_meant_if_none_is_named():
    assert [plan.study for plan in plans(Batch())] == [name for name in names() if not lacking(name)]
