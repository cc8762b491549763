"""How the variant of a task on embedded data relates to the study that its question is about."""

from __future__ import annotations

from harness.report.text.prose import escape
from harness.task.schema import Task

_VARIANT = "_embedded"


def relation_here(task: Task) -> str:
    """The relation and why, for the top of a page; nothing for a task that is no such variant, or
    whose variant is the same study.
    """
    embedded = task.embedded
    if embedded is None or embedded.relation == "same" or not task.name.endswith(_VARIANT):
        return ""
    kind = embedded.relation.replace("_", " ")
    return (
        f"The question is that of task {escape(task.name.removesuffix(_VARIANT))}. Here, on "
        f"embedded data: **{kind}**. {escape(embedded.why)}"
    )
