"""The claims of a task that are about something else than accuracy, for the task's own report."""

from __future__ import annotations

from harness.report.model.claims import JudgedClaim, adjust_page, judge
from harness.report.model.results import Results
from harness.report.model.table import Table

ACCURACY = "top1"


def other_claims(results: Results, table: Table) -> list[JudgedClaim]:
    """Claims about losses, steps and correlations, with Holm's correction over them alone: the
    accuracies of a report have a family of their own.
    """
    if all(c.measure == ACCURACY for c in results.task.claims):
        return []
    judged = [j for j in judge(results, table) if j.claim.measure != ACCURACY]
    return adjust_page([judged])[0]
