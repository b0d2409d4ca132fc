"""What the commands of `pifs-sim schedule` say to people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from experiments.terminal import console, quantity_table

__all__ = ["ends", "say_audit", "say_design", "say_rows", "say_spectrum"]

_ERRORS = {"kl": "KL, nats", "w2": "W₂"}


def ends(schedule: Any) -> str:
    """The options of `schedule design` for the ends of a schedule."""
    return f"--sigma-min {schedule.sigma[0]:.6g} --sigma-max {schedule.sigma[-1]:.6g}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", overflow="fold")
    return table


def _resolved(spectrum: dict[str, Any]) -> str:
    share = spectrum["captured"]
    return "" if share == 1 else f"; {100 * share:.4g} % of the variance resolved, the rest spread evenly"


def say_audit(facts: dict[str, Any]) -> None:
    """Thresholds, errors, departures, and the advice last."""
    screen = console()
    span = f"σ {facts['sigma_min']:.6g} to {facts['sigma_max']:.6g}"
    screen.print(f"Spectrum: {facts['spectrum']['source']}{_resolved(facts['spectrum'])}", soft_wrap=True)
    screen.print(quantity_table([facts], span))
    table = _table(f"\nErrors on that spectrum, {facts['solver']}", "", *_ERRORS.values())
    rows = {
        "this schedule": facts,
        "best with as many steps": facts["optimum"],
        "what the class does": facts.get("of_class"),
        "this schedule, from N(0, I)": facts.get("from_noise"),
        "this schedule, 1.5 times the variances": facts["elsewhere"],
        "that best one, 1.5 times the variances": facts["optimum_elsewhere"],
    }
    for name, row in rows.items():
        if row is not None:
            table.add_row(name, *(f"{row[key]:.6g}" for key in _ERRORS))
    table.add_row("ratio to the best", *(f"{facts[f'{key}_ratio']:.4g}" for key in _ERRORS))
    screen.print(table)
    for found in facts["discrepancies"]:
        screen.print(f"Differs: {found['text']}", soft_wrap=True)
    for note in facts["notes"]:
        screen.print(f"Note: {note}", soft_wrap=True)
    screen.print(f"\n{facts['advice']}", soft_wrap=True)


def say_design(facts: dict[str, Any], output: Path) -> None:
    """The errors of the design and of the usual schedules, and where it was written."""
    screen = console()
    screen.print(f"Spectrum: {facts['spectrum']['source']}{_resolved(facts['spectrum'])}", soft_wrap=True)
    span = f"σ {facts['sigma_min']:.6g} to {facts['sigma_max']:.6g}, {facts['solver']}"
    table = _table(span, "schedule", *_ERRORS.values())
    for row in (facts, *facts["rivals"]):
        table.add_row(row["schedule"], *(f"{row[key]:.6g}" for key in _ERRORS))
    screen.print(table)
    for note in facts["notes"]:
        screen.print(f"Note: {note}", soft_wrap=True)
    screen.print(f"\nWrote {output} ({facts['export']})", soft_wrap=True)


def say_rows(rows: Sequence[dict[str, Any]], source: str, notes: Sequence[str]) -> None:
    """Schedules side by side, one a column."""
    screen = console()
    quantities = {
        "steps N": "steps",
        "σ from": "sigma_min",
        "σ to": "sigma_max",
        "L*_1": "contraction_threshold_first",
        "mean L*": "contraction_threshold_mean",
        "λ**": "moran_threshold",
        "d": "dimension_full",
        "KL, nats": "kl",
        "W₂": "w2",
    }
    screen.print(f"Spectrum: {source}", soft_wrap=True)
    table = _table("", "schedule", *(row["name"] for row in rows))
    for what, key in quantities.items():
        table.add_row(what, *(f"{row[key]:.6g}" for row in rows))
    screen.print(table)
    for note in notes:
        screen.print(f"Note: {note}", soft_wrap=True)


def say_spectrum(facts: dict[str, Any], output: Path | None) -> None:
    """Size, variance, the two fits with their intervals, and where it was written."""
    screen = console()
    screen.print(f"{facts['source']}{_resolved(facts)}", soft_wrap=True)
    print(f"total variance {facts['total_variance']:.6g}, leading eigenvalue {facts['leading_eigenvalue']:.6g}")
    law, two = facts["power_law"], facts["two_scales"]
    if law is not None:
        print(f"power law: k^-{_with(law, 'exponent')}, residual of ln λ {law['residual']:.3g}")
        values = ", ".join(f"{name} {_with(two, name)}" for name in ("high", "low", "share"))
        print(f"two scales: {values}, residual of ln λ {two['residual']:.3g}")
    if output is not None:
        print(f"Wrote {output}")


def _with(fit: dict[str, Any], name: str) -> str:
    low, high = fit[f"{name}_interval"]
    return f"{fit[name]:.4g} [{low:.4g}, {high:.4g}]"
