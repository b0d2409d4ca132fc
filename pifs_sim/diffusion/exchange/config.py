"""A scheduler's configuration, read with suspicion: a mapping, a JSON file, or a folder that holds one.

Every option that decides a noise level is checked for type and range, once, here; options that the class
does not have are kept aside by name, and anything else in the file is left alone.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from pifs_sim.diffusion.exchange.classes import CLASSES, SchedulerClass

__all__ = ["MOST_STEPS", "Config", "ConfigSource", "find_class", "read_config", "show"]

ConfigSource = Mapping[str, Any] | str | os.PathLike[str]

MOST_STEPS = 10_000
_MOST_TRAINING_STEPS = 100_000
_MOST_BYTES = 8_000_000
_MOST_NAMES = 100  # keys, and letters of a key
_SIGMA_CHOICES = (
    "use_karras_sigmas",
    "use_exponential_sigmas",
    "use_beta_sigmas",
    "use_lu_lambdas",
    "use_flow_sigmas",
)


def show(value: object) -> str:
    """A short form of any value for a message, safe for huge integers and deep nesting."""
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if value.bit_length() < 200 else f"an integer of {value.bit_length()} bits"
    return f"{value[:60]!r}" if isinstance(value, str) else f"a value of type {type(value).__name__}"


@dataclass(frozen=True)
class Config:
    """A checked configuration: the class, its options (defaults filled in), and the options that it lacks."""

    cls: SchedulerClass
    options: Mapping[str, Any]
    foreign: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Any:
        return self.options.get(name)

    @property
    def training_steps(self) -> int:
        """Number of timesteps of the training chain, N."""
        betas = self["trained_betas"]
        return len(betas) if betas is not None else int(self["num_train_timesteps"])


def find_class(name: object) -> SchedulerClass:
    """The scheduler class of that name; ValueError with the nearest names otherwise."""
    if isinstance(name, str) and name in CLASSES:
        return CLASSES[name]
    near = difflib.get_close_matches(name[:80], CLASSES, n=3, cutoff=0.5) if isinstance(name, str) else []
    known = ", ".join(near or CLASSES)
    raise ValueError(f"`_class_name` must be a known scheduler class ({known}), got {show(name)}.")


def _number(low: float, high: float, rule: str) -> Callable[[Any], bool | str]:
    def check(value: Any) -> bool | str:
        good = isinstance(value, Real) and not isinstance(value, bool)
        return (good and bool(low < value < high)) or rule

    return check


def _count(low: int, high: int) -> Callable[[Any], bool | str]:
    def check(value: Any) -> bool | str:
        good = isinstance(value, Integral) and not isinstance(value, bool) and low <= int(value) <= high
        return good or f"be an integer in {low}..{high}"

    return check


def _choice(*names: str) -> Callable[[Any], bool | str]:
    return lambda value: (isinstance(value, str) and value in names) or f"be one of {', '.join(names)}"


def _flag(value: Any) -> bool | str:
    return isinstance(value, (bool, np.bool_)) or "be true or false"


def _betas(value: Any) -> bool | str:
    rule = f"be a list of 2..{_MOST_TRAINING_STEPS} numbers strictly between 0 and 1"
    listed = isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1)
    if not listed or not 2 <= len(value) <= _MOST_TRAINING_STEPS:
        return rule
    good = all(isinstance(beta, Real) and not isinstance(beta, bool) and 0 < float(beta) < 1 for beta in value)
    return good or rule


_POSITIVE = _number(0, 1e9, "be positive and below 1e9")
_SHIFT = _number(1e-6, 1e9, "lie between 1e-6 and 1e9")  # in float32 a smaller one divides by zero
_BETA = _number(0, 1, "lie strictly between 0 and 1")
_NAME = _choice("epsilon", "sample", "original_sample", "v_prediction", "flow_prediction")
_ALGORITHM = _choice("dpmsolver", "dpmsolver++", "sde-dpmsolver", "sde-dpmsolver++", "deis")

_RULES: Mapping[str, Callable[[Any], bool | str]] = {
    "num_train_timesteps": _count(2, _MOST_TRAINING_STEPS),
    "beta_start": _BETA,
    "beta_end": _BETA,
    "trained_betas": _betas,
    "prediction_type": _NAME,
    "timestep_spacing": _choice("leading", "trailing", "linspace"),
    "steps_offset": _count(0, _MOST_TRAINING_STEPS),
    "solver_order": _count(1, 3),
    "sigma_min": _POSITIVE,
    "sigma_max": _POSITIVE,
    "sigma_data": _POSITIVE,
    "rho": _number(0, 1e3, "be positive and below 1000"),
    "shift": _SHIFT,
    "flow_shift": _SHIFT,
    "shift_terminal": lambda value: (isinstance(value, Real) and 0 <= float(value) < 1) or "lie in [0, 1)",
    "lambda_min_clipped": lambda value: (
        (isinstance(value, Real) and not isinstance(value, bool) and value < 1e3) or "be a number below 1000"
    ),
    "algorithm_type": _ALGORITHM,
    "interpolation_type": _choice("linear", "log_linear"),
    "timestep_type": _choice("discrete", "continuous"),
    "time_shift_type": _choice("exponential", "linear"),
    "final_sigmas_type": _choice("zero", "sigma_min"),
    "sigma_schedule": _choice("karras", "exponential"),
}
_NULLABLE = {"trained_betas", "sigma_min", "sigma_max", "shift_terminal"}
_OPTIONS = {name for cls in CLASSES.values() for name in cls.defaults}


def _checked(cls: SchedulerClass, name: str, value: Any) -> Any:
    if value is None and (name in _NULLABLE and cls.family != "edm"):
        return None
    rule = _choice(*cls.beta_schedules) if name == "beta_schedule" else _RULES.get(name, _flag)
    verdict = rule(value)
    if verdict is not True:
        raise ValueError(f"`{name}` of {cls.name} must {verdict}, got {show(value)}.")
    return value


def _foreign(cls: SchedulerClass, name: str, among: int) -> bool:
    """Whether the class lacks an option that another has, or one that is spelled almost like one of its own."""
    if name in cls.defaults or name in _OPTIONS:
        return name not in cls.defaults
    brief = among <= _MOST_NAMES and len(name) <= _MOST_NAMES  # of a hostile file the comparison would take minutes
    return brief and bool(difflib.get_close_matches(name, cls.defaults, n=1, cutoff=0.85))


def _load(source: str | os.PathLike[str]) -> object:
    try:
        path = Path(source)
        path = path / "scheduler_config.json" if path.is_dir() else path
        source = path
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"`config` must be a file of at most {_MOST_BYTES} bytes, got {path.stat().st_size}.")
        text = path.read_bytes()
    except OSError as problem:
        raise ValueError(
            f"`config` must name a readable file, got {str(source)[:200]!r} ({problem.strerror})."
        ) from None
    except ValueError as problem:
        if "must be" in str(problem):
            raise
        raise ValueError(f"`config` must name a readable file, got {str(source)[:200]!r}.") from None
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("`config` must be a JSON object, got one nested too deeply to read.") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise ValueError(f"`config` must be a JSON object, got text that is not JSON: {text[:40]!r}.") from None
    except ValueError:
        raise ValueError("`config` must be a JSON object of readable numbers, got an integer too long.") from None


def read_config(source: ConfigSource) -> Config:
    """The checked configuration in `source`: a mapping, a path to a JSON file, or to its folder.

    Raises:
        ValueError: an unreadable file, no JSON object, an unknown class, or an option of the wrong type or range.
    """
    content = _load(source) if isinstance(source, (str, os.PathLike)) else source
    if not isinstance(content, Mapping):
        raise ValueError(f"`config` must be a mapping or the path of a JSON object, got {show(content)}.")
    if "_class_name" not in content:
        raise ValueError("`config` must name its scheduler class under `_class_name`, got no such key.")
    cls = find_class(content["_class_name"])
    options = {name: _checked(cls, name, content.get(name, default)) for name, default in cls.defaults.items()}
    foreign = sorted(name for name in content if isinstance(name, str) and _foreign(cls, name, len(content)))
    config = Config(cls, options, tuple(foreign))
    _check_together(config)
    return config


def _check_together(config: Config) -> None:
    chosen = [name for name in _SIGMA_CHOICES if config[name]]
    both = config.cls.name == "UniPCMultistepScheduler" and chosen == ["use_karras_sigmas", "use_flow_sigmas"]
    if len(chosen) > 1 and not both:
        raise ValueError(f"`{chosen[0]}` must be the only choice of sigmas, got `{chosen[1]}` as well.")
    low, high = config["sigma_min"], config["sigma_max"]
    if low is not None and high is not None and not low < high:
        raise ValueError(f"`sigma_max` must exceed `sigma_min`, got {high!r} and {low!r}.")
    flow = config.cls.family == "flow"
    if flow and config["invert_sigmas"]:
        raise ValueError("`invert_sigmas` must be false: a time that runs from data to noise is no reverse chain.")
    if flow and not max(low or 0, high or 0) <= 1:
        raise ValueError(f"`sigma_max` of {config.cls.name} must lie in (0, 1], got {max(low or 0, high or 0)!r}.")
    if config["shift_terminal"] is not None and config.cls.family == "solver" and not config["use_flow_sigmas"]:
        raise ValueError("`shift_terminal` must come with `use_flow_sigmas`, got it alone.")
    if config["algorithm_type"] in ("dpmsolver", "sde-dpmsolver") and config["final_sigmas_type"] == "zero":
        raise ValueError(f"`final_sigmas_type` must be sigma_min with {config['algorithm_type']}, got 'zero'.")
