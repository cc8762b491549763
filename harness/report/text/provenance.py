"""Where, when and at what cost a report was made: everything that is not the science."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.core.hashing import digest
from harness.core.records import Record
from harness.core.words import plural
from harness.report.model.results import Results
from harness.report.text.prose import escape


def provenance(results: Results, command: str) -> str:
    """The list below the body of a report."""
    cells = results.once()
    records = [r.record for r in cells if r.record is not None]
    environments = [r.environment for r in records]
    lines = [
        f"- Records: {len(records)} of {plural(len(cells), 'cell')}; "
        f"science hash: `{science_hash(results)}`",
        f"- Command: `{command.replace('`', '')}`",
        f"- Time, summed over cells: {_seconds(records, 'wall_s')} of wall time, "
        f"{_total(records, 'gpu_s') / 3600:.2f} GPU hours; before them "
        f"{_seconds(records, 'features_s')} for features and {_seconds(records, 'texts_s')} for "
        "text embeddings that were not cached (seconds of one core, or of a GPU)",
        f"- Peak memory of a process that ran cells: {_peak(records)}",
        f"- Host: {_distinct(environments, 'host')}; device: {_distinct(environments, 'device')}",
        f"- Versions: {_versions(environments)}",
        f"- Commit: {_distinct(environments, 'commit')}",
        *_warnings(environments),
    ]
    return "\n".join(lines)


def science_hash(results: Results) -> str:
    """One hash over all results: reports with equal hashes are equal above the end of the body."""
    by_cell = [
        [r.key, r.record.status, r.record.science_hash] if r.record is not None else [r.key]
        for r in results.once()
    ]
    # Sorted: the order of the grid is not part of the results.
    return digest(sorted(by_cell, key=str), 64)


def _total(records: Iterable[Record], key: str) -> float:
    return sum(float(r.cost.get(key) or 0.0) for r in records)


def _seconds(records: Sequence[Record], key: str) -> str:
    total = _total(records, key)
    return f"{total:.1f} s" if total < 3600 else f"{total / 3600:.2f} h"


def _peak(records: Iterable[Record]) -> str:
    peak = max((float(r.cost.get("peak_bytes") or 0) for r in records), default=0.0)
    return f"{peak / 2**20:,.0f} MiB" if peak else "not recorded"


def _distinct(environments: Iterable[Mapping[str, Any]], key: str) -> str:
    values = sorted({escape(e[key]) for e in environments if e.get(key) is not None})
    return ", ".join(values) or "not recorded"


def _versions(environments: Iterable[Mapping[str, Any]]) -> str:
    by_package: dict[str, set[str]] = {}
    for e in environments:
        versions = e.get("versions") or {}
        for name, version in versions.items() if isinstance(versions, Mapping) else ():
            by_package.setdefault(str(name), set()).add(str(version))
    texts = [f"{name} {' and '.join(sorted(own))}" for name, own in sorted(by_package.items())]
    return ", ".join(map(escape, texts)) or "not recorded"


def _warnings(environments: Sequence[Mapping[str, Any]]) -> list[str]:
    out = []
    commits = {str(e["commit"]) for e in environments if e.get("commit")}
    if len(commits) > 1:
        out.append(
            f"- **Mixed commits:** the cells were computed by {len(commits)} versions of the code."
        )
    dirty = sum(bool(e.get("dirty")) for e in environments)
    if dirty:
        out.append(
            f"- **Uncommitted changes** to the code were present while {plural(dirty, 'cell')} "
            f"{'was' if dirty == 1 else 'were'} computed."
        )
    adopted = sum("adopted_from" in e for e in environments)
    if adopted:
        out.append(
            f"- **Taken over:** the Records of {plural(adopted, 'cell')} are from before keys held "
            "the bytes of the data, and were taken over by hand."
        )
    return out
