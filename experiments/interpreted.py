"""A pytest plugin that has Python run what Numba compiles, so that coverage sees the lines of kernels.

As with NUMBA_DISABLE_JIT=1, calls from Python run a function's Python body. Kernels need more than that switch leaves:
the instructions that they write down for LLVM (intrinsics) have no Python body and are compiled one by one, and a
rule's functions are still typed. A test stops after `--most-seconds` of processor time, or where Python raises and
compiled arithmetic goes on (log 0 = -inf), and then counts as skipped.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import cache
from types import FrameType
from typing import Any

import pytest
from numba import njit
from numba.core.dispatcher import Dispatcher
from numba.core.extending import _Intrinsic

__all__ = ["pytest_addoption", "pytest_configure", "pytest_runtest_call"]

_compiled = Dispatcher.__call__
_STRICT = ("math domain error", "math range error", "float division", "division by zero", "expected a positive input")
_most = 5.0
_over = False  # threads see it at their next call


def _call(function: Any, *arguments: Any, **named: Any) -> Any:
    if _over:
        _stop()
    return function.py_func(*arguments, **named)


@cache
def _alone(intrinsic: Any, count: int) -> Any:
    """A compiled function that only calls the intrinsic."""
    names, space = ", ".join(f"a{i}" for i in range(count)), {"intrinsic": intrinsic}
    exec(f"def alone({names}): return intrinsic({names})", space)
    return njit(space["alone"])


def _emitted(intrinsic: Any, *arguments: Any) -> Any:
    return _compiled(_alone(intrinsic, len(arguments)), *arguments)


def _stop(_number: int = 0, frame: FrameType | None = None) -> None:
    """End the test; while Numba compiles, which is none of its time, let it go on."""
    global _over
    if frame is not None and frame.f_globals.get("__name__", "").startswith("coverage."):  # which holds a lock
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.01)
        return
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in ("numba", "llvmlite"):
            signal.setitimer(signal.ITIMER_VIRTUAL, _most)
            return
        frame = frame.f_back
    _over = True
    pytest.skip("too long without a compiler")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--most-seconds`."""
    parser.addoption("--most-seconds", type=float, default=_most, help="processor time of a test")


def pytest_configure(config: pytest.Config) -> None:
    """Change what a call does."""
    global _most
    _most = config.getoption("--most-seconds")
    functions: Any = Dispatcher
    intrinsics: Any = _Intrinsic
    functions.__call__, intrinsics.__call__ = _call, _emitted
    signal.signal(signal.SIGVTALRM, _stop)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Stop a test in time, or where it cannot go on."""
    global _over
    _over = False
    signal.setitimer(signal.ITIMER_VIRTUAL, _most)
    try:
        return (yield)
    except (ArithmeticError, ValueError) as error:
        if str(error).startswith(_STRICT):
            pytest.skip("Python raises where arithmetic goes on")
        raise
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
