"""The store of runs: records addressed by their keys, complete or absent, checked whenever they are read.

store.json                                   schema version
plans/<id>.json                              what was asked for
records/<study>/<ab>/<key>/rows.parquet      the table of a run
                          /record.json       key and checksums: with the table, the record
                          /provenance.json   commit, versions, device, seconds: not part of the record
failures/<key>.json  damaged/  leases/  scratch/  index.duckdb
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments.outcome import Failure
from experiments.plan import Plan, Task
from experiments.store import record
from experiments.store.files import StoreError, flush, folders, publish, replace, writing
from experiments.store.leases import LIFETIME, Leases, alive, owner
from experiments.store.record import Damaged

__all__ = ["Damaged", "Store", "StoreError"]

_PARTS = ("records", "failures", "damaged", "leases", "plans", "scratch")


class Store:
    """A folder of records; made by `open` or `create`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.leases = Leases(path / "leases")
        self._scratch = path / "scratch" / f"{owner()}.{uuid.uuid4().hex[:8]}"

    @classmethod
    def open(cls, path: Path | str) -> Store:
        """The store at `path`, for reading.

        Raises:
            StoreError: there is none, or it was written by a later version of this program.
        """
        path = Path(path)
        try:
            content = json.loads((path / "store.json").read_bytes())
            schema = int(content["schema"])
        except FileNotFoundError:
            raise StoreError(f"'{path}' is no store: it has no store.json.") from None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreError(f"'{path / 'store.json'}' cannot be read: {error}.") from None
        if schema > record.SCHEMA:
            raise StoreError(
                f"the store '{path}' has schema {schema}, and this version of pifs_sim reads up to {record.SCHEMA}."
            )
        return cls(path)

    @classmethod
    def create(cls, path: Path | str) -> Store:
        """The store at `path`, for writing, made if it is not there; what dead runners left unfinished is removed.

        Raises:
            StoreError: as `open`; or the folder cannot be written to, or holds something else.
        """
        path = Path(path)
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            if not (path / "store.json").exists():
                strange = [entry.name for entry in path.iterdir() if not entry.name.startswith(".")]
                if set(strange) - set(_PARTS):
                    raise StoreError(f"'{path}' is no store: it is not empty and has no store.json.")
                replace(path / "store.json", json.dumps({"schema": record.SCHEMA}).encode() + b"\n")
            store = cls.open(path)
            for part in _PARTS:
                (path / part).mkdir(exist_ok=True)
            flush(path)
            for entry in (path / "scratch").iterdir():
                lives = alive(entry.name.partition(".")[0])
                if lives is False or (lives is None and time.time() - entry.stat().st_mtime > 24 * LIFETIME):
                    shutil.rmtree(entry, ignore_errors=True)
            store._scratch.mkdir(exist_ok=True)
        return store

    def close(self) -> None:
        """Give back what belongs to this process."""
        self.leases.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def lease(self, task: Task) -> bool:
        """Take the lease of a run, unless another process holds it."""
        with writing(self.path):
            return self.leases.take(task.key, {"study": task.study, "version": task.version})

    # records

    def folder(self, study: str, key: str) -> Path:
        """Where the record of a run is."""
        return self.path / "records" / study / key[:2] / key

    def has(self, task: Task) -> bool:
        """Whether there is a record of the run, sound or not."""
        return self.folder(task.study, task.key).is_dir()

    def files(self, study: str, key: str, names: Sequence[str] = record.FILES) -> dict[str, bytes]:
        """The files of a record as they are, without those that are missing; KeyError if there is none."""
        folder = f"{self.path}/records/{study}/{key[:2]}/{key}"
        found = {}
        for name in names:
            try:
                with open(f"{folder}/{name}", "rb", buffering=0) as file:
                    found[name] = file.read()
            except FileNotFoundError:
                if not os.path.isdir(folder):
                    raise KeyError(key) from None
        return found

    def check(self, task: Task) -> bool:
        """Whether there is a sound record of the run; Damaged if it is not sound."""
        try:
            record.decode(self.files(task.study, task.key), task.key)
        except KeyError:
            return False
        return True

    def write(self, task: Task, rows: Sequence[Mapping[str, Any]], provenance: Mapping[str, Any]) -> None:
        """Keep what a run returned; a record that is there already is left as it is."""
        about = json.dumps(provenance, sort_keys=True).encode() + b"\n"
        table, content = record.encode(task, rows).items()
        target = self.folder(task.study, task.key)
        with writing(self.path):
            folders(target.parent, self.path)
            publish(target, dict((table, ("provenance.json", about), content)), scratch=self._scratch)
            (self.path / "failures" / f"{task.key}.json").unlink(missing_ok=True)

    def set_aside(self, study: str, key: str) -> Path:
        """Move a damaged record out of the way; where it is now."""
        target = self.path / "damaged" / f"{study}-{key}-{uuid.uuid4().hex[:8]}"
        with writing(self.path), contextlib.suppress(FileNotFoundError):  # another process has moved it
            os.rename(self.folder(study, key), target)
            flush(target.parent)
        return target

    def contents(self) -> Iterator[tuple[str, str]]:
        """Study and key of every record, without opening any."""
        for study in sorted(_names(self.path / "records")):
            for shard in sorted(_names(self.path / "records" / study)):
                for key in sorted(_names(self.path / "records" / study / shard)):
                    yield study, key

    def rows(self, plan: Plan) -> list[dict[str, Any]]:
        """Rows of the plan's finished runs in the order of its points, axes included; Damaged if one is not sound."""
        found: list[dict[str, Any]] = []
        for task in plan.tasks():
            with contextlib.suppress(KeyError):
                files = self.files(task.study, task.key)
                record.decode(files, task.key)
                found += record.table(files).to_pylist()
        return found

    def provenance(self, plan: Plan) -> list[dict[str, Any]]:
        """How the plan's finished runs came about, in the order of its points."""
        paths = (self.folder(task.study, task.key) / "provenance.json" for task in plan.tasks())
        return [content for path in paths if (content := _content(path))]

    # failures

    def fail(self, failure: Failure) -> None:
        """Keep why a run gave no record."""
        with writing(self.path):
            path = self.path / "failures" / f"{failure.task.key}.json"
            replace(path, json.dumps(asdict(failure), indent=1).encode() + b"\n")

    def failed(self, key: str) -> bool:
        """Whether a run failed when it was last tried."""
        return (self.path / "failures" / f"{key}.json").exists()

    def failures(self, plan: Plan | None = None) -> list[Failure]:
        """Why runs gave no record: those of the plan, or all."""
        found = []
        for name in sorted(_names(self.path / "failures")):
            content = _content(self.path / "failures" / name)
            if content:
                failure = Failure(**{**content, "task": Task(**content["task"])})
                if plan is None or plan.holds(failure.task):
                    found.append(failure)
        return found

    # plans

    def remember(self, plan: Plan, workers: int) -> None:
        """Keep what was asked for, in place of what was asked under the same name before."""
        content = {**asdict(plan), "workers": workers}
        with writing(self.path):
            replace(self.path / "plans" / f"{plan.name}.json", json.dumps(content, indent=1).encode() + b"\n")

    def plans(self) -> list[Plan]:
        """What was asked for, by study and grid."""
        found = []
        for name in sorted(_names(self.path / "plans")):
            content = _content(self.path / "plans" / name)
            if content:
                axes = {axis: tuple(values) for axis, values in content["axes"].items()}
                about = {name: content[name] for name in ("study", "version", "grid", "backend")}
                found.append(Plan(axes=axes, **about))
        return found

    def workers(self, plan: Plan) -> int:
        """How many workers the plan was last run with."""
        return int((_content(self.path / "plans" / f"{plan.name}.json") or {}).get("workers", 1))


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _content(path: Path) -> dict[str, Any] | None:
    """A JSON object; None if there is none, or none that is whole."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
