"""How the objects of pifs_sim.dynamics show themselves: one line that says what they are."""

import html.parser
import math
from typing import NamedTuple

import numpy as np
import pytest

from pifs_sim.dynamics import (
    Map,
    Patches,
    Tangent,
    block_norms,
    box_counting_dimension,
    catalogue,
    covariant_vectors,
    lyapunov_spectrum,
    operators,
)
from pifs_sim.dynamics.display import number, one_line, shown, table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.5, "0.5"),
        (1234.5678, "1235"),
        (12345.6, "1.235e4"),
        (0.0032, "3.200e-3"),
        (-2e-17, "-2.000e-17"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, "nan"),
    ],
)
def test_a_number_takes_few_characters(value, text):
    assert number(value) == text


def test_a_part_is_shown_by_its_entries_where_they_are_few_and_by_its_shape_elsewhere():
    assert shown(np.array([1.0, 2.5])) == "[1, 2.5]"
    assert shown(np.array(3.0)) == "3"
    assert shown(np.zeros((3, 2), np.float32)) == "float32 3×2"
    assert shown(np.array([True])) == "bool 1"
    assert shown(np.arange(9)) == "int64 9"
    assert shown((1,)) == "(1,)"
    assert shown([1.0, "a"]) == "[1, 'a']"
    assert shown(list(range(9))) == "[9 entries]"
    assert shown({"a": 1.0}) == "{a=1}"
    assert shown(dict.fromkeys(range(99))) == "{99 entries}"
    assert shown("x" * 100).endswith("…")
    assert shown(len) == "len"
    assert shown(object()) == "object(…)"


class Pair(NamedTuple):
    first: float
    second: np.ndarray | None = None

    def __repr__(self):
        return one_line(self)


def test_a_tuple_with_names_is_shown_by_them_without_what_is_none():
    assert repr(Pair(1.0)) == "Pair(first=1)"
    assert repr(Pair(1.0, np.zeros((2, 2)))) == "Pair(first=1, second=float64 2×2)"
    assert shown(Pair(2.0)) == "Pair(first=2)"


def rotation(x, n):
    return x + n


def derivative(x, n):
    return x * 0 + n


def test_systems_say_their_rule_and_dimension():
    assert repr(Map(rotation, dim=2)) == "Map(rotation, d=2)"
    assert repr(Map(rotation, dim=2, length=7)) == "Map(rotation, d=2, T=7)"
    assert repr(Map.compiled(rotation, derivative, dim=1, length=3)) == "Map.compiled(rotation, d=1, T=3)"
    assert repr(Tangent(Map(rotation, dim=2), 1)) == "Tangent(Map(rotation, d=2), p=1, d=4)"
    assert repr(catalogue.henon()) == "Entry(henon, a=1.4, b=0.3, d=2)"


def test_results_say_their_numbers_and_no_walls_of_arrays():
    cat, rng = catalogue.cat(), np.random.default_rng(0)
    found = lyapunov_spectrum(cat.system, cat.x0(2, rng), 100, transient=50)
    assert repr(found) == "LyapunovSpectrum([0.9624, -0.9624] of d=2, steps=100, Kaplan–Yorke 2 ± 0)"
    operator = operators.Dense(np.eye(4)[None] * np.ones((3, 1, 1)))
    points = rng.random((2000, 2))
    for value in (
        operator,
        block_norms(operator, Patches(4, 2)),
        box_counting_dimension(points),
        covariant_vectors(cat.system, cat.x0(2, rng), 20),
    ):
        text = repr(value)
        assert text.startswith(type(value).__name__)
        assert "\n" not in text
        assert "array(" not in text
        assert len(text) < 200


class Reader(html.parser.HTMLParser):
    """Counts tags, and fails on one that is not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data.strip())


def read(text):
    reader = Reader()
    reader.feed(text)
    assert not reader.open
    return reader


def test_a_table_of_a_notebook_has_a_caption_and_headers_with_scopes():
    found = read(table("a < b", ("k", "λ"), [("1", "2&3"), ("4", "5")]))
    assert "a < b" in found.words
    assert "2&3" in found.words
    headers = [attributes["scope"] for tag, attributes in found.seen if tag == "th"]
    assert headers == ["col", "col", "row", "row"]


def test_a_lyapunov_spectrum_is_a_table_in_a_notebook():
    entry = catalogue.logistic_lattice(sites=24)
    found = lyapunov_spectrum(entry.system, entry.x0(2, np.random.default_rng(0)), 60, transient=20)
    rows = [attributes for tag, attributes in read(found._repr_html_()).seen if attributes.get("scope") == "row"]
    assert len(rows) == 20
    assert "the first 20" in found._repr_html_()
    assert f"{found.exponents[0]:.6g}" in found._repr_html_()
