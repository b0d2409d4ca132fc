"""Formulas of docstrings are set symbol by symbol, and what is no formula stays as it is."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the docs extra is not installed")
sys.path.append(str(Path(__file__).parent.parent.parent / "docs"))

from extensions.docstrings import to_rst
from extensions.formulas import display, pieces
from extensions.mathml import mathml
from extensions.reference import documented

FORMULAS = {
    "lam*_t": r"\lambda_{t}^{*}",
    "lam**": r"\lambda^{**}",
    "phi_{t-1}": r"\varphi_{t -1}",
    "sqrt(v_s/v_t)": r"\sqrt{v_{s} /v_{t}}",
    "alpha_bar_t": r"\bar{\alpha}_{t}",
    "x_hat = E[x_0 | x_t]": r"\hat{x} =E [x_{0} \,|\,x_{t} ]",
    "<u, J u> > 1": r"\langle u ,J \,u \rangle >1",
    "||A_kj||": r"\|A_{kj} \|",
    "(B, d, p)": "(B ,d ,p )",
    "tan phi_t / tan(mean angle)": r"\tan \varphi_{t} /\tan (\text{mean}\,\text{angle})",
    "|d phi| <= 1.2e-16": r"|d \,\varphi |\le 1.2 \cdot 10^{-16}",
    "sum_{j != k} A_kj": r"\sum_{j \ne k} A_{kj}",
    "d x d": r"d \times d",
}


@pytest.mark.parametrize("source", FORMULAS)
def test_a_formula_is_one_piece(source):
    (piece,) = pieces(source)
    assert piece.kind == "math"
    assert piece.latex.replace("  ", " ").strip() == FORMULAS[source]


@pytest.mark.parametrize(
    "text",
    [
        "A step is what it is; a distance, not squared.",
        "The sum of all exponents exactly, or None.",
        'start: "marginal" or "normal".',
        "k-d tree, one-sided, 95 % intervals, DPM-Solver++(2M).",
        "The N-step chain? No formula in NumPy's uint8 or float32 arrays.",
    ],
)
def test_words_stay_words(text):
    shown = [piece for piece in pieces(text) if piece.kind == "math"]
    assert [piece.text for piece in shown] in ([], ["N"])


def test_the_pieces_are_the_sentence():
    text = "L*_t = (r_t - 1)/|b_t|, (T,), of `schedule`; see arXiv:2603.13069 and lam.shape, <u, v> <= 1."
    joined = "".join(f"`{p.text}`" if p.text == "schedule" else p.text for p in pieces(text))
    assert joined.replace("⟨", "<").replace("⟩", ">") == text


def test_a_block_of_formulas_is_mathematics_and_any_other_is_kept_as_typed():
    assert display("N_t = lam c_t^2 + s_t^2,   f_t(lam) = P_t / N_t") is not None
    assert display("Gaussian       N(mean, covariance)") is None
    block = ["Text.", "", "    Dense    any matrix", "    DirectSum   parts", "", "More."]
    assert to_rst(block)[2:6] == [".. code-block:: text", "", "   Dense    any matrix", "   DirectSum   parts"]


def test_every_formula_of_every_docstring_can_be_set():
    found = 0
    for value in documented().values():
        for line in (getattr(value, "__doc__", None) or "").splitlines():
            for piece in pieces(line.strip()):
                if piece.kind == "math":
                    assert mathml(piece.latex).startswith("<math")
                    found += 1
    assert found > 1000


def test_functions_are_upright_and_apart_from_their_arguments():
    assert "<mi>cos</mi></mrow>" not in mathml(r"\cos\varphi")
    assert '<mi>cos</mi><mspace width="0.167em" /><mi>&#x003C6;</mi>' in mathml(r"\cos\varphi")
    assert "<mtext>log1p</mtext>" in mathml(r"\operatorname{log1p} (x)")
