"""Runs of mutants: which tests, if any, notice a changed function.

mutmut makes the mutants and finds which tests call which function. Each mutant is then tried in a fork of one process
that has collected the tests and imported what they import, with the tests that noticed its neighbours first and the
others from fast to slow, so that most take as long as one fast test. Limits are of processor time: a machine that is
busy, or stops, kills no mutant.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import resource
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from experiments.mutants import PLACE, mutants, undecorated

__all__ = ["run"]

_HEAVY = ("array_api_strict", "llvmlite", "mpmath", "numba", "pifs_sim", "scipy")
_LIMIT = 60.0  # seconds a mutant may take beyond what its tests take
_FAILED, _BROKEN, _UNTESTED = 1, 3, 33


def _make(workers: int) -> None:
    """Let mutmut make the mutants, properties too, and find the tests of each function; end where it would run them."""
    mutmut: Any = importlib.import_module("mutmut.__main__")
    mutate = mutmut.mutate_file_contents
    mutmut.mutate_file_contents = lambda name, code, *rest: mutate(name, undecorated(code), *rest)
    mutmut.collect_source_file_mutation_data = lambda **_: sys.exit(0)
    mutmut._run([], workers)


def _function(name: str) -> str:
    return name.rpartition("__mutmut_")[0]


@dataclass
class _Runs:
    """A pytest plugin that runs mutants in place of tests."""

    queue: list[str]
    tests_of: Mapping[str, Sequence[str]]
    seconds: Mapping[str, float]
    workers: int
    patience: float
    done: Callable[[str, int], None]
    items: dict[str, Any] = field(default_factory=dict)
    noticed: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    running: dict[int, tuple[str, int]] = field(default_factory=dict)
    known: set[str] = field(default_factory=lambda: set(sys.modules))
    pipe: int = -1

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        wanted = {test for name in self.queue for test in self.tests_of.get(_function(name), ())}
        items[:] = [item for item in items if item.nodeid in wanted]

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            if self.pipe < 0:
                raise SystemExit(f"{report.nodeid} fails on the unchanged code.")
            self._end(_FAILED, report.nodeid)

    def pytest_runtestloop(self, session: Any) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        for name in self.queue:
            while len(self.running) >= self.workers:
                self._finish()
            self._start(name)
        while self.running:
            self._finish()
        return True

    def _start(self, name: str) -> None:
        function = _function(name)
        noticed = self.noticed[function]
        tests = [test for test in self.tests_of.get(function, ()) if test in self.items]
        if not tests:
            self.done(name, _UNTESTED)
            return
        tests.sort(key=lambda test: (-noticed[test], self.seconds[test]))
        read, write = os.pipe()
        if pid := os.fork():
            os.close(write)
            self.running[pid] = name, read
            return
        self.pipe = write
        os.environ["MUTANT_UNDER_TEST"] = name
        limit = int(time.process_time() + _LIMIT + 3 * min(_LIMIT, sum(self.seconds[test] for test in tests)))
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        began = time.process_time()
        try:
            for test in tests:
                if time.process_time() - began > self.patience:
                    break
                self._try(test)
            self._end(0, "")
        finally:
            os._exit(_BROKEN)

    def _end(self, code: int, test: str) -> None:
        """End this fork, and say which test failed and what the tests imported."""
        with os.fdopen(self.pipe, "w") as out:
            json.dump({"test": test, "modules": [name for name in sys.modules if name not in self.known]}, out)
        os._exit(code)

    def _finish(self) -> None:
        pid, status = os.wait()
        name, read = self.running.pop(pid)
        with os.fdopen(read) as back:
            text = back.read()
        if text:  # a fork that was stopped says nothing
            said = json.loads(text)
            self.noticed[_function(name)][said["test"]] += 1
            if not self.known.issuperset(said["modules"]):
                self._learn(said["test"], said["modules"])
        self.done(name, os.waitstatus_to_exitcode(status))

    def _learn(self, test: str, modules: Sequence[str]) -> None:
        """Import, and compile, once and here what every fork would."""
        self.known.update(modules)
        for module in modules:
            if module.partition(".")[0] in _HEAVY:
                importlib.import_module(module)
        if test and "numba" in modules:
            self._try(test)

    def _try(self, test: str) -> None:
        self.items[test].config.hook.pytest_runtest_protocol(item=self.items[test], nextitem=None)


def run(names: Sequence[str], workers: int, patience: float, *, make: bool = True) -> None:
    """Make the mutants, and run those not run yet, or those whose names fit a pattern; wording is left out.

    A mutant that tests have not noticed after `patience` seconds of them survives.
    """
    os.environ.setdefault("HYPOTHESIS_PROFILE", "mutation")
    if make:
        making = get_context("fork").Process(target=_make, args=(workers,))
        making.start()
        making.join()
        if making.exitcode:
            raise SystemExit("mutmut made no mutants.")
    found = [mutant for mutant in mutants(PLACE) if not mutant.wording]
    asked = [m for m in found if any(fnmatch(m.name, pattern) for pattern in names) or (not names and m.code is None)]
    random.Random(0).shuffle(asked)  # a run cut short is a sample
    place = {m.name: (PLACE / (m.module + ".meta")).resolve() for m in asked}
    metas = {path: json.loads(path.read_text(encoding="utf-8")) for path in set(place.values())}
    stats = json.loads((PLACE / "mutmut-stats.json").read_text(encoding="utf-8"))
    count = Counter[str]()

    def done(name: str, code: int) -> None:
        metas[place[name]]["exit_code_by_key"][name] = code
        place[name].write_text(json.dumps(metas[place[name]]), encoding="utf-8")
        count["killed" if code and code != _UNTESTED else "survived"] += 1
        print(f"{count.total()}/{len(asked)}: {count['survived']} survived; {code} {name}", flush=True)

    given = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    os.chdir(PLACE)
    sys.path.insert(0, os.getcwd())
    os.environ["MUTANT_UNDER_TEST"] = ""
    words = [
        "--rootdir=.",
        "-s",
        "--tb=no",
        *given["pytest_add_cli_args"],
        *given["pytest_add_cli_args_test_selection"],
    ]
    tests_of, seconds = stats["tests_by_mangled_function_name"], stats["duration_by_test"]
    runs = _Runs([m.name for m in asked], tests_of, seconds, workers, patience, done)
    pytest = importlib.import_module("pytest")
    status = pytest.main(words, plugins=[runs])
    os.chdir("..")
    if status not in (0, 5):
        raise SystemExit(f"pytest ended with {status}.")
