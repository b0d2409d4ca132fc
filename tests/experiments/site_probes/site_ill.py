"""Does it go wrong?"""

from experiments.study import Verdict

NAME, VERSION, CLAIMS, TOLERANCE = "site_ill", 1, (), 0.0
GRIDS = {"smoke": {"n": [1, 2]}, "paper": {"n": [1]}, "none": {"n": [2]}}


def run(*, n: int, rng):
    del rng
    if n == 2:
        raise RuntimeError("<no 2>")
    return [{"value": n}]


def verdict(rows):
    return Verdict("confirmed", f"{1 / (len(rows) - 1)}")


def plot(rows):
    return rows[0]["no plot"]
