"""Is <the & sum> of
two lines even?

Falsifier: an odd one, a < b & c.
"""

from matplotlib.figure import Figure

from experiments.study import Verdict

NAME, VERSION, CLAIMS, TOLERANCE = "site_well", 1, ("moran", "reported-linear", "no-such-claim"), 0.0
GRIDS = {"smoke": {"word": ["a,b"], "n": [0]}, "paper": {"word": ["a,b", "</script>"], "n": [0, 1, 2]}}


def run(*, word: str, n: int, rng):
    del word, rng
    one = {"value": 10.0 ** (n - 1) / 3, "limit": float("-inf") if n else 1.5, "large": 2**60 + n, "said": 'a "b"\n'}
    return [one | {"i": i, "even": i % 2 == 0} for i in range(10)]


def verdict(rows):
    return Verdict("confirmed", f"{len(rows)} < 100 rows & more.", {"rows": float(len(rows))})


def plot(rows):
    """The values
    in order."""
    figure = Figure(figsize=(5.4, 3))
    figure.subplots().plot([row["value"] for row in rows])
    return figure
