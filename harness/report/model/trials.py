"""What the searches of a row tried: every setting with its mean over seeds and columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from harness.core.hashing import canonical
from harness.core.records import Record
from harness.report.model.labels import Column
from harness.report.model.table import Table


@dataclass(frozen=True)
class Setting:
    """One configuration of a search over some cells; top1 (a fraction) and nll are means of what
    the cells selected by, None where it failed in every cell.
    """

    config: Mapping[str, Any]
    top1: float | None
    nll: float | None
    cells: int  # in which it was tried
    failed: int  # of these
    chosen: int  # of these

    def rank(self) -> tuple[float, float]:
        """Larger is better, as in a search: the accuracy, of equals the lower NLL."""
        return (self.top1 or 0.0, -(self.nll or 0.0))


def settings_of(table: Table, row: str, column: Column | None = None) -> tuple[Setting, ...]:
    """The settings that a row tried, in the order of the search: in one column, or in all of them.
    Nothing for a row without a search.
    """
    columns = table.columns if column is None else (column,)
    records = [r for c in columns for r in table.entries[row, c].records if _trials(r)]
    return _settings(records)


def best_on_average(settings: Sequence[Setting]) -> Setting | None:
    """The setting with the highest mean, of equals the lower NLL, then the first. Only settings
    that every cell tried and that failed in none are compared; None without one.
    """
    most = max((s.cells for s in settings), default=0)
    usable = [s for s in settings if s.cells == most and not s.failed]
    return max(usable, key=Setting.rank, default=None)


def _trials(record: Record) -> Sequence[Mapping[str, Any]]:
    return record.diagnostics.get("search") or ()


def _settings(records: Iterable[Record]) -> tuple[Setting, ...]:
    tried: dict[str, list[Mapping[str, Any]]] = {}
    chosen: list[str] = []
    for record in records:
        chosen.append(canonical(record.diagnostics.get("chosen")))
        for trial in _trials(record):
            tried.setdefault(canonical(trial["config"]), []).append(trial)
    return tuple(_setting(trials, chosen.count(name)) for name, trials in tried.items())


def _setting(trials: Sequence[Mapping[str, Any]], chosen: int) -> Setting:
    done = [trial for trial in trials if trial.get("error") is None]
    top1, nll = (_measured(done, measure) for measure in ("top1", "nll"))
    return Setting(
        config=trials[0]["config"],
        top1=fmean(top1) if top1 else None,
        nll=fmean(nll) if nll else None,
        cells=len(trials),
        failed=len(trials) - len(done),
        chosen=chosen,
    )


def _measured(trials: Sequence[Mapping[str, Any]], measure: str) -> list[float]:
    """val_top1, or with selection on the test set test_top1, and the like."""
    return [
        value
        for trial in trials
        for name, value in trial.items()
        if name.endswith(f"_{measure}") and value is not None
    ]
