"""The judged heuristics: numbers of the committed page, and a drawing of a few of them."""

from pathlib import Path

import numpy as np
import pytest

from experiments import heuristics, heuristics_page
from experiments.figures.heuristics import heuristics as sheet
from pifs_sim.diffusion import schedules

LAM = np.geomspace(1e-3, 10.0, 12)
PAGE = (Path(heuristics.__file__).with_name("results") / "heuristics.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def found():
    gamma = np.array([0.1, 5.0, np.inf])
    return (
        [heuristics.offsets(20, np.array([0.0, 0.008]), LAM)],
        [heuristics.of_power(2.0), heuristics.of_picture(heuristics.photographs()["grace_hopper.jpg"])],
        [heuristics.weights(schedules.cosine(50), "photograph", LAM, gamma)],
        heuristics.tables(LAM, np.array([0.0])),
    )


def test_the_committed_page_holds_what_is_computed(found):
    page = heuristics_page.render(*found)
    for start in (
        "| k^-2 |",
        "| grace_hopper.jpg |",
        "| two-scale |",
        "| log-polynomial |",
        "| one-scale |",
        "| workload |",
    ):
        line = next(line for line in page.splitlines() if line.startswith(start))
        assert line in PAGE


def test_no_offset_is_the_unit_of_its_errors(found):
    curve = found[0][0]
    assert (curve.kl[0], curve.w2[0]) == (1.0, 1.0)
    assert curve.kl[1] > 1
    assert (curve.share <= 1 + 1e-12).all()


def test_the_sheet_has_a_panel_for_each(found):
    titles = [axes.get_title() for axes in sheet(*found).axes]
    assert [title.split(":")[0] for title in titles if title] == [
        "Cosine offset",
        "Resolution shift",
        "Min-SNR",
        "Align Your Steps",
    ]
