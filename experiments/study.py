"""What a study is, the points of its grid, and the key that a run is stored under.

A grid is a product of axes; a point takes one value of each. A run's key is the SHA-256 of the canonical JSON of
{study, version, point, backend}, and its random numbers come from the key: neither order, nor workers, nor an
interruption can change a record.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import itertools
import json
import math
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

import experiments.studies

__all__ = ["Point", "Row", "Scalar", "Study", "Verdict", "generator", "key", "lacking", "load", "names", "points"]

Scalar: TypeAlias = str | int | float | bool
Point: TypeAlias = Mapping[str, Scalar]
Row: TypeAlias = Mapping[str, Any]  # of scalars

_BACKEND = "cpu"


@dataclass(frozen=True)
class Verdict:
    """What the rows say: of the claim as the question puts it, in one or two sentences, with the numbers."""

    answer: Literal["confirmed", "refuted", "undecided"]
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)


class Study(Protocol):
    """The module of a study.

    Attributes:
        NAME: the file's name.
        VERSION: raised when `run` changes what it returns.
        CLAIMS: labels of the claims in the ledger that the question is about.
        GRIDS: axes by the name of the grid; "smoke" runs in seconds, "paper" is the real one.
        NEEDS: packages beyond those of the extra `batch`, by the name that they are imported by; may be left out.
        TOLERANCE: relative difference of records between machines.
        run: run(*, <axes>, rng) -> rows with the same keys; pure.
        verdict: of rows that carry the point's values too.
        plot: the same rows as a matplotlib Figure.
    """

    NAME: str
    VERSION: int
    CLAIMS: tuple[str, ...]
    GRIDS: Mapping[str, Mapping[str, Sequence[Scalar]]]
    TOLERANCE: float
    run: Callable[..., list[dict[str, Scalar]]]
    verdict: Callable[[Sequence[Row]], Verdict]
    plot: Callable[[Sequence[Row]], Any]


def names() -> list[str]:
    """Studies that there are, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(experiments.studies.__path__))


def load(name: str) -> Any:
    """The module of a study; ModuleNotFoundError for an unknown name."""
    return importlib.import_module(f"experiments.studies.{name}")


def lacking(name: str) -> list[str]:
    """Packages of a study's NEEDS that are not installed."""
    return [package for package in getattr(load(name), "NEEDS", ()) if importlib.util.find_spec(package) is None]


def _plain(value: Scalar) -> Scalar:
    """Numbers that are equal as one: 1.0 and 1 are the same point."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def points(
    study: Study, grid: str = "smoke", overrides: Mapping[str, Sequence[Scalar]] | None = None
) -> Iterator[dict[str, Scalar]]:
    """The points of a grid, in the order of its axes; `overrides` replace the values of axes.

    Raises:
        ValueError: an unknown grid or axis, an axis without values, or a value that is not a finite scalar.
    """
    if grid not in study.GRIDS:
        raise ValueError(f"`grid` must be one of {', '.join(study.GRIDS)} for {study.NAME}, got {grid!r}.")
    axes = dict(study.GRIDS[grid])
    for axis, values in (overrides or {}).items():
        if axis not in axes:
            raise ValueError(f"`{axis}` is no axis of {study.NAME}; its axes are {', '.join(axes)}.")
        axes[axis] = values
    for axis, values in axes.items():
        if not values:
            raise ValueError(f"`{axis}` of {study.NAME} must have at least one value, got none.")
        for value in values:
            if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
                raise ValueError(
                    f"`{axis}` of {study.NAME} must be finite numbers, strings or booleans, got {value!r}."
                )
    for chosen in itertools.product(*axes.values()):
        yield dict(zip(axes, chosen, strict=True))


def key(study: Study, point: Point, backend: str = _BACKEND) -> str:
    """SHA-256, in hexadecimal, of what identifies a run."""
    identity = {
        "study": study.NAME,
        "version": study.VERSION,
        "point": {axis: _plain(value) for axis, value in point.items()},
        "backend": backend,
    }
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def generator(run: str) -> np.random.Generator:
    """The random numbers of the run with that key."""
    return np.random.default_rng(int(run, 16))
