"""Trainings that are done, but whose weights were not saved."""

from __future__ import annotations

from harness.core.store import Store
from harness.plan.plan import Plan
from harness.run.checkpoints import checkpoint_folder
from harness.task.schema import Task
from harness.training.weights import NAME


def notes_on_unsaved(task: Task, plan: Plan, store: Store) -> list[str]:
    """What a user should know who asks to save weights after the training: `save` changes no key,
    so nothing is trained again for it.
    """
    if task.save != "last":
        return []
    done = [c for c in plan.cells if plan.status.get(c.key) == "done" and c.cell.recipe is not None]
    unsaved = [c for c in done if not (checkpoint_folder(c, store) / NAME).is_file()]
    if not unsaved:
        return []
    cells = "1 cell that is" if len(unsaved) == 1 else f"{len(unsaved)} cells that are"
    return [
        f"save: last has no weights of {cells} done: they were trained without it, and --rerun "
        "trains them again."
    ]
