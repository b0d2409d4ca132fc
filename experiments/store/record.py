"""A record: the table of a run as Parquet, and record.json with its key, what the key stands for, and checksums.

Both are a function of the run alone: the same bytes on one machine and software stack, whoever wrote them. Every byte
is covered: the table by its SHA-256 in record.json, record.json by its own, and the key by what it is the hash of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.plan import Task
from experiments.study import Scalar

__all__ = ["FILES", "SCHEMA", "Damaged", "columns", "decode", "encode", "table"]

SCHEMA = 1  # of the store: raised when what it holds can no longer be read by older versions
FILES = _TABLE, _RECORD = "rows.parquet", "record.json"


class Damaged(Exception):
    """A record does not hold what was written; the message says where it differs."""


def columns(point: Mapping[str, Scalar], rows: Sequence[Mapping[str, Scalar]]) -> dict[str, list[Any]]:
    """Columns of a run's table: its axes, then what `run` returned; integers beside floats become floats."""
    found: dict[str, list[Any]] = {axis: [value] * len(rows) for axis, value in point.items()}
    for name in rows[0]:
        values: list[Any] = [row[name] for row in rows]
        found[name] = [float(v) for v in values] if any(isinstance(v, float) for v in values) else values
    return found


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False).encode() + b"\n"


def encode(task: Task, rows: Sequence[Mapping[str, Scalar]]) -> dict[str, bytes]:
    """The files of a record, the table first."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table(columns(task.point, rows)), sink, compression="zstd", use_dictionary=False, store_schema=False
    )
    data = sink.getvalue().to_pybytes()
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "key": task.key,
        "run": {"study": task.study, "version": task.version, "point": dict(task.point), "backend": task.backend},
        "rows": len(rows),
        "files": {_TABLE: {"bytes": len(data), "sha256": _checksum(data)}},
    }
    content["sha256"] = _checksum(_canonical(content))
    return {_TABLE: data, _RECORD: _canonical(content)}


def decode(files: Mapping[str, bytes], key: str) -> dict[str, Any]:
    """What record.json says, after every checksum has been compared.

    Raises:
        Damaged: a file is missing, altered, or the record of another run.
    """
    for name in FILES:
        if name not in files:
            raise Damaged(f"{name} is missing")
    try:
        content: dict[str, Any] = json.loads(files[_RECORD])
        claimed = {name: value for name, value in content.items() if name != "sha256"}
        sound = _canonical(content) == files[_RECORD] and content["sha256"] == _checksum(_canonical(claimed))
        expected = content["files"][_TABLE]["sha256"]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Damaged(f"{_RECORD} cannot be read") from None
    if not sound:
        raise Damaged(f"{_RECORD} differs from its checksum")
    if content["key"] != key:
        raise Damaged(f"{_RECORD} is that of another run")
    if _checksum(files[_TABLE]) != expected:
        raise Damaged(f"{_TABLE} differs from its checksum")
    return content


def table(files: Mapping[str, bytes]) -> Any:
    """The table of a record, as pyarrow has it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.ParquetFile(pa.BufferReader(files[_TABLE])).read(use_threads=False)
