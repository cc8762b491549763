"""Checks of `stages`: what is trained one after the other."""

from __future__ import annotations

from harness.core.errors import TaskError
from harness.task.schema import Task

#: How far the sum of the shares may be from 1: they are written with a few digits.
ROUNDING = 1e-6
#: Tuned parts of a task that may stand beside stages: the default, which these take the place of,
#: and nothing, to compare with.
BESIDE = ("projection", "none")


def check_stages(task: Task, where: str) -> None:
    """Raises TaskError for shares that are not the whole budget, and for keys that contradict."""
    if task.stages is None:
        return
    total = sum(stage.share for stage in task.stages)
    if abs(total - 1) > ROUNDING:
        raise TaskError(where, "stages", f"their shares are {total:g} together, and must be 1")
    for tuning in task.tuning:
        if tuning not in BESIDE:
            name = tuning if isinstance(tuning, str) else tuning.name
            problem = f"{name} is given beside stages, which say what is tuned: remove one"
            raise TaskError(where, "tuning", problem)
    released = next((s for s in task.schedule if s.startswith("released")), None)
    if released:
        problem = f"{released} cannot be used with stages: a stage head trains W"
        raise TaskError(where, "schedule", problem)
    for key in task.spaces():
        _check_search(task, key, where)


def _check_search(task: Task, key: str, where: str) -> None:
    """A searched key of the recipe has no value of its own in a stage."""
    name = key.removeprefix("recipe.")
    for number, stage in enumerate(task.stages or ()):
        if name in dict(stage.recipe.to_pairs()):
            problem = f"is searched and also set by stages[{number}].recipe: remove one"
            raise TaskError(where, f"search.{key}", problem)
