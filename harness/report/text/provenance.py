"""Where, when and at what cost: everything about a report that is not the science."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.core.hashing import digest
from harness.core.records import Record
from harness.report.model.results import Study
from harness.report.text.prose import escape


def provenance(study: Study, command: str) -> str:
    """The section below the body."""
    records = [r.record for r in study.results if r.record is not None]
    environments = [r.environment for r in records]
    lines = [
        f"- Records: {len(records)} of {len(study.results)} cells; hash over their science: "
        f"`{science_hash(study)}`",
        f"- Command: `{command.replace('`', '')}`",
        f"- Time: {_seconds(records, 'wall_s')} of wall time, "
        f"{_total(records, 'gpu_s') / 3600:.2f} GPU hours, summed over cells",
        f"- Largest memory of the process that ran a cell: {_peak(records)}",
        f"- Host: {_seen(environments, 'host')}; device: {_seen(environments, 'device')}",
        f"- Versions: {_versions(environments)}",
        f"- Commit: {_seen(environments, 'commit')}",
        *_warnings(environments),
    ]
    return "\n".join(lines)


def science_hash(study: Study) -> str:
    """One hash over what was measured: equal hashes, equal report above the end of its body."""
    found = [
        [r.key, r.record.status, r.record.science_hash] if r.record is not None else [r.key]
        for r in study.results
    ]
    return digest(sorted(found, key=str), 64)


def _total(records: Iterable[Record], key: str) -> float:
    return sum(float(r.cost.get(key) or 0.0) for r in records)


def _seconds(records: Sequence[Record], key: str) -> str:
    total = _total(records, key)
    return f"{total:.1f} s" if total < 3600 else f"{total / 3600:.2f} h"


def _peak(records: Iterable[Record]) -> str:
    peak = max((float(r.cost.get("peak_bytes") or 0) for r in records), default=0.0)
    return f"{peak / 2**20:,.0f} MiB" if peak else "not recorded"


def _seen(environments: Iterable[Mapping[str, Any]], key: str) -> str:
    values = sorted({escape(e[key]) for e in environments if e.get(key) is not None})
    return ", ".join(values) or "not recorded"


def _versions(environments: Iterable[Mapping[str, Any]]) -> str:
    found: dict[str, set[str]] = {}
    for e in environments:
        versions = e.get("versions") or {}
        for name, version in versions.items() if isinstance(versions, Mapping) else ():
            found.setdefault(str(name), set()).add(str(version))
    lines = [f"{escape(n)} {escape(' and '.join(sorted(v)))}" for n, v in sorted(found.items())]
    return ", ".join(lines) or "not recorded"


def _warnings(environments: Sequence[Mapping[str, Any]]) -> list[str]:
    out = []
    commits = {str(e["commit"]) for e in environments if e.get("commit")}
    if len(commits) > 1:
        out.append(
            f"- **Mixed commits:** cells were computed by {len(commits)} versions of the code."
        )
    dirty = sum(bool(e.get("dirty")) for e in environments)
    if dirty:
        out.append(f"- **Uncommitted changes** were present while {dirty} cells were computed.")
    return out
