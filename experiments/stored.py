"""The commands on what a store holds: `status`, `query` and `export`, through its index."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from experiments.batches import Json, Studies, needs_batch, requested
from experiments.terminal import BadInput, console, print_json, reading_input, unknown, writable

if TYPE_CHECKING:
    from experiments.plan import Plan
    from experiments.store import Store
    from experiments.store.index import Index

__all__ = ["export", "query", "status"]

Place = Annotated[Path, typer.Option("--store", help="Folder of the records.")]
_COLUMNS = ("study", "grid", "runs", "done", "running", "failed", "left", "time_left")
_ROWS = 1000  # that a query prints for people


@contextmanager
def _opened(place: Path) -> Iterator[tuple[Store, Index]]:
    """The store and its index; what is wrong with the query or the store is the user's to mend."""
    needs_batch("pyarrow", "duckdb", "pydantic")
    import duckdb

    from experiments.store import Store
    from experiments.store.index import opened

    with reading_input():
        store = Store.open(place)
        try:
            with opened(store) as index:
                yield store, index
        except duckdb.Error as error:
            raise BadInput(str(error).splitlines()[0]) from None


def status(
    what: Annotated[str | None, typer.Argument(metavar="[STUDY|BATCH.toml]", help="Default: all that was run.")] = None,
    grid: Annotated[str | None, typer.Option(help="Only this grid.")] = None,
    store: Place = Path("store"),
    verify: Annotated[bool, typer.Option("--verify", help="Read every record, and make the index anew.")] = False,
    studies: Studies = None,
    as_json: Json = False,
) -> int:
    """Runs done, running, failed and left, and the time that is left; exit 1 if --verify finds damage.

    Example: pifs-sim status --store store --verify
    """
    with _opened(store) as (kept, index):
        if what is None:
            plans = [plan for plan in kept.plans() if grid in (None, plan.grid)]
        else:
            plans = requested(what, studies, grid=grid)[1]
        rows = [_progress(kept, index, plan) for plan in plans]
        records, failed = (
            index.database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("runs", "failures")
        )
        wrong = _verified(kept, index) if verify else []
    if as_json:
        about: dict[str, Any] = {"store": str(store), "records": records, "failures": failed, "plans": rows}
        print_json("status", about | ({"verified": not wrong, "damaged": wrong} if verify else {}))
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in _COLUMNS:
            table.add_column(column.replace("_", " "), justify="left" if column in ("study", "grid") else "right")
        for row in rows:
            table.add_row(*(_shown(column, row[column]) for column in _COLUMNS))
        console().print(table)
        print(
            f"{records} records and {failed} failures in '{store}'" + (", all sound." if verify and not wrong else ".")
        )
        for line in wrong:
            print(f"damaged: {line}")
    return 1 if wrong else 0


def _progress(store: Store, index: Index, plan: Plan) -> dict[str, Any]:
    done, seconds = index.done(plan)
    failed = len(store.failures(plan))
    running = sum(1 for note in store.leases.live() if (note.get("study"), note.get("version")) == _name(plan))
    left = max(0, len(plan) - done - failed)
    estimate = left * seconds / max(store.workers(plan), 1) if done else None
    counts = {"runs": len(plan), "done": done, "running": min(running, left), "failed": failed, "left": left}
    return {"study": plan.study, "grid": plan.grid, "version": plan.version, **counts, "time_left": estimate}


def _name(plan: Plan) -> tuple[str, int]:
    return plan.study, plan.version


def _shown(column: str, value: Any) -> str:
    if column != "time_left":
        return str(value)
    if value is None:
        return "?"
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def _verified(store: Store, index: Index) -> list[str]:
    """What is damaged: records, and the index where it differs from one made of them now."""
    from experiments.store.index import opened

    with opened(store, fresh=True) as fresh:
        wrong = [f"record {what}" for what in fresh.damaged]
        wrong += [f"index: table {name} is not that of the records" for name in index.differences(fresh)]
    if any(line.startswith("index") for line in wrong):
        index.rebuild()
    return wrong


def query(
    sql: Annotated[str, typer.Argument(help="DuckDB's SQL on the tables runs, failures and one a study.")],
    store: Place = Path("store"),
    as_json: Json = False,
) -> int:
    """Ask the index of a store; nothing can be changed.

    Example: pifs-sim query "select schedule, avg(mean) from schedule_table group by schedule"
    """
    with _opened(store) as (_, index):
        found = index.reading().execute(sql)
        names = [column[0] for column in found.description or ()]
        rows = found.fetchall() if as_json else found.fetchmany(_ROWS + 1)
    if as_json:
        print_json("query", {"columns": names, "rows": [dict(zip(names, row, strict=True)) for row in rows]})
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows[:_ROWS]:
        table.add_row(*(f"{cell:.9g}" if isinstance(cell, float) else str(cell) for cell in row))
    console().print(table)
    if len(rows) > _ROWS:
        print(f"only the first {_ROWS} rows; all by --json or pifs-sim export.")
    return 0


def export(
    study: Annotated[str, typer.Argument(help="A study whose runs are in the store.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.", dir_okay=False)],
    form: Annotated[str, typer.Option("--format", help="parquet or csv.")] = "parquet",
    store: Place = Path("store"),
    as_json: Json = False,
) -> int:
    """Write all rows of a study, by version, backend and key, to one file.

    Example: pifs-sim export schedule_table --format csv -o schedule_table.csv
    """
    if form not in ("parquet", "csv"):
        raise BadInput(f"--format must be parquet or csv, got {form!r}.")
    writable("--output", output)
    with _opened(store) as (_, index):
        known = index.studies()
        if study not in known:
            raise unknown("study in this store:", study, known) if known else BadInput(f"'{store}' has no records.")
        temporary = output.with_name(f".{output.name}.{uuid.uuid4().hex}")
        try:
            index.write(study, temporary, form)
            os.replace(temporary, output)
        finally:
            temporary.unlink(missing_ok=True)
    if as_json:
        print_json("export", {"file": str(output), "study": study, "as": form})
    else:
        print(f"Wrote {output}")
    return 0
