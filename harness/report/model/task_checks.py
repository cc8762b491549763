"""What the key `report` and the claims of a task name, checked against its grid."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.cells import Cell
from harness.core.errors import TaskError, did_you_mean, nearest
from harness.report.model import published
from harness.report.model.estimand import NEW_CLASSES, THESE_CLASSES, THESE_ITEMS
from harness.report.model.labels import ALL_AXES, BESIDE, JOINT, lay_out
from harness.task.grid import rule
from harness.task.schema import Task


def check_report_keys(task: Task, file: str) -> None:
    """Before the cells are run, not after.

    Raises TaskError for a row, a column, a published table or an axis of a claim that does not
    exist.
    """
    axes = (*ALL_AXES, *BESIDE)
    known = {"rows": axes, "columns": axes, "published": published.names(), "within": axes}
    for key, allowed in known.items():
        given = getattr(task.report, key) or ()
        for name in [given] if isinstance(given, str) else given:
            if name not in allowed:
                raise TaskError(
                    file, f"report.{key}", f"{name!r}: there is no such name",
                    allowed=allowed, nearest=nearest(name, allowed),
                )  # fmt: skip
    _check_average(task, file)
    for claim in task.claims:
        rule(claim.where, f"{file}: claims.where")


def _check_average(task: Task, file: str) -> None:
    """Data sets that are averaged must be columns."""
    if task.report.average is None:
        return
    if task.report.estimand == THESE_ITEMS:
        raise TaskError(
            file, "report.estimand", f"{THESE_ITEMS}: a mean over data sets (report.average) is "
            f"about new items; allowed: {NEW_CLASSES}, {THESE_CLASSES}",
        )  # fmt: skip
    for axis in ("dataset", "test_dataset"):
        several = len(getattr(task, axis) or ()) > 1
        if axis in (task.report.rows or ()) or (
            several and task.report.columns is not None and axis not in task.report.columns
        ):
            raise TaskError(
                file, "report.average", f"is a mean over columns: name {axis} in report.columns"
                " and not in report.rows",
            )  # fmt: skip


def _nothing_to_average(task: Task, cells: Sequence[Cell]) -> list[str]:
    units = {(c.dataset.name, c.test_dataset, c.class_seed) for c in cells}
    if task.report.average is None or len(units) > 1:
        return []
    return ["report.average changes nothing: there is one data set and one class draw"]


def rows_of_no_cell(task: Task, cells: Sequence[Cell], infeasible: Sequence[Cell]) -> list[str]:
    """Notes on rows that the report is to compare and that the grid does not have, and on a mean
    over one data set.
    """
    notes = _nothing_to_average(task, [*cells, *infeasible])
    wanted = {"report.reference": task.report.reference}
    for number, claim in enumerate(task.claims, start=1):
        wanted |= {f"claims {number}, a": claim.a, f"claims {number}, b": claim.b}
    if not any(wanted.values()):
        return notes
    rows = [str(row) for row in lay_out(task.report, cells, infeasible).rows]
    parts = {part for row in rows for part in row.split(JOINT)}
    # Rows of saved weights are TASK#train_key, and a claim may name the task alone.
    known = [*rows, *parts, *(part.partition("#")[0] for part in parts)]
    return notes + [
        f"{key} '{name}' is no row of this grid{did_you_mean(nearest(name, known))}"
        for key, name in wanted.items()
        if name is not None and name not in known
    ]
