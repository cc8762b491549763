"""The cost of each row: by construction in the body of a report, as measured below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.core.records import Record
from harness.report.model.entry import DONE
from harness.report.model.pareto import TEXT_OPERATIONS, gpu_days, runs_texts
from harness.report.model.table import Table
from harness.report.render.leaderboard import DASH
from harness.report.render.pipe_table import pipe_table
from harness.report.text.notes import COST, COUNTED_TEXTS, UNCOUNTED_TEXTS
from harness.report.text.numbers import count, points
from harness.report.text.precision import table_digits
from harness.report.text.prose import escape

#: Title -> field of a Record's cost.
_COUNTS = {
    "Trained parameters": "params",
    "Encoder parameters": "params_encoder",
    "Encoder parameters (paper's count)": "params_encoder_paper",
    "MACs per view": "flops_per_view",
    "MACs per view (paper's count)": "flops_per_view_paper",
    "Views": "views",
}
_DAYS = {"V100-days": "v100_days", "A100-days": "a100_days"}


def by_construction(table: Table) -> str:
    """Accuracy with parameters, MACs, views and estimated GPU-days.

    Nothing that depends on the machine: equal results give equal text.
    """
    rows = []
    digits = table_digits(table)
    for row in table.rows:
        records = _records(table, row)
        texts = [_range([record.cost for record in records], key) for key in _COUNTS.values()]
        texts += [_days([gpu_days(record, key) for record in records]) for key in _DAYS.values()]
        if any(texts):
            rows.append([escape(row), _accuracies(table, row, digits), *texts])
    if not rows:
        return ""
    header = ["Row", "Top-1", *_COUNTS, *_DAYS]
    # Columns that no row has are left out.
    kept = [i for i in range(len(header)) if i < 2 or any(row[i] for row in rows)]
    shown = pipe_table([header[i] for i in kept], [[row[i] for i in kept] for row in rows])
    several = len(table.columns) > 1
    order = " / ".join(escape(column) for column in table.columns)
    note = COST + _of_texts(table)
    return f"{shown}\n\n{note}" + (f" Top-1 is in points, by column: {order}." if several else "")


def _of_texts(table: Table) -> str:
    """How the GPU-days of rows that train through a text tower came to be, if there are any."""
    records = [record for row in table.rows for record in _records(table, row)]
    counted = {TEXT_OPERATIONS in record.cost for record in records if runs_texts(record)}
    return COUNTED_TEXTS * (True in counted) + UNCOUNTED_TEXTS * (False in counted)


def as_measured(table: Table) -> str:
    """Seconds and memory of a row's cells on the machines that ran them; not part of the body.

    Features and texts that several rows share were computed, and are counted, with the first.
    """
    rows = []
    for row in table.rows:
        costs = [record.cost for record in _records(table, row)]
        if not costs:
            continue
        seconds, gpu_seconds = _sum(costs, "wall_s"), _sum(costs, "gpu_s")
        before = _sum(costs, "features_s") + _sum(costs, "texts_s")
        trainings = int(_sum(costs, "trainings"))
        peak = max(float(cost.get("peak_bytes") or 0) for cost in costs)
        rows.append(
            [
                escape(row), str(len(costs)), str(trainings), f"{seconds:.1f}",
                f"{gpu_seconds:.1f}", f"{before:.1f}", f"{peak / 2**20:,.0f}",
            ]
        )  # fmt: skip
    header = ["Row", "Cells", "Trainings", "Seconds", "GPU-seconds", "Features and texts (s)",
              "Peak memory (MiB)"]  # fmt: skip
    return pipe_table(header, rows) if rows else ""


def _records(table: Table, row: str) -> list[Record]:
    return [r for column in table.columns for r in table.entries[row, column].records]


def _accuracies(table: Table, row: str, digits: int) -> str:
    texts = []
    for column in table.columns:
        entry = table.entries[row, column]
        done = entry.status == DONE and entry.estimate is not None
        texts.append(points(entry.estimate.mean, digits) if done and entry.estimate else DASH)
    return " / ".join(texts)


def _range(costs: Iterable[Mapping[str, Any]], key: str) -> str:
    values = sorted({cost[key] for cost in costs if cost.get(key) is not None})
    if not values:
        return ""
    if isinstance(values[0], str):
        return ", ".join(map(escape, values))
    return " to ".join(dict.fromkeys(count(value) for value in (values[0], values[-1])))


def _days(found: Iterable[float | None]) -> str:
    values = sorted({days for days in found if days})
    return " to ".join(dict.fromkeys(f"{v:.2g}" for v in (values[0], values[-1]))) if values else ""


def _sum(costs: Iterable[Mapping[str, Any]], key: str) -> float:
    return sum(float(cost.get(key) or 0.0) for cost in costs)
