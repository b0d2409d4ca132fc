"""What is to be run: the product of a study's axes, each point with the key of its record.

Values take the type that the study's `run` declares, so 1 and 1.0 on the same axis are one point with one record.
"""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.study import Scalar, key, load, points

__all__ = ["RESERVED", "Plan", "Task", "plan"]

RESERVED = ("key", "version", "backend", "rng")  # names that no axis may have
_NUMBERS = {"int": "whole numbers", "float": "numbers", "str": "strings", "bool": "true or false"}


@dataclass(frozen=True)
class Task:
    """One run: the point of a study, and the key of its record."""

    key: str
    study: str
    version: int
    point: Mapping[str, Scalar]
    backend: str


@dataclass(frozen=True)
class Plan:
    """The runs of one study that were asked for; `axes` in the order of the study's grid."""

    study: str
    version: int
    grid: str
    axes: Mapping[str, Sequence[Scalar]]
    backend: str = "cpu"

    def __len__(self) -> int:
        return math.prod(len(values) for values in self.axes.values())

    @property
    def name(self) -> str:
        """Study and grid, and a hash of axes and backend: the same for every version of the study."""
        asked = json.dumps([{axis: list(values) for axis, values in self.axes.items()}, self.backend], sort_keys=True)
        return f"{self.study}-{self.grid}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"

    def points(self) -> Iterator[dict[str, Scalar]]:
        """The points in the order of the axes, the last one fastest."""
        for chosen in itertools.product(*self.axes.values()):
            yield dict(zip(self.axes, chosen, strict=True))

    def tasks(self) -> Iterator[Task]:
        """The runs in the order of the points."""
        study: Any = _Identity(self.study, self.version)
        for point in self.points():
            yield Task(key(study, point, self.backend), self.study, self.version, point, self.backend)

    def holds(self, task: Task) -> bool:
        """Whether the run is one of the plan's."""
        return (
            (task.study, task.version, task.backend) == (self.study, self.version, self.backend)
            and task.point.keys() == self.axes.keys()
            and all(value in self.axes[axis] for axis, value in task.point.items())
        )


@dataclass(frozen=True)
class _Identity:
    """As much of a study as a key depends on: plans of a store are read without loading studies."""

    NAME: str
    VERSION: int


def plan(
    name: str, grid: str = "smoke", overrides: Mapping[str, Sequence[Scalar]] | None = None, *, backend: str = "cpu"
) -> Plan:
    """The plan for a grid of a study, with the values of some axes replaced.

    Raises:
        ValueError: an unknown grid or axis, no values, values of another type than `run` declares, or a backend
            other than "cpu" for a study whose `run` takes none.
    """
    study = load(name)
    next(points(study, grid, overrides))  # the checks
    arguments = inspect.signature(study.run).parameters
    for axis in study.GRIDS[grid]:
        if axis not in arguments or axis in RESERVED:
            raise ValueError(f"`{axis}` is an axis of {name} that its `run` does not take, or a reserved name.")
    if backend != "cpu" and "backend" not in arguments:
        raise ValueError(f"`backend` must be 'cpu' for {name}, whose runs take no backend, got {backend!r}.")
    axes = {
        axis: tuple(dict.fromkeys(_typed(value, arguments[axis].annotation, f"`{axis}` of {name}") for value in values))
        for axis, values in {**study.GRIDS[grid], **(overrides or {})}.items()
    }
    return Plan(name, study.VERSION, grid, axes, backend)


def _typed(value: Scalar, annotation: Any, what: str) -> Scalar:
    """The value as the declared type, if it is one of that type without loss."""
    kind = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    if kind not in _NUMBERS:
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "float" and number:
        return float(value)
    if kind == "int" and number and float(value).is_integer():
        return int(value)
    if (kind == "str" and isinstance(value, str)) or (kind == "bool" and isinstance(value, bool)):
        return value
    raise ValueError(f"{what} must be {_NUMBERS[kind]}, got {value!r}.")
