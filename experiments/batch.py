"""A batch file: which studies, on which grid, with what changed, by how many workers, within which limits.

studies = ["schedule_table"]        # all, if left out
grid = "paper"
workers = 2
[overrides.schedule_table]
schedule = ["linear"]
steps = {start = 10, stop = 1000, count = 7, scale = "log"}     # or step = 10; the ends are included
[limits]
timeout = 60                        # seconds a run
memory = 2000                       # MB a run
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from experiments.plan import Plan, plan
from experiments.study import Scalar, lacking, names

__all__ = ["Batch", "Bounds", "Range", "plans", "read"]

_LARGEST = 1_000_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Range(_Strict):
    """Numbers from `start` to `stop`, both included: by `step`, or `count` of them, evenly or by equal ratios."""

    start: int | float
    stop: int | float
    step: Annotated[int | float, Field(gt=0)] | None = None
    count: Annotated[int, Field(ge=1, le=_LARGEST)] | None = None
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _sensible(self) -> Range:
        if (self.step is None) == (self.count is None):
            raise ValueError("needs either `step` or `count`")
        if self.stop < self.start:
            raise ValueError(f"`stop` must be at least `start`, got {self.start} and {self.stop}")
        if self.scale == "log" and (self.step is not None or self.start <= 0):
            raise ValueError("`scale` = 'log' needs `count` and a positive `start`")
        if self.step is not None and (self.stop - self.start) / self.step > _LARGEST:
            raise ValueError(f"has more than {_LARGEST} values")
        return self

    def values(self) -> list[Scalar]:
        """The numbers; whole ones if both ends are whole and, by `count`, rounded to whole ones."""
        whole = isinstance(self.start, int) and isinstance(self.stop, int)
        if self.step is not None:
            steps = np.arange(math.floor((self.stop - self.start) / self.step * (1 + 1e-12)) + 1)
            return [self.start + int(i) * self.step for i in steps]
        space = np.geomspace if self.scale == "log" else np.linspace
        found = space(self.start, self.stop, self.count or 1)
        return list(dict.fromkeys(int(v) for v in np.round(found))) if whole else [float(v) for v in found]


def _listed(value: Any) -> Any:
    """A single value is a list of one; a range is the list of its values."""
    if isinstance(value, dict):
        return Range.model_validate(value).values()
    return value if isinstance(value, list) else [value]


Axis = Annotated[list[bool | int | float | str], Field(min_length=1), BeforeValidator(_listed)]


class Bounds(_Strict):
    """Limits of one run."""

    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    memory: Annotated[int, Field(ge=1)] | None = None


class Batch(_Strict):
    """What a batch file may say."""

    studies: Annotated[list[str], Field(min_length=1)] | None = None
    grid: str = "smoke"
    backend: Literal["cpu", "reference", "cuda"] = "cpu"
    workers: Annotated[int, Field(ge=0, le=4096)] | None = None
    dask: str | None = None
    store: str | None = None
    overrides: dict[str, dict[str, Axis]] = Field(default_factory=dict)
    limits: Bounds = Bounds()


def read(path: Path) -> Batch:
    """The batch in a file.

    Raises:
        ValueError: not TOML, an unknown key, a wrong type or an empty list, with the place in the file.
        OSError: the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"'{path}' is not TOML: {error}.") from None
    try:
        return Batch.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"'{path}'{_explained(error, text)}") from None


def plans(batch: Batch, path: Path | None = None) -> list[Plan]:
    """What the batch asks for, a plan a study; of all studies those whose packages are installed.

    Raises:
        ValueError: an unknown study, grid, axis or value, or a study named whose packages are not installed; with the
            nearest names, and the place in the file.
    """
    text = path.read_text(encoding="utf-8") if path else ""
    known = names()
    for at, name in [*(("studies", n) for n in batch.studies or ()), *(("overrides", n) for n in batch.overrides)]:
        if name not in known:
            raise ValueError(f"{_place(path, text, (at, name))}unknown study {name!r}: {_near(name, known)}")
    made = []
    for name in dict.fromkeys(batch.studies or known):
        overrides = batch.overrides.get(name, {})
        missing = lacking(name)
        if missing and not batch.studies:
            continue
        if missing:
            raise ValueError(
                f"{_place(path, text, ('studies', name))}{name} needs {', '.join(missing)}, not installed: "
                "pip install 'pifs-sim[training]'."
            )
        try:
            made.append(plan(name, batch.grid, overrides, backend=batch.backend))
        except ValueError as error:
            axis = next((axis for axis in overrides if f"`{axis}`" in str(error)), "")
            where = ("overrides", name, axis) if axis else ()
            raise ValueError(f"{_place(path, text, where)}{error}") from None
    return made


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    return f"did you mean {', '.join(near)}?" if near else f"known are {', '.join(known)}."


def _place(path: Path | None, text: str, where: tuple[Any, ...]) -> str:
    if path is None:
        return ""
    line = _line(text, where)
    return f"'{path}', line {line}: " if line else f"'{path}': "


def _line(text: str, where: tuple[Any, ...]) -> int | None:
    """The line of the innermost name of `where` that is found in the TOML text."""
    words = [word for word in where if isinstance(word, str)]
    found, reached = None, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        here = table
        if heading := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            table = here = tuple(part.strip("\"' ") for part in heading[1].split("."))
        elif named := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            here = (*table, *(part.strip("\"' ") for part in named[1].split(".")))
        same = next((n for n, pair in enumerate(zip(here, words, strict=False)) if pair[0] != pair[1]), None)
        depth = min(len(here), len(words)) if same is None else 0
        if depth > reached:
            found, reached = number, depth
    return found


def _explained(error: ValidationError, text: str) -> str:
    """The first fault, or an unknown key, which may explain it, as a sentence with its place."""
    faults = error.errors(include_url=False)
    fault = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    where = tuple(part for part in fault["loc"] if not (isinstance(part, str) and "[" in part))
    line = _line(text, where)
    place = f", line {line}: " if line else ": "
    path = ".".join(str(part) for part in where) or "the file"
    if fault["type"] == "extra_forbidden":
        fields = {"limits": Bounds.model_fields, "overrides": Range.model_fields}
        known = list(fields.get(str(where[0]), {}) if len(where) > 1 else Batch.model_fields)
        return f"{place}unknown key `{path}`: {_near(str(where[-1]), known)}"
    message = fault["msg"].removeprefix("Value error, ")
    shown = str(fault["input"])[:60]
    return f"{place}`{path}`: {message[:1].lower()}{message[1:]}, got {shown!r}."
