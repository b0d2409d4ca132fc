import json

import pytest

from experiments import bench
from experiments.cli import main


def run(capfd, *words):
    with pytest.raises(SystemExit) as stopped:
        main(["bench", *words])
    return stopped.value.code, *capfd.readouterr()


def test_every_benchmark_is_listed_with_what_it_measures(capfd):
    status, out, _ = run(capfd, "--json")
    listed = json.loads(out)["benchmarks"]
    assert status == 0
    assert listed == bench.names()
    assert {"mixture_chain", "tangent_chain", "chaos_game", "block_matching", "lyapunov"} <= set(listed)
    assert not {"limits", "machine", "peers"} & set(listed)
    assert all(text.endswith((".", "?")) for text in listed.values())


def test_a_benchmark_runs_with_the_threads_asked_for_and_writes_its_results(capfd, tmp_path):
    status, out, _ = run(capfd, "geometry", "--rounds", "1", "-o", str(tmp_path / "geometry.json"))
    found = json.loads((tmp_path / "geometry.json").read_text())
    assert status == 0
    assert found["title"] in out
    assert found["settings"]["threads"] == "unknown: threadpoolctl is not installed" or all(
        pool.endswith(": 1") for pool in found["settings"]["threads"].split(", ")
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mixture_chian"], "mixture_chain"),
        (["geometry", "--rounds", "0"], "--rounds must be at least 1, got 0."),
        (["geometry", "-o", "no/such/folder.json"], "--output must lie in a folder that exists"),
        (["geometry", "--threads", "0"], "threads"),
    ],
)
def test_bad_input_gets_one_line(capfd, words, message):
    status, _, err = run(capfd, *words)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
