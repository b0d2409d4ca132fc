"""`pifs-sim dynamics`: what is printed is what the library says, and bad input gets one sentence."""

import json

import numpy as np
import pytest

from pifs_sim.dynamics import catalogue, lyapunov_spectrum


def test_the_list_holds_every_map_with_its_exact_exponents(run):
    status, out, err = run("dynamics", "list", "--json")
    assert (status, err) == (0, "")
    maps = {row["name"]: row for row in json.loads(out)["maps"]}
    assert set(maps) == set(catalogue.NAMES)
    assert maps["cat"]["exponents"] == pytest.approx(catalogue.cat().exponents)
    assert run("dynamics", "list")[1].count("\n") > len(maps)


def test_the_spectrum_is_the_library_s_for_that_seed(run):
    status, out, _ = run("dynamics", "spectrum", "cat", "--steps", "1e3", "--transient", "100", "--seed", "3", "--json")
    assert status == 0
    found, entry, rng = json.loads(out), catalogue.cat(), np.random.default_rng(3)
    expected = lyapunov_spectrum(entry.system, entry.x0(1, rng), 1000, transient=100, rng=rng)
    assert found["exponents"] == expected.exponents.tolist()
    assert found["exponents"] == pytest.approx(entry.exponents, abs=1e-12)
    assert found["steps"] == 1000
    assert found["kaplan_yorke"]["value"] == 2


def test_a_figure_is_drawn_and_a_table_printed(run, tmp_path):
    status, out, _ = run("dynamics", "spectrum", "cat", "--steps", "500", "--plot", "cat.svg")
    assert status == 0
    assert "Kaplan–Yorke dimension" in out
    assert "λ_1" in (tmp_path / "cat.svg").read_text(encoding="utf-8")


def test_orbits_that_diverge_are_a_failed_check_that_says_where(run):
    status, out, _ = run("dynamics", "spectrum", "henon", "--set", "a=3", "--steps", "1000")
    assert status == 1
    assert "left the finite points at step n=" in out


def test_dimensions_come_with_their_ranges(run):
    status, out, _ = run("dynamics", "dimension", "cat", "--points", "20000", "--json", "--plot", "d.png")
    assert status == 0
    found = json.loads(out)
    low, high = found["correlation"]["interval"]
    assert low <= found["correlation"]["value"] <= high
    assert found["correlation"]["value"] == pytest.approx(2, abs=0.1)
    assert found["kaplan_yorke"]["value"] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("spectrum", "hennon"), ("hennon", "henon")),
        (("spectrum", "henon", "--steps", "many"), ("whole number", "many")),
        (("spectrum", "henon", "--steps", "0"), ("steps", "0")),
        (("spectrum", "henon", "--orbits", "0"), ("orbits", "0")),
        (("spectrum", "henon", "--k", "3"), ("`k`", "3")),
        (("spectrum", "henon", "--set", "c=1"), ("`c`", "a, b")),
        (("spectrum", "henon", "--set", "a"), ("name=number", "'a'")),
        (("spectrum", "henon", "--target-stderr", "-1"), ("target_stderr", "-1")),
        (("spectrum", "henon", "--steps", "10", "--plot", "x.xyz"), ("xyz",)),
        (("dimension", "henon", "--points", "10"), ("points", "10")),
        (("dimension", "henon", "--set", "a=3", "--points", "1000"), ("henon", "finite")),
    ],
)
def test_bad_input_gets_one_sentence(run, refused, arguments, words):
    assert refused(run("dynamics", *arguments), *words)
