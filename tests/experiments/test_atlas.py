"""The layout of the graph, the strip of errors, and what a claim's section says of its evidence."""

import re
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from experiments.report import atlas, findings
from experiments.report.graph import Node, draw
from experiments.report.layout import crossings, layered, spread
from experiments.report.strip import strip
from theory import checks
from theory.checks import Evidence
from theory.claim import Status
from theory.ledger import Entry
from theory.search import tightest

PASSED = (
    Evidence("sympy", "passed", "identity: of `N`", steps=("residual: a < b",)),
    Evidence("coq", "not run", "moran of Moran.v: left out"),
    Evidence("numbers", "passed", "5 witnesses", 2e-16),
    Evidence("property", "passed", "60 examples", 0.0),
    Evidence("mutants", "passed", "3 rejected"),
)
FAILED = (
    Evidence("counterexample", "failed", "one step: no root"),
    Evidence("correction", "passed", "moran holds at the counterexamples"),
)


def entry(label, evidence=PASSED, status=Status.CHECKED):
    claim = checks.load(label).CLAIM
    facts = {"source": claim.source, "scope": claim.scope, "statement": claim.statement}
    given = {"status": status, "expected": status, "supposed": status}
    return Entry(label=label, evidence=evidence, seconds=0.0, **facts, **given)


@st.composite
def graphs(draw):
    names = [f"n{i}" for i in range(draw(st.integers(0, 12)))]
    return {
        name: tuple(draw(st.lists(st.sampled_from(names[:i]), unique=True, max_size=3))) if i else ()
        for i, name in enumerate(names)
    }


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_heights_are_the_nearest_that_keep_order_and_gaps(wanted, random):
    gaps = [random.uniform(0, 50) for _ in wanted[1:]]
    found = spread(wanted, gaps)
    assert all(b - a >= gap - 1e-9 for (a, b), gap in zip(pairwise(found), gaps, strict=True))

    def distance(heights):
        return float(np.sum((np.asarray(heights) - wanted) ** 2))

    constraints = {"type": "ineq", "fun": lambda y: np.diff(y) - gaps}
    best = minimize(distance, found, constraints=constraints if gaps else (), method="SLSQP")
    assert distance(found) <= best.fun + 1e-6 * (1 + best.fun)


def test_heights_far_enough_apart_stay():
    assert_allclose(spread([0.0, 7.0, 30.0], [5.0, 5.0]), [0.0, 7.0, 30.0])
    assert_allclose(spread([3.0, 1.0], [2.0]), [1.0, 3.0])


def test_crossings_are_counted_pair_by_pair():
    right = {"a": "yx", "b": "xz", "c": "x"}
    edges = [(i, "xyz".index(y)) for i, name in enumerate("abc") for y in right[name]]
    crossing = sum(a < c and b > d for (a, b), (c, d) in product(edges, edges))
    assert crossings([list("abc"), list("xyz")], right) == crossing == 3


@given(graphs())
def test_a_claim_stands_right_of_all_that_it_uses_and_nothing_overlaps(uses):
    found = layered(uses, gap=10, bend=4)
    for name, used in uses.items():
        assert found.layer[name] == 1 + max((found.layer[other] for other in used), default=-1)
        for other in used:
            assert len(found.bends[other, name]) == found.layer[name] - found.layer[other] - 1
    for layer in set(found.layer.values()):
        nodes = sorted(found.height[name] for name in uses if found.layer[name] == layer)
        assert all(b - a >= 10 - 1e-9 for a, b in pairwise(nodes))
        passing = [b[layer - found.layer[e[0]] - 1] for e, b in found.bends.items() if _passes(found, e, layer)]
        assert all(abs(bend - node) >= 7 - 1e-9 for bend in passing for node in nodes)
    assert min(found.height.values(), default=0) >= 0


def _passes(found, edge, layer):
    return found.layer[edge[0]] < layer < found.layer[edge[1]]


def test_a_path_is_drawn_without_crossings():
    found = layered({"b": ("a",), "d": ("c",), "a": (), "c": ()}, gap=10, bend=4)
    assert (found.height["b"] - found.height["d"]) * (found.height["a"] - found.height["c"]) > 0


def test_the_graph_marks_the_ways_to_and_from_a_node():
    node = Node("PROVED", "a < b", (), None)
    uses = {"a": (), "b": ("a",), "c": ("b",), "d": ("a",), "e": ()}
    nodes = {name: replace(node, uses=used) for name, used in uses.items()}
    drawing, sheet = draw(nodes | {"d": replace(nodes["d"], status="NOT REPRODUCED", corrected_by="a")})
    edges = [set(css.split()) for css in re.findall(r'<path class="([^"]*)"', drawing)]
    assert edges == [{"edge", "e0", "e1", "e2"}, {"edge", "e0", "e1", "e2"}, {"edge", "e0", "e3", "corrected"}]
    for i, name in enumerate("abcde"):
        assert f'id="node-{name}" href="#claim-{name}"' in drawing
        assert (f"#node-{name}:is(:hover,:focus-visible)) .e{i}" in sheet) == (name != "e")
    assert 'class="node NOT-REPRODUCED"' in drawing
    assert "<title>a &lt; b</title>" in drawing


def test_a_graph_of_nothing_is_drawn():
    assert draw({})[1] == ""


def test_an_error_of_ten_times_as_much_is_drawn_a_decade_further():
    marks = [
        float(re.search(r'class="worst" d="M([\d.]+),', strip([], {"numbers": error}))[1])
        for error in (0.0, 1e-30, 1e-18, 1e-10, 1e-9, 1e-8, 1.0, 10.0, 1e5)
    ]
    assert marks[0] < 34 < marks[1] == marks[2]
    assert marks[-1] == marks[-2] < 380
    assert_allclose(marks[4] - marks[3], (marks[6] - marks[3]) / 10, atol=0.1)
    assert_allclose(marks[5] - marks[4], marks[4] - marks[3], atol=0.11)


def test_bars_are_as_high_as_the_points_are_many():
    drawing = strip([0.0, 1e-12, 1.1e-12, 1.2e-12, 1e-3], {})
    bars = re.search(r'class="bars" d="([^"]*)"', drawing)[1]
    heights = [float(height) for height in re.findall(r"v-([\d.]+)", bars)]
    assert_allclose(np.array(heights) / max(heights), [1 / 3, 1, 1 / 3], atol=0.01)
    assert "5 errors, 1 of them 0" in drawing


def test_errors_of_single_points_are_drawn():
    drawn = findings.measured([Evidence("property", "passed", "2 examples", 1e-9, errors=(0.0, 1e-9))])
    assert "2 errors, 1 of them 0; worst of property 1e-09" in drawn
    assert findings.measured(FAILED) == ""


def test_the_tightest_case_of_a_search_is_shown_with_its_verdict(monkeypatch):
    case = tightest("moran-minimum")
    claims = [checks.load(label).CLAIM for label in ("moran-minimum", "jacobian-form")]
    drawn, nothing = map(findings.searched, claims)
    assert nothing == ""
    assert f"<b>least slack</b> {case.slack:.2g} of lam**/least - 1, by {case.by}, after {case.evaluations} " in drawn
    assert '<li class="passed">' in drawn
    monkeypatch.setattr(findings, "tightest", lambda _: replace(case, slack=-0.1))
    assert '<li class="failed">' in findings.searched(claims[0])


def test_a_wrong_formula_is_rejected_unless_the_checks_say_that_it_survives():
    claim = checks.load("moran").CLAIM
    assert findings.mutants(claim, PASSED).count("<b>rejected</b>") == len(claim.mutants)
    alive = Evidence("mutants", "unknown", "survives: cotangent (rejected at 1 points); other (its residual is zero)")
    drawn = findings.mutants(claim, [alive])
    assert "cotangent: <b>survives</b> (rejected at 1 points)" in drawn
    assert drawn.count("<b>rejected</b>") == len(claim.mutants) - 1


def test_the_proof_counts_what_is_discharged_and_shows_its_steps():
    drawn = findings.proof(PASSED)
    assert "Proof: 1 of 2 obligations discharged (sympy 1)" in drawn
    assert "<li><code>residual: a &lt; b</code></li>" in drawn
    assert '<li class="not-run">' in drawn
    assert findings.proof(FAILED) == ""


def test_a_refuted_claim_shows_where_it_fails_and_leads_to_the_true_one_and_back():
    drawn = atlas.parts([entry("moran"), entry("moran-unconditional", FAILED, Status.REFUTED), *_rest()])["claims"]
    false, true = (re.search(rf'id="claim-{x}".*?</section>', drawn)[0] for x in ("moran-unconditional", "moran"))
    assert "<b>one step</b>: no root" in false
    assert "schedule = Schedule(uniform_angle(1), T=1, σ 0…∞)" in false
    assert '<dt>Corrected by</dt><dd><a href="#claim-moran">' in false
    assert '<dt>Corrects</dt><dd><a href="#claim-moran-unconditional">' in true
    assert '<dt>Uses</dt><dd><a href="#claim-expansion-is-projection">' in true
    assert "<dt>Used by</dt>" not in true


def _rest():
    return [entry("expansion-is-projection"), entry("diagonal-expansion")]


@pytest.mark.parametrize("believed", [Status.PROVED, Status.CHECKED])
def test_an_unexpected_status_is_marked(believed):
    odd = replace(_rest()[1], expected=believed)
    assert ("expected PROVED" in atlas.parts([odd])["claims"]) == (believed == Status.PROVED)


def test_reported_numbers_stand_beside_the_computed_ones():
    found = Evidence("recomputed", "passed", "printed 0.805, computed 0.80539; printed -1.000, computed -1", 6.2e-4)
    row = Entry("reported-linear", "s", "s", "s", *[Status.REPRODUCED] * 2, (found,), 0.0, Status.REPRODUCED)
    drawn = atlas.parts([row])
    assert "<span>0.805</span><span>0.80539</span><span>-1.000</span><span>-1</span>" in drawn["reported"]
    assert '<td class="n">0.0006</td>' in drawn["reported"]
    assert drawn["claims"] == ""
    assert 'id="show-REPRODUCED"' in drawn["filters"]
