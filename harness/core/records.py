"""The Record: the result of one cell, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from harness.core.errors import BadInput
from harness.core.hashing import digest

#: Part of every key. Raised when a default of a cell changes its meaning, so that an older Record
#: is never used for a newer cell.
KEY_VERSION = 1
#: In every Record file. Raised when a field of Records changes its meaning; it changes no key.
#: 1 has no `measures`.
RECORD_VERSION = 2

#: Fields that may differ between two runs of a cell with the same result. Measures are computed
#: from the arrays, which are in the hash, so a new measure must not change it.
_NOT_SCIENCE = (
    "cost", "environment", "science_hash", "arrays", "schema", "measures", "unknown", "warnings",
    "settle",
)  # fmt: skip


class NewerRecord(BadInput):
    """A Record that a newer version of the harness wrote."""


@dataclass(frozen=True)
class Record:
    """The result of one cell. On disk it is the only source of truth about the cell."""

    key: str
    cell: Mapping[str, Any]
    status: str  # done | failed
    error: Mapping[str, str] | None = None
    top1: float | None = None
    top5: float | None = None
    mean_class: float | None = None
    nll: float | None = None
    ece: float | None = None
    n: int | None = None
    test: str | None = None
    support: str | None = None
    train_key: str | None = None
    curve: Sequence[Mapping[str, Any]] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    arrays: str | None = None  # file name of the npz beside the json
    measures: Mapping[str, float] = field(default_factory=dict)  # those without a field
    #: What the run found about the inputs of the cell that a reader of its numbers should know.
    warnings: Sequence[str] = ()
    #: The sequential rules under which it was gathered or looked at, each with its look: see
    #: `LookRule`.
    settle: Sequence[Mapping[str, Any]] = ()
    science_hash: str | None = None
    schema: int = RECORD_VERSION
    unknown: Mapping[str, Any] = field(default_factory=dict)  # fields of another version


_KNOWN = frozenset(f.name for f in fields(Record)) - {"unknown"}
#: Measures that have a field of their own, in the order of reports.
TOP_LEVEL_MEASURES = ("top1", "top5", "mean_class", "nll", "ece")


def record_from(data: Mapping[str, Any]) -> Record:
    """The Record with this JSON. Fields that this version does not know are kept.

    Raises NewerRecord for one of a newer version, TypeError or ValueError if it is not a Record.
    """
    version = data.get("schema", 1)
    if isinstance(version, int) and version > RECORD_VERSION:
        raise NewerRecord(
            f"the Record of cell {data.get('key')} was written by a newer version of the harness "
            f"(Record version {version}; this one reads up to {RECORD_VERSION}): update it with "
            "pip install --upgrade classifier-init-harness, or name another folder with --runs"
        )
    unknown = {name: value for name, value in data.items() if name not in _KNOWN}
    return Record(**{k: v for k, v in data.items() if k in _KNOWN}, unknown=unknown)


def as_json(record: Record) -> dict[str, Any]:
    """The Record as JSON data; fields without a value are left out."""
    known = {name: value for name, value in vars(record).items() if value is not None}
    unknown = known.pop("unknown")
    for name in ("measures", "warnings", "settle"):
        if not known[name]:
            del known[name]
    return known | dict(unknown)


def science_hash(record: Record, arrays_hash: str) -> str:
    """A hash of the result, without cost, environment and seconds. Identical results have equal
    hashes.

    `arrays_hash` is that of the Record's arrays.
    """
    known = {k: v for k, v in vars(record).items() if v is not None and k not in _NOT_SCIENCE}
    known["curve"] = [{k: v for k, v in p.items() if k != "seconds"} for p in record.curve]
    if record.error:
        known["error"] = {k: record.error[k] for k in ("type", "message")}
    return digest([known, arrays_hash])
