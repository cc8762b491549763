"""Values of a task that no cell has: valid, but probably a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.task.grid import AXES, Row, expand_rows, matches, rule, value_of
from harness.task.protocols import read_protocol
from harness.task.read import plain
from harness.task.schema import Task


def values_of_no_cell(task: Task, file: str) -> list[str]:
    """Entries of `exclude` that match nothing, and values of axes that apply to no cell."""
    rows = expand_rows(task.model_copy(update={"exclude": []}), file)
    notes = [
        f"exclude: {as_flow(entry)} matches no cell of this grid"
        for entry in task.exclude
        if not _matches_any(rule(entry, file), rows)
    ]
    preset = read_protocol(task.protocol, file) if task.protocol else {}
    for axis in AXES:
        default = Task.model_fields[axis].get_default() or []
        from_protocol = preset.get(axis)
        used = {value_of(row.cell, axis) for row in rows}
        notes += [
            f"{axis}: {as_flow(plain(value))} applies to no cell of this task"
            for value in getattr(task, axis) or ()
            if value not in used and value != from_protocol and value not in default
        ]
    return notes


def _matches_any(partial: list[tuple[str, Any]], rows: Sequence[Row]) -> bool:
    """Rows are enough unless the entry names a seed."""
    if any(axis == "seed" for axis, _ in partial):
        return any(matches(cell, partial) for row in rows for cell in row.cells())
    return any(matches(row.cell, partial) for row in rows)


def as_flow(value: object) -> str:
    """A value as one line of YAML."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("\n...\n").strip()
