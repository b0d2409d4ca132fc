"""The index of a store: its tables in one DuckDB file, which can be thrown away and made again.

`runs` has a row a record, `failures` a row a failed run, and each study a table of its own with the rows of its runs,
their key, version and backend. Keys in the folders and in the index come sorted, so one pass finds what to add and
what to remove; no more than a chunk of records is held at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from experiments.plan import Plan
from experiments.store import Damaged, Store, StoreError, record

__all__ = ["Index", "opened"]

_CHUNK = 2000
_PATIENCE = 10.0  # seconds to wait for another process that has the index open
_LAYOUT = 1
_TABLES = f"""
CREATE TABLE layout AS SELECT {_LAYOUT} AS version;
CREATE TABLE runs(study VARCHAR, key VARCHAR, version INTEGER, backend VARCHAR, rows BIGINT, seconds DOUBLE,
                  sha256 VARCHAR);
CREATE TABLE failures(study VARCHAR, key VARCHAR, version INTEGER, backend VARCHAR, kind VARCHAR, message VARCHAR,
                      traceback VARCHAR, seconds DOUBLE);
"""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextlib.contextmanager
def opened(store: Store, *, fresh: bool = False) -> Iterator[Index]:
    """The index brought up to date; of a store that cannot be written to, or if `fresh`, a copy that is not kept."""
    path = store.path / "index.duckdb"
    with contextlib.ExitStack() as stack:
        if fresh or not os.access(store.path, os.W_OK):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            if not fresh and path.exists():
                shutil.copyfile(path, folder / path.name)
            path = folder / path.name
        index = Index(store, path)
        stack.callback(index.close)
        index.refresh()
        yield index


def _connect(path: Path) -> Any:
    """A connection to an index of this layout; one that cannot be read is replaced."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            database: Any = duckdb.connect(str(path), config={"threads": "2", "memory_limit": "1GB"})
            tables = {name for (name,) in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
            if not tables:
                database.execute(_TABLES)
            elif "layout" not in tables or database.execute("FROM layout").fetchone() != (_LAYOUT,):
                database.close()
                path.unlink()
                continue
            return database
        except duckdb.Error as error:
            if "lock" not in str(error).lower():
                if not path.exists():
                    raise StoreError(f"cannot make the index '{path}': {str(error).splitlines()[0]}.") from None
                path.unlink()
                path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
            elif time.monotonic() > until:
                raise StoreError(f"the index '{path}' is in use by another process.") from None
            else:
                time.sleep(0.1)


class Index:
    """The tables of a store."""

    def __init__(self, store: Store, path: Path) -> None:
        self.database = _connect(path)
        self._path = path
        self.damaged: list[str] = []
        self._store = store

    def close(self) -> None:
        """Let other processes have the file."""
        self.database.close()

    def refresh(self) -> None:
        """Add the records that are new, remove those that are gone, list the failures anew."""
        chunk: list[tuple[str, str]] = []
        gone: list[tuple[str, str]] = []
        for where, study, key in self._changes():
            (chunk if where == "store" else gone).append((study, key))
            if len(chunk) >= _CHUNK:
                self._add(chunk)
                chunk = []
        self._add(chunk)
        for study, key in gone:
            self.database.execute("DELETE FROM runs WHERE study = ? AND key = ?", [study, key])
            self.database.execute(f"DELETE FROM {_quoted(study)} WHERE key = ?", [key])
        rows = [
            [f.task.study, f.task.key, f.task.version, f.task.backend, f.kind, f.message, f.traceback, f.seconds]
            for f in self._store.failures()
        ]
        if rows or self.database.execute("SELECT count(*) FROM failures").fetchone() != (0,):
            self.database.execute("DELETE FROM failures")
            if rows:
                self.database.executemany("INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _changes(self) -> Iterator[tuple[str, str, str]]:
        """What only the store has, and what only the index has."""
        cursor = self.database.cursor().execute("SELECT study, key FROM runs ORDER BY study, key")
        there = iter(self._store.contents())
        ours, theirs = cursor.fetchone(), next(there, None)
        while ours or theirs:
            if theirs and (not ours or theirs < ours):
                yield ("store", *theirs)
                theirs = next(there, None)
            elif ours and (not theirs or ours < theirs):
                yield ("index", *ours)
                ours = cursor.fetchone()
            else:
                ours, theirs = cursor.fetchone(), next(there, None)

    def _add(self, keys: list[tuple[str, str]]) -> None:
        runs: list[list[Any]] = []
        tables: dict[tuple[str, str], tuple[list[Any], list[Any]]] = {}  # by study and types: of each there are few
        for study, key in keys:
            try:
                files = self._store.files(study, key, (*record.FILES, "provenance.json"))
                content = record.decode(files, key)
            except KeyError:
                continue  # set aside meanwhile
            except Damaged as damage:
                self.damaged.append(f"{study}/{key}: {damage}")
                continue
            about, table = content["run"], record.table(files)
            part = tables.setdefault((study, str(table.schema)), ([], []))
            part[0].append(table)
            part[1].extend([(key, about["version"], about["backend"])] * len(table))
            seconds = _seconds(files)
            runs.append([study, key, about["version"], about["backend"], content["rows"], seconds, content["sha256"]])
        if not runs:
            return
        self.database.execute("BEGIN")
        for (study, _), (parts, names) in tables.items():
            whole = pa.concat_tables(parts)
            for name, values in reversed(
                list(zip(("key", "version", "backend"), zip(*names, strict=True), strict=True))
            ):
                whole = whole.add_column(0, name, pa.array(values))
            self._insert(study, whole)
        listed = pa.table(dict(zip(("a", "b", "c", "d", "e", "f", "g"), zip(*runs, strict=True), strict=True)))
        self.database.register("listed", listed)
        self.database.execute("INSERT INTO runs SELECT * FROM listed")
        self.database.unregister("listed")
        self.database.execute("COMMIT")

    def _insert(self, study: str, table: Any) -> None:
        """Add rows to the table of a study, whose columns grow in number and width as needed."""
        self.database.register("part", table)
        new = self.columns("part")
        name = _quoted(study)
        self.database.execute(f"CREATE TABLE IF NOT EXISTS {name} AS FROM part LIMIT 0")
        old = self.columns(study)
        for column, kind in new.items():
            if column not in old:
                self.database.execute(f"ALTER TABLE {name} ADD COLUMN {_quoted(column)} {kind}")
            elif old[column] != kind and (old[column], kind) != ("DOUBLE", "BIGINT"):
                wider = "DOUBLE" if (old[column], kind) == ("BIGINT", "DOUBLE") else "VARCHAR"
                self.database.execute(f"ALTER TABLE {name} ALTER {_quoted(column)} TYPE {wider}")
        self.database.execute(f"INSERT INTO {name} BY NAME FROM part")
        self.database.unregister("part")

    def columns(self, table: str) -> dict[str, str]:
        """Names and types of a table's columns; none without the table."""
        try:
            found = self.database.execute(f"DESCRIBE {_quoted(table)}").fetchall()
        except duckdb.CatalogException:
            return {}
        return {row[0]: row[1] for row in found}

    def studies(self) -> list[str]:
        """Studies that have records."""
        return [name for (name,) in self.database.execute("SELECT DISTINCT study FROM runs ORDER BY study").fetchall()]

    def write(self, study: str, path: Path, form: str) -> None:
        """All rows of a study in one file, "parquet" or "csv"."""
        rows = f"SELECT * FROM {_quoted(study)} ORDER BY version, backend, key"
        name = str(path).replace("'", "''")
        options = "FORMAT parquet" if form == "parquet" else "FORMAT csv, HEADER"
        self.database.execute(f"COPY ({rows}) TO '{name}' ({options})")

    def reading(self) -> Any:
        """A connection that changes nothing, here or in other files."""
        self.database.close()
        self.database = duckdb.connect(
            str(self._path), read_only=True, config={"enable_external_access": "false", "threads": "2"}
        )
        return self.database

    def rebuild(self) -> None:
        """Make all tables anew."""
        for name in [row[0] for row in self.database.execute("SELECT table_name FROM duckdb_tables()").fetchall()]:
            self.database.execute(f"DROP TABLE {_quoted(name)}")
        self.database.execute(_TABLES)
        self.refresh()

    def done(self, plan: Plan) -> tuple[int, float]:
        """How many of the plan's runs have a record, and their mean seconds."""
        columns = self.columns(plan.study)
        if not columns.keys() >= plan.axes.keys():
            return 0, 0.0
        axes = "".join(f" AND {_quoted(axis)} IN (SELECT unnest(?))" for axis in plan.axes)
        keys = f"SELECT DISTINCT key FROM {_quoted(plan.study)} WHERE version = ? AND backend = ?{axes}"
        values: list[Any] = [plan.version, plan.backend, *(list(values) for values in plan.axes.values())]
        query = f"SELECT count(*), coalesce(avg(seconds), 0) FROM runs WHERE study = ? AND key IN ({keys})"
        count, seconds = self.database.execute(query, [plan.study, *values]).fetchone()
        return int(count), float(seconds)

    def differences(self, other: Index) -> list[str]:
        """Tables in which two indexes of the store differ."""
        mine, theirs = self._digests(), other._digests()
        return sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))

    def _digests(self) -> dict[str, Any]:
        """Rows and a hash of each table, whatever the order of rows and columns."""
        names = [row[0] for row in self.database.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        digests = {}
        for name in names:
            columns = sorted(self.columns(name))
            values = ", ".join(f"{_quoted(column)}" for column in columns)
            query = f"SELECT count(*), sum(hash({values})::HUGEINT) FROM {_quoted(name)}"
            digests[name] = (columns, *self.database.execute(query).fetchone())
        return digests


def _seconds(files: Mapping[str, bytes]) -> float | None:
    """What the run took, by its provenance, which need not be there."""
    try:
        return float(json.loads(files["provenance.json"])["seconds"])
    except (KeyError, ValueError, TypeError):
        return None
