"""`pifs-sim regimes`: tables, figure and JSON of laws of patches, and bad input in one sentence."""

import json

import numpy as np
import pytest
from PIL import Image

FAST = ("--image", "waves.png", "--patches", "2", "--steps", "4", "--samples", "3")


@pytest.fixture
def picture(tmp_path):
    y, x = np.mgrid[0:48, 0:56]
    waves = 128 + 90 * np.sin(x / 7) * np.cos(y / 5) + np.random.default_rng(0).normal(0, 5, (48, 56))
    Image.fromarray(np.uint8(np.clip(waves, 0, 255))).save(tmp_path / "waves.png")


@pytest.mark.usefixtures("picture")
def test_several_laws_are_tabled_and_drawn_together(run, tmp_path):
    status, out, err = run(
        "regimes", "--measure", "scale-mixture, points", *FAST, "--plot", "r.svg", "--table", "r.md", "--orbits", "2"
    )
    assert (status, err) == (0, "")
    assert "scale-mixture: 11 scales" in out
    assert "points: 1000 of" in out
    page = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "## scale-mixture" in page
    assert "## points" in page
    assert (
        "pifs-sim regimes --measure scale-mixture,points --patches 2 --across 2 --schedule cosine --steps 4 "
        "--samples 3 --orbits 2 --seed 0 --image waves.png --plot r.svg --table r.md`" in page
    )
    assert page.count("by whole products") == 2
    drawing = (tmp_path / "r.svg").read_text(encoding="utf-8")
    assert "coupling δ" in drawing
    assert "suppression S" in drawing


@pytest.mark.usefixtures("picture")
def test_json_holds_every_step_of_every_law(run):
    status, out, _ = run("regimes", "--measure", "gaussian", *FAST, "--json")
    assert status == 0
    found = json.loads(out)
    (law,) = found["laws"]
    assert law["measure"] == "gaussian"
    assert law["patches"] == 4
    assert [row["t"] for row in law["steps"]] == [1, 2, 3, 4]
    assert all(abs(row["suppression_full"]) < 1e-12 for row in law["steps"])
    assert all(abs(row["margin"] - (1 - row["kappa"] - row["delta"])) < 1e-12 for row in law["steps"])
    assert len(law["leading_variances"]) == 4
    assert law["dimensions"]["effective"]["value"] == pytest.approx(law["dimensions"]["gaussian"], abs=1e-6)


@pytest.mark.usefixtures("picture")
def test_the_same_seed_draws_the_same_file(run, tmp_path):
    for name in ("a.svg", "b.svg"):
        assert run("regimes", "--measure", "points", *FAST, "--seed", "7", "--plot", name)[0] == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert run("regimes", "--measure", "points", *FAST, "--seed", "8", "--plot", "c.svg")[0] == 0
    assert (tmp_path / "a.svg").read_bytes() != (tmp_path / "c.svg").read_bytes()


@pytest.mark.usefixtures("picture")
def test_aligned_views_and_other_schedules_are_named(run):
    status, out, _ = run("regimes", "--measure", "points", *FAST, "--aligned", "--across", "3", "--schedule", "flow")
    assert status == 0
    assert "aligned views 6 x 6" in out
    assert "9 patches" in out
    assert "flow(4" in out


def test_help_shows_an_example(run):
    status, out, _ = run("regimes", "--help")
    assert status == 0
    assert "Example: pifs-sim regimes --measure" in " ".join(out.split())


@pytest.mark.usefixtures("picture")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--measure", "mixtrue"), ("mixtrue", "mixture")),
        (("--measure", ","), ("measure",)),
        (("--schedule", "cosin"), ("cosin", "cosine")),
        (("--patches", "0"), ("--patches",)),
        (("--patches", "40"), ("80 x 80",)),
        (("--steps", "0"), ("--steps",)),
        (("--samples", "none"), ("--samples",)),
        (("--orbits", "99"), ("--orbits", "99")),
        (("--image", "absent.png"), ("absent.png",)),
        (("--plot", "no/where.svg"), ("no", "where.svg")),
        (("--plot", "a.xyz"), ("xyz",)),
        (("--seed", "-1"), ("--seed",)),
    ],
    ids=lambda value: " ".join(value),
)
def test_bad_input_is_one_line_and_exit_2(run, refused, arguments, words):
    assert refused(run("regimes", "--measure", "points", *FAST, *arguments), *words)
