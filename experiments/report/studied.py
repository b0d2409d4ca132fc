"""What a store says of one plan: its rows, what the study makes of them, and what is wrong.

A verdict is given only where every run has a record, of the version that the study has now. What a study itself
raises when it is loaded, judges or draws is kept with its traceback: the other studies go on.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import experiments.studies
from experiments import figures
from experiments.outcome import Failure
from experiments.plan import Plan, plan
from experiments.store import Damaged, Store
from experiments.study import Verdict, load

__all__ = ["Asked", "Question", "Result", "asked", "question", "read"]


@dataclass(frozen=True)
class Asked:
    """What a call of the study gave: a value, or the traceback of what it raised."""

    value: Any = None
    traceback: str = ""


def asked(call: Callable[[], Any]) -> Asked:
    """Call, and keep what is raised."""
    try:
        return Asked(call())
    except Exception:  # the study's own fault, shown on its page
        return Asked(traceback=traceback.format_exc())


@dataclass(frozen=True)
class Question:
    """A study as its file puts it; `module` None if it could not be loaded, with the reason."""

    name: str
    text: str
    falsifier: str = ""
    claims: tuple[str, ...] = ()
    module: Any = None
    traceback: str = ""

    @property
    def folder(self) -> Path | None:
        """Where the study's file lies, if that is not among the program's own studies."""
        folder = Path(getattr(self.module, "__file__", None) or ".").parent
        own = Path(experiments.studies.__file__).parent
        return None if self.module is None or folder == own else folder

    def gives(self, wanted: Plan) -> bool:
        """Whether the plan's axes are those that the study gives the grid, on the usual backend."""
        standard = asked(lambda: plan(wanted.study, wanted.grid)).value
        return wanted.backend == "cpu" and standard is not None and standard.axes == wanted.axes


def question(name: str) -> Question:
    """The study's docstring: the question up to the first blank line, then what would refute it."""
    found = asked(lambda: load(name))
    if found.value is None:
        return Question(name, name, traceback=found.traceback)
    text, _, rest = str(found.value.__doc__ or name).strip().partition("\n\n")
    return Question(name, " ".join(text.split()), rest.strip(), tuple(getattr(found.value, "CLAIMS", ())), found.value)


@dataclass(frozen=True)
class Result:
    """A plan with what became of its runs.

    Attributes:
        grid: the grid's name, with a word if its axes are not the study's.
        rows: of the finished runs; none if a record is damaged.
        verdict: None for the `reason` given.
        drawing: the plot as SVG, if there is one.
        raised: tracebacks of the verdict and of the plot.
    """

    plan: Plan
    grid: str
    rows: list[dict[str, Any]]
    done: int
    failures: list[Failure]
    provenance: list[dict[str, Any]]
    verdict: Verdict | None = None
    reason: str = ""
    drawing: str = ""
    raised: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """The verdict's, or "no verdict"."""
        return "no verdict" if self.verdict is None else self.verdict.answer

    @property
    def text(self) -> str:
        """The verdict's sentence, or why there is none."""
        return self.reason if self.verdict is None else self.verdict.text


def read(store: Store, plan: Plan, of: Question) -> Result:
    """Read the plan's records and let the study judge and draw them."""
    grid = plan.grid if of.module is None or of.gives(plan) else f"{plan.grid} (other axes)"
    done, failures = sum(store.has(task) for task in plan.tasks()), store.failures(plan)
    try:
        rows, damage = store.rows(plan), ""
    except Damaged:
        rows, damage = [], _damage(store, plan)
    about = store.provenance(plan)
    reason, said = damage or _reason(plan, done, len(failures), of), Asked()
    if not rows:
        return Result(plan, grid, rows, done, failures, about, reason=reason)
    if not reason:
        said = asked(lambda: of.module.verdict(rows))
        reason = "The study's verdict failed." if said.traceback else ""
    drawn = Asked()
    if of.module is not None:
        drawn = asked(lambda: figures.svg(_transparent(of.module.plot(rows)), f"plot-{plan.name}"))
    raised = tuple(text for text in (said.traceback, drawn.traceback) if text)
    return Result(plan, grid, rows, done, failures, about, said.value, reason, drawn.value or "", raised)


def _damage(store: Store, plan: Plan) -> str:
    """Which records are not sound."""
    found = []
    for task in plan.tasks():
        try:
            store.check(task)
        except Damaged as damaged:
            found.append(f"{', '.join(f'{axis} = {value}' for axis, value in task.point.items())}: {damaged}")
    words = "1 record is damaged" if len(found) == 1 else f"{len(found)} records are damaged"
    return f"{words} ({found[0]}). Running the study again sets what is damaged aside and makes it anew."


def _transparent(figure: Any) -> Any:
    """The figure on the page's own ground."""
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    return figure


def _reason(plan: Plan, done: int, failed: int, of: Question) -> str:
    """Why there can be no verdict; empty if there can."""
    if of.module is None:
        return "The study cannot be loaded here, so nobody judges its rows."
    if plan.version != of.module.VERSION:
        return f"The runs are those of version {plan.version} of the study, which is now at {of.module.VERSION}."
    if done < len(plan):
        lack = f"{len(plan) - done} of {len(plan)} runs have no record"
        return f"{lack}: {failed} failed." if failed else f"{lack} yet."
    return ""
