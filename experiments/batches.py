"""The command `run`: settle the runs of a study, or of a batch file, and say what they show."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import experiments.studies
from experiments.terminal import BadInput, console, print_json, reading_input

if TYPE_CHECKING:
    from experiments.batch import Batch
    from experiments.engines import Engine
    from experiments.plan import Plan
    from experiments.runner import Tally
    from experiments.store import Store

__all__ = ["find_also", "needs_batch", "requested", "run"]

_MANY = 1_000_000  # runs that need --yes
_INDEXING = 60.0  # seconds between looks of the index at what is new
_VERDICTS = 20_000  # runs of a study whose verdict is worth the time without being asked for

Studies = Annotated[Path | None, typer.Option(help="Folder with more studies.", exists=True, file_okay=False)]
StorePath = Annotated[Path | None, typer.Option("--store", help="Folder of the records; default: store.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]


def needs_batch(*packages: str) -> None:
    """Refuse in one sentence if a package of the extra is not installed."""
    for package in packages:
        if find_spec(package) is None:
            raise BadInput(f"{package} is not installed: pip install 'pifs-sim[batch]'.")


def find_also(studies: Path | None) -> None:
    """Let the studies in a folder be found by name."""
    if studies is not None and str(studies.resolve()) not in experiments.studies.__path__:
        experiments.studies.__path__.append(str(studies.resolve()))


def requested(what: str | None, studies: Path | None, **changes: Any) -> tuple[Batch, list[Plan]]:
    """The batch that the words of the command line name, with their options in place of its own, and its plans."""
    from experiments import batch

    find_also(studies)
    with reading_input():
        path = Path(what) if what and what.endswith(".toml") else None
        asked = batch.read(path) if path else batch.Batch(studies=[what] if what else None)
        limits = {name: changes.pop(name) for name in ("timeout", "memory") if name in changes}
        asked = asked.model_copy(update={name: value for name, value in changes.items() if value is not None})
        bounds = asked.limits.model_copy(update={n: value for n, value in limits.items() if value is not None})
        asked = asked.model_copy(update={"limits": bounds})
        return asked, batch.plans(asked, path)


def run(
    what: Annotated[str | None, typer.Argument(metavar="[STUDY|BATCH.toml]", help="Default: all studies.")] = None,
    grid: Annotated[str | None, typer.Option(help="smoke (default) or paper.")] = None,
    store: StorePath = None,
    workers: Annotated[int | None, typer.Option(help="Processes; 0: this one. Default: one a core.", min=0)] = None,
    dask: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, or local.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds that a run may take.", min=1e-3)] = None,
    memory: Annotated[int | None, typer.Option(help="MB that a run may take.", min=1)] = None,
    record: Annotated[bool, typer.Option("--record", help="Write verdicts as evidence for the ledger.")] = False,
    evidence: Annotated[Path | None, typer.Option(help="Folder for --record.", file_okay=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run again what failed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Also more than a million runs.")] = False,
    studies: Studies = None,
    as_json: Json = False,
) -> int:
    """Run what the store lacks of a study's grid, of a batch file, or of all studies; exit 1 if a run fails.

    It may be stopped or killed at any time, and goes on where it was. Others may run on the same store.

    Example: pifs-sim run schedule_table --grid smoke --store store
    """
    needs_batch("pyarrow", "duckdb", "pydantic")
    batch, plans = requested(
        what, studies, grid=grid, workers=workers, dask=dask, store=store and str(store), timeout=timeout, memory=memory
    )
    if batch.studies is None:
        _say_left_out()
    total = sum(len(plan) for plan in plans)
    if total > _MANY and not yes:
        raise BadInput(f"{total} runs are more than {_MANY}: give --yes if that is meant.")
    from experiments import evidence as files
    from experiments.runner import Tally
    from experiments.store import Store, StoreError

    with reading_input():
        folder = (evidence or files.default_folder()) if record else None
        place = Path(batch.store or "store")
        if dry_run:
            return _rehearse(plans, place, as_json)
        engine = _engine(batch)
        try:
            kept = Store.create(place)
        except StoreError:
            engine.close()
            raise
    tally, began = Tally(), time.monotonic()
    try:
        with reading_input():
            for plan in plans:
                kept.remember(plan, batch.workers or _cores())
            status = _settle(kept, plans, engine, tally, retry_failed)
            seconds = time.monotonic() - began
            verdicts = _verdicts(kept, plans, folder) if status == 0 else {}
    finally:
        kept.close()
    _report(kept, plans, tally, status, seconds, verdicts, as_json)
    return status


def _say_left_out() -> None:
    """On standard error: the studies that are not run for want of a package."""
    from experiments.study import lacking, names

    out = {name: missing for name in names() if (missing := lacking(name))}
    if out:
        wanted = sorted({package for missing in out.values() for package in missing})
        print(
            f"pifs-sim: left out {', '.join(out)}: not installed: {', '.join(wanted)} "
            "(pip install 'pifs-sim[training]').",
            file=sys.stderr,
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _engine(batch: Batch) -> Engine:
    from experiments.engines import Inline, Limits, Pool

    limits = Limits(batch.limits.timeout, batch.limits.memory)
    if limits.memory is not None and sys.platform != "linux":
        raise ValueError("a limit of memory needs Linux.")
    count = _cores() if batch.workers is None else batch.workers
    if batch.dask is not None:
        needs_batch("dask", "distributed")
        from experiments.cluster import Cluster

        return Cluster(batch.dask, workers=max(count, 1), limits=limits)
    if count == 0:
        if limits != Limits():
            raise ValueError("`workers` must be at least 1 where runs have limits, got 0.")
        return Inline()
    return Pool(count, limits)


def _settle(store: Store, plans: list[Plan], engine: Engine, tally: Tally, retry_failed: bool) -> int:
    """Run; 0, 1 if a run failed, 130 if stopped."""
    from experiments import runner

    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True  # an exception is lost that is raised while something is being collected: `tick` repeats it
        raise KeyboardInterrupt

    before = {name: signal.signal(name, stop) for name in (signal.SIGTERM, signal.SIGINT)}
    looked = time.monotonic()
    try:
        with _bar(sum(len(plan) for plan in plans)) as show:

            def tick(now: Tally) -> None:
                nonlocal looked
                if stopped:
                    raise KeyboardInterrupt
                show(now.settled)
                if now.computed and time.monotonic() > looked + _INDEXING:
                    _index(store)
                    looked = time.monotonic()

            tasks = (task for plan in plans for task in plan.tasks())
            runner.run(store, tasks, engine, tally=tally, retry_failed=retry_failed, tick=tick)
    except KeyboardInterrupt:
        return 130
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    if tally.computed or tally.damaged:
        _index(store)
    return 1 if tally.failed else 0


def _index(store: Store) -> None:
    """Add what is new to the index."""
    from experiments.store.index import opened  # 0.1 s to import, and not needed where nothing is new

    with opened(store):
        pass


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], object]]:
    """A progress bar with rate and time left on standard error, on a terminal only."""
    screen = Console(stderr=True)
    columns = (TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    left = TimeRemainingColumn(compact=True)
    with Progress(*columns, left, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("runs", total=total, rate="")
        began = time.monotonic()

        def show(settled: int) -> None:
            rate = settled / max(time.monotonic() - began, 1e-3)
            bar.update(task, completed=settled, rate=f"{rate:.3g}/s")

        yield show


def _verdicts(store: Store, plans: list[Plan], folder: Path | None) -> dict[str, Any]:
    """Verdicts of the plans that are not too large; all, and written, if there is a folder for evidence."""
    from experiments import evidence

    said: dict[str, Any] = {}
    for plan in plans:
        if folder is not None:
            evidence.write(store, plan, folder)
        if folder is not None or len(plan) <= _VERDICTS:
            said[plan.study] = evidence.verdict(store, plan)
    return said


def _rehearse(plans: list[Plan], place: Path, as_json: bool) -> int:
    """What would be run."""
    from experiments.store import Store

    store = Store.open(place) if (place / "store.json").exists() else None
    rows: list[dict[str, Any]] = []
    for plan in plans:
        done = sum(store.has(task) for task in plan.tasks()) if store else 0
        axes = {axis: len(values) for axis, values in plan.axes.items()}
        rows.append({"study": plan.study, "grid": plan.grid, "axes": axes, "runs": len(plan), "left": len(plan) - done})
    if as_json:
        print_json("run --dry-run", {"store": str(place), "plans": rows})
    else:
        for row in rows:
            product = " × ".join(f"{axis} {count}" for axis, count in row["axes"].items())
            print(f"{row['study']} {row['grid']}: {row['runs']} runs ({product}), {row['left']} to run")
    return 0


def _report(
    store: Store, plans: list[Plan], tally: Tally, status: int, seconds: float, verdicts: dict[str, Any], as_json: bool
) -> None:
    failures = [failure for plan in plans for failure in store.failures(plan)] if tally.failed else []
    if as_json:
        failed = [
            {"study": f.task.study, "point": dict(f.task.point), "kind": f.kind, "message": f.message}
            | {"traceback": f.traceback, "seconds": f.seconds}
            for f in failures
        ]
        counts = {name: getattr(tally, name) for name in ("found", "computed", "elsewhere", "failed")}
        said = {name: {"answer": v.answer, "text": v.text, "numbers": dict(v.numbers)} for name, v in verdicts.items()}
        about = {"store": str(store.path), "runs": sum(len(plan) for plan in plans), **counts, "seconds": seconds}
        found = {**about, "stopped": status == 130, "failures": failed, "damaged": tally.damaged, "verdicts": said}
        print_json("run", found)
    else:
        for name, verdict in verdicts.items():
            console().print(f"[bold]{name}[/bold]: {verdict.answer}. {escape(verdict.text)}", soft_wrap=True)
        parts = [f"{tally.found} found", f"{tally.computed} computed", f"{tally.failed} failed"]
        parts += [f"{tally.elsewhere} computed by other runners"] if tally.elsewhere else []
        print(f"{sum(len(plan) for plan in plans)} runs in '{store.path}': {', '.join(parts)}; {seconds:.1f} s.")
    for line in tally.damaged:
        print(f"pifs-sim: damaged: {line}", file=sys.stderr)
    for failure in failures[:20]:
        print(f"pifs-sim: failed: {failure.task.study} {dict(failure.task.point)}: {failure.message}", file=sys.stderr)
        print("".join(f"    {line}\n" for line in failure.traceback.splitlines()), end="", file=sys.stderr)
    if len(failures) > 20:
        print(f"pifs-sim: and {len(failures) - 20} more: pifs-sim query 'from failures'", file=sys.stderr)
    if status == 130:
        print("pifs-sim: stopped; the same command goes on from here.", file=sys.stderr)
