"""`budget: {settle: 20}`: the largest number of seeds that `grid --settle` may give a cell."""

from __future__ import annotations

from harness.core.errors import TaskError
from harness.task.schema import Task

KEY = "budget.settle"


def settle_budget(task: Task, file: str) -> int | None:
    """None for a task without it. Raises TaskError for what is no number of seeds."""
    most = (task.budget or {}).get("settle")
    if most is None:
        return None
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise TaskError(file, KEY, f"{most}: must be a whole number of seeds")
    return most
