"""The proof engines: what they prove, what they refute with a confirmed point, and what they admit not to know."""

from types import SimpleNamespace

import pytest
import sympy as sp

from theory.claim import Certified, Identity, Implies, Lemma, NotProved
from theory.formulas import DELTA, MEAN_ANGLE, PHI_S, PHI_T, B, R
from theory.proofs import assistant, enclosures, engines, inequalities

THRESHOLD = sp.sin(MEAN_ANGLE) / sp.cos(DELTA / 2)
X, Y = sp.symbols("x y", real=True)
needs_z3 = pytest.mark.skipif(not inequalities.available(), reason="z3 is not installed")
needs_arb = pytest.mark.skipif(not enclosures.available(), reason="python-flint is not installed")
needs_coq = pytest.mark.skipif(not assistant.available(), reason="coqc is not installed")


def outcome(obligation):
    return engines.decide(obligation).outcome


def implied(hypotheses, conclusion, angles=(), **options):
    return inequalities.decide(Implies("", hypotheses, conclusion, angles, **options))


@needs_z3
def test_the_contraction_threshold_is_below_one_before_half_pi_and_not_at_it():
    assert implied((), THRESHOLD < 1, (PHI_S, PHI_T)).outcome == "passed"
    at = implied((), THRESHOLD < 1, (PHI_S, PHI_T), to_half_pi=True)
    assert at.outcome == "failed"
    assert "phi_t = 1.5707963" in at.detail


@needs_z3
def test_hypotheses_are_used():
    between = (X > THRESHOLD, X < (R + 1) / -B)
    assert implied(between, R + B * X < 1, (PHI_S, PHI_T)).outcome == "passed"
    assert implied(between[1:], R + B * X < 1, (PHI_S, PHI_T)).outcome == "failed"


@needs_z3
def test_hypotheses_that_contradict_each_other_prove_nothing():
    found = implied((X > 1, X < 0), Y > 3)
    assert found.outcome == "unknown"
    assert "contradict" in found.steps[-1]


@needs_z3
def test_square_roots_are_the_non_negative_ones():
    assert implied((X >= 0,), sp.sqrt(1 + X) <= 1 + X / 2).outcome == "passed"
    assert implied((X >= 0,), sp.sqrt(1 + X) < 1 + X / 2).outcome == "failed"


@needs_z3
def test_a_solver_that_gives_up_decides_nothing(monkeypatch):
    import z3

    tired = SimpleNamespace(check=lambda: z3.unknown, reason_unknown=lambda: "timeout")
    solvers = iter([inequalities._solver([]), tired])  # of the hypotheses alone, and with the conclusion negated
    monkeypatch.setattr(inequalities, "_solver", lambda _: next(solvers))
    found = implied((X > 0,), X > -1)
    assert (found.outcome, found.steps[-1]) == ("unknown", "z3 gave up: timeout")


@needs_z3
def test_powers_of_one_root_are_those_of_one_number():
    three_halves = (1 + X) ** sp.Rational(3, 2)
    assert implied((X > 0,), sp.sqrt(1 + X) < three_halves).outcome == "passed"
    assert implied((X > -1,), sp.sqrt(1 + X) < three_halves).outcome == "failed"


@needs_z3
def test_an_undefined_conclusion_is_not_proved():
    assert implied((), X / X > 0).outcome in ("passed", "failed")  # SymPy has already made it 1 > 0
    assert implied((), 1 / X**2 > 0).outcome == "failed"
    assert implied((sp.Ne(X, 0),), 1 / X**2 > 0).outcome == "passed"


@needs_z3
def test_what_is_not_rational_in_half_angle_tangents_is_unknown():
    assert implied((), sp.sin(PHI_T) < PHI_T, (PHI_T,)).outcome == "unknown"


@needs_arb
def test_a_sign_is_certified_over_a_box_and_refuted_at_a_point_of_it():
    assert outcome(Certified("", lambda arb, x: x.sin() - x / 2, ((0.1, 1.8),))) == "passed"  # noqa: ARG005
    assert outcome(Certified("", lambda arb, x: x.sin() - x / 2, ((1.8, 2.0),))) == "failed"  # noqa: ARG005


@needs_arb
def test_a_zero_on_the_boundary_is_undecided():
    assert outcome(Certified("", lambda arb, x: x - x**2 / 2, ((0.0, 1.0),))) == "unknown"  # noqa: ARG005
    assert outcome(Certified("", lambda arb: arb.pi() - arb.pi())) == "unknown"


def test_an_engine_that_is_absent_is_not_run(monkeypatch):
    for module in (inequalities, enclosures, assistant):
        monkeypatch.setattr(module, "available", lambda: False)
    assert outcome(Implies("", (), X**2 >= 0)) == "not run"
    assert outcome(Certified("", lambda arb: arb(1))) == "not run"
    lemma = Lemma("telescoping", "an absent engine")
    assert assistant.check(frozenset({lemma}))[lemma].outcome == "not run"


def test_a_need_that_no_engine_meets_is_not_run():
    assert outcome(NotProved("limit", "analysis")) == "not run"
    assert outcome(Identity("", X - X)) == "passed"


def test_every_line_of_unknown_output_counts_as_an_assumption():
    axiom = "Axioms:\nClassical_Prop.classic : forall P : Prop, P \\/ ~ P\nmine\n  : False\n"
    assert assistant.assumptions("Closed under the global context\n") == []
    assert assistant.assumptions(axiom) == ["Classical_Prop.classic", "mine"]
    assert assistant.assumptions("") == ["nothing printed"]
    assert assistant.assumptions("Something else") == ["Something else"]


def test_files_that_require_each_other_are_an_error_of_each(tmp_path):
    sources = {"One": "Require Import Two.\n", "Two": "Require Import One.\n", "Alone": ""}
    said = "files require each other in a circle"
    assert assistant._compile(sources, ["One"], tmp_path) == {"One": said, "Two": said}


FILES = {
    "Sound.v": "Theorem sound : 1 + 1 = 2.\nProof. reflexivity. Qed.\n",
    "Admitted.v": "Theorem easy : forall n : nat, n = 0.\nProof. Admitted.\n",
    "Own.v": "Require Import Sound.\nAxiom mine : forall n : nat, n = 0.\n"
    "Theorem own : 1 = 0.\nProof. apply mine. Qed.\n",
    "Wrong.v": "Theorem wrong : 1 = 0.\nProof. reflexivity. Qed.\n",
    "After.v": "Require Import Wrong.\nTheorem after : 0 = 0.\nProof. reflexivity. Qed.\n",
}


@needs_coq
def test_only_a_theorem_without_foreign_assumptions_passes(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    names = ("sound", "easy", "own", "wrong", "after", "missing")
    lemmas = dict(zip(names, [*FILES, "Sound.v"], strict=True)) | {"nowhere": "Nowhere.v"}
    found = assistant.check(frozenset(Lemma(*pair) for pair in lemmas.items()), tmp_path)
    said = {lemma.name: decision for lemma, decision in found.items()}
    assert {name for name, decision in said.items() if decision.outcome == "passed"} == {"sound"}
    assert {decision.outcome for name, decision in said.items() if name != "sound"} == {"failed"}
    assert "assumes: nothing" in said["sound"].steps
    assert "mine" in said["own"].detail
    assert "requires Wrong" in said["after"].detail
    assert "there is no Nowhere.v" in said["nowhere"].detail


def test_the_coq_files_admit_nothing_and_state_no_axioms():
    for path in assistant.FOLDER.glob("*.v"):
        text = path.read_text(encoding="utf-8")
        assert not any(word in text for word in ("Admitted", "admit", "Axiom", "Parameter", "Unset")), path.name
