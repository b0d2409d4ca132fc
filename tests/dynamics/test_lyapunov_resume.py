"""Long runs that are interrupted go on exactly where they were, or say why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pifs_sim.dynamics import LyapunovSpectrum, Map, lyapunov_spectrum, running
from tests.dynamics import textbook as maps

X0 = maps.henon_starts(3)


class Stop(Exception):
    """An interruption."""


def interrupted(after: int) -> Any:
    """A progress callback that stops the run at its `after`-th call."""
    calls: list[int] = []

    def progress(done: int, total: int) -> None:  # noqa: ARG001
        calls.append(done)
        if len(calls) == after:
            raise Stop

    return progress


def uneven(x: Any, n: int) -> Any:
    """Jacobians that do nothing for 90 steps and stretch by 1e3 for 10, so that blocks are done again."""
    a = 1e3 if n % 100 >= 90 else 1.0
    return np.broadcast_to(np.diag([a, 1 / a]), (len(x), 2, 2))


UNEVEN = Map(lambda x, n: x, uneven, dim=2)  # noqa: ARG005


def same(one: LyapunovSpectrum, other: LyapunovSpectrum) -> bool:
    """To the last bit."""
    arrays = ("exponents", "per_orbit", "stderr", "history", "history_steps", "kaplan_yorke")
    facts = ("rank", "steps", "finite_time", "reasons", "interval")
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in arrays) and all(
        getattr(one, name) == getattr(other, name) for name in facts
    )


@pytest.fixture(autouse=True)
def _always_saved(monkeypatch: Any) -> None:
    monkeypatch.setattr(running, "_SECONDS", -1.0)


@pytest.mark.parametrize(
    ("system", "x0", "steps", "options"),
    [
        (maps.HENON_BATCH, X0, 240, {"transient": 40}),
        (maps.HENON_BATCH, np.array([[0.1, 0.1], [5.0, 5.0]]), 200, {"k": 1}),
        (maps.HENON_BATCH, X0, 200, {"renormalise": 3}),
        (maps.HENON_BATCH, X0, 10_000, {"target_stderr": 0.02}),
        (maps.HENON_BATCH, X0.astype("f"), 150, {}),
        (maps.HENON, X0, 5000, {"transient": 40}),
        (maps.ring(5), np.random.default_rng(0).uniform(0.1, 0.9, (2, 5)), 200, {"k": 3}),
        (maps.RANK_ONE_BATCH, np.array([[0.2, 0.3]]), 200, {}),
        (UNEVEN, np.zeros((1, 2)), 2000, {}),
    ],
    ids=["transient", "one leaves", "given interval", "target", "single", "compiled", "ring", "rank one", "uneven"],
)
def test_a_run_that_was_interrupted_ends_as_one_that_was_not(
    tmp_path: Path, system: Any, x0: Any, steps: int, options: Any
) -> None:
    whole = lyapunov_spectrum(system, x0, steps, **options)
    seen: list[int] = []
    for after in (1, 9, 13):
        path = tmp_path / f"{after}.npz"
        seen.clear()
        with pytest.raises(Stop):
            lyapunov_spectrum(system, x0, steps, progress=interrupted(after), checkpoint=path, **options)
        assert path.exists()
        resumed = lyapunov_spectrum(
            system, x0, steps, progress=lambda *pair: seen.append(pair[0]), checkpoint=str(path), **options
        )
        assert same(resumed, whole)
        assert seen[0] > 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1.npz", "13.npz", "9.npz"]


def test_a_run_can_be_interrupted_again_and_again(tmp_path: Path) -> None:
    whole = lyapunov_spectrum(maps.HENON_BATCH, X0, 500, transient=10)
    path, stops = tmp_path / "run.npz", 0
    while True:
        try:
            found = lyapunov_spectrum(maps.HENON_BATCH, X0, 500, transient=10, progress=interrupted(4), checkpoint=path)
        except Stop:
            stops += 1
            continue
        break
    assert same(found, whole)
    assert stops >= 2


def test_a_run_that_is_done_is_not_run_again(tmp_path: Path) -> None:
    calls = []

    def step(x: Any, n: int) -> Any:
        calls.append(n)
        return maps.henon_batch(x, n)

    system, path = Map(step, maps.henon_jacobians, dim=2), tmp_path / "run.npz"
    first = lyapunov_spectrum(system, X0, 200, checkpoint=path)
    made = len(calls)
    again = lyapunov_spectrum(system, X0, 200, checkpoint=path)
    assert same(first, again)
    assert len(calls) - made <= 2
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


def test_nothing_is_saved_before_its_time(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(running, "_SECONDS", 1e9)
    path = tmp_path / "run.npz"
    with pytest.raises(Stop):
        lyapunov_spectrum(maps.HENON_BATCH, X0, 200, progress=interrupted(3), checkpoint=path)
    assert not path.exists()
    lyapunov_spectrum(maps.HENON_BATCH, X0, 200, checkpoint=path)
    assert path.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"x0": X0 + 1e-12},
        {"steps": 201},
        {"k": 1},
        {"transient": 1},
        {"renormalise": 2},
        {"target_stderr": 1e-9},
        {"rng": 1},
        {"system": Map(maps.henon_batch, lambda x, n: 1.01 * maps.henon_jacobians(x, n), dim=2)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "run.npz"
    given: dict[str, Any] = {"system": maps.HENON_BATCH, "x0": X0, "steps": 200}

    def run(options: dict[str, Any]) -> None:
        if "rng" in options:
            options["rng"] = np.random.default_rng(options["rng"])
        lyapunov_spectrum(options.pop("system"), options.pop("x0"), options.pop("steps"), checkpoint=path, **options)

    run(dict(given))
    kept = path.read_bytes()
    with pytest.raises(ValueError, match=r"`checkpoint` .*run.npz belongs to another run"):
        run(given | change)
    assert path.read_bytes() == kept


def damage(kind: str, content: bytes) -> bytes:
    if kind == "flipped":
        middle = len(content) // 2
        return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
    return {"empty": b"", "text": b"no checkpoint", "cut": content[: len(content) // 2], "short": content[:-30]}[kind]


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "short", "flipped"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "run.npz"
    lyapunov_spectrum(maps.HENON_BATCH, X0, 200, checkpoint=path)
    path.write_bytes(damage(kind, path.read_bytes()))
    with pytest.raises(ValueError, match=r"`checkpoint` .*run.npz is not a checkpoint"):
        lyapunov_spectrum(maps.HENON_BATCH, X0, 200, checkpoint=path)


@pytest.mark.parametrize("missing", ["facts", "x", "V", "sums", "rest"])
def test_an_archive_of_something_else_is_refused(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "run.npz"
    lyapunov_spectrum(maps.HENON_BATCH, X0, 200, checkpoint=path)
    with np.load(path) as archive:
        kept = {name: archive[name] for name in archive.files if name != missing}
    np.savez(path, **kept)
    with pytest.raises(ValueError, match=r"`checkpoint` .*run.npz is not a checkpoint"):
        lyapunov_spectrum(maps.HENON_BATCH, X0, 200, checkpoint=path)


def test_a_checkpoint_of_pickles_is_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    np.savez(path, facts=np.array([{"key": 1}], dtype=object), x=X0, V=X0, sums=X0, rest=X0)
    with pytest.raises(ValueError, match=r"`checkpoint` .*run.npz is not a checkpoint"):
        lyapunov_spectrum(maps.HENON_BATCH, X0, 200, checkpoint=path)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`checkpoint`"):
        lyapunov_spectrum(maps.HENON_BATCH, X0, 200, checkpoint=tmp_path / "none" / "run.npz")
