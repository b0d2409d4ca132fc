"""Search for counterexamples to the inequalities of the ledger, and put the tightest cases on file.

`python -m theory.counterexamples [LABEL ...] --budget 600 --seed 0` prints a table and writes
theory/evidence/search.json; it ends with status 1 if a slack is negative beyond the error of its computation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from theory.search import Case, lowest, write
from theory.slacks import INEQUALITIES

__all__ = ["main", "row"]


def row(label: str, case: Case) -> str:
    """One line of the table: a claim's label and its tightest case."""
    violated = case.slack < -INEQUALITIES[label].tolerance
    cells = (label, f"{case.slack:.3g}", case.by, str(case.evaluations), INEQUALITIES[label].says)
    return "| " + " | ".join(cells) + " |" + (f" VIOLATED at {case.point}" if violated else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (the process's own by default); 1 if an inequality is violated, else 0."""
    parser = argparse.ArgumentParser(prog="counterexamples", description=__doc__)
    parser.add_argument("labels", nargs="*", metavar="LABEL", help="claims (default: all that have a slack)")
    parser.add_argument("--budget", type=int, default=600, help="evaluations for each claim")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="write nothing")
    given = parser.parse_args(arguments)
    unknown = [label for label in given.labels if label not in INEQUALITIES]
    if unknown:
        parser.error(f"unknown claim {unknown[0]!r}, expected one of {', '.join(INEQUALITIES)}.")
    print("| claim | least slack | found by | evaluations | slack |\n|---|---|---|---|---|")
    found = []
    for label in given.labels or INEQUALITIES:
        case = lowest(INEQUALITIES[label], given.budget, given.seed)
        found.append((label, case))
        print(row(label, case), flush=True)
        if not given.dry:
            write([(label, case)])
    return int(any(case.slack < -INEQUALITIES[label].tolerance for label, case in found))


if __name__ == "__main__":
    sys.exit(main())
