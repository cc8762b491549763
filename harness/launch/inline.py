"""Cells in this process, a thread for each core."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.store import Store
from harness.plan.plan import Planned
from harness.run.runner import Events, run_cells
from harness.task.schema import Task
from harness.training.threads import cores


def launch(
    cells: Sequence[Planned],
    store: Store,
    task: Task,
    jobs: int | None,
    events: Events,
    logs: Sequence[str] = (),
) -> list[str]:
    """Run to the end. Returns complaints about jobs that left cells behind: none here."""
    save = task.save == "last"
    run_cells(cells, store, jobs=jobs or cores(), events=events, save=save, logs=logs)
    return []
