"""Columns that differ in a step size, or in the strength of a penalty: the axis of a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.cells import Cell
from harness.report.model.labels import JOINT, name_value, value_on
from harness.report.model.table import Table
from harness.task.solver_keys import is_convex

PENALTY = "recipe.l2"
STEP_AXES = ("recipe.lr", "recipe.lr_new", PENALTY)


@dataclass(frozen=True)
class StepPanel:
    """The columns that agree in all but the step size; `labels` has their labels by its value."""

    title: str  # what they have in common; empty where that is nothing
    labels: dict[float, str]


@dataclass(frozen=True)
class StepSizes:
    """`axis` with its values, ascending. `left_out`: columns where it is 0 or has no meaning."""

    axis: str
    values: tuple[float, ...]
    panels: tuple[StepPanel, ...]
    left_out: tuple[str, ...]


def step_sizes(table: Table) -> StepSizes | None:
    """By the first of STEP_AXES with two values or more among the columns; None without one."""
    for axis in STEP_AXES:
        if axis not in table.column_axes:
            continue
        by_label = {label: _value(_cells(table, label), axis) for label in table.labels}
        values = sorted({value for value in by_label.values() if value is not None})
        if len(values) > 1:
            left_out = tuple(label for label, value in by_label.items() if value is None)
            return StepSizes(axis, tuple(map(float, values)), _panels(by_label, axis), left_out)
    return None


def budgets(table: Table) -> list[str]:
    """How long the cells were trained, each once: `60 epochs`. Without what was searched."""
    cells = [c for label in table.labels for c in _cells(table, label) if not is_convex(c.recipe)]
    found = []
    for cell in cells:
        for unit in ("iterations", "epochs"):
            if number := value_on(cell, f"recipe.{unit}"):
                found.append(f"{number} {unit}")
                break
    return list(dict.fromkeys(found))


def _cells(table: Table, label: str) -> list[Cell]:
    """The cells of a column that are trained."""
    entries = [table.entries[row, c] for c in table.of_label(label) for row in table.rows]
    return [e.cell for e in entries if e.cell is not None and e.cell.recipe is not None]


def _value(cells: Sequence[Cell], axis: str) -> float | None:
    """None where nothing is trained with it, and for 0, which a logarithmic axis does not have."""
    reads = [c for c in cells if axis == PENALTY or not is_convex(c.recipe)]
    return next((value for cell in reads if (value := value_on(cell, axis))), None)


def _panels(by_label: dict[str, float | None], axis: str) -> tuple[StepPanel, ...]:
    panels: dict[str, dict[float, str]] = {}
    for label, value in by_label.items():
        if value is not None:
            own = name_value(axis, value)  # as it is: 1 and 1.0 have different labels
            title = JOINT.join(part for part in label.split(JOINT) if part != own)
            panels.setdefault(title, {})[float(value)] = label
    return tuple(StepPanel(title, labels) for title, labels in panels.items())
