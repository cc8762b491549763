"""`grid --settle`: seeds are added where they can decide, look by look, by a rule that is fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.core.looks import LookRule
    from harness.core.protocols.launcher import Launched
    from harness.core.settled import Settled
    from harness.report.model.settling import Verdict
    from harness.run.request import PreparedRun
    from harness.study import Study


@dataclass(frozen=True)
class Steps:
    """What `grid` does with the cells of a look."""

    prepare: Callable[[], PreparedRun]
    check_budget: Callable[[PreparedRun], None]
    submit: Callable[[PreparedRun, str], int]  # and what to do when the jobs have ended
    run: Callable[[PreparedRun], Launched]
    conclude: Callable[[Launched], int]


def rule_of(study: Study) -> LookRule:
    """The rule of the task: that of its looks so far, or a new one.

    Raises TaskError for a task that cannot be settled.
    """
    from harness.core.errors import TaskError
    from harness.stats.sequential import LEAST_BUDGET, make_rule
    from harness.task.settle_budget import KEY, settle_budget

    task, file = study.task, study.file
    most, seeds = settle_budget(task, file), task.seed_list()
    if most is None:
        problem = "--settle needs the largest number of seeds of a cell: budget: {settle: 20}"
        raise TaskError(file, KEY, problem)
    if most <= len(seeds) or most < LEAST_BUDGET:
        least = max(LEAST_BUDGET, len(seeds) + 1)
        problem = f"{most}: the task has {len(seeds)} seeds, so at least {least} are needed"
        raise TaskError(file, KEY, problem)
    _check_rows(study)
    rule, settled = make_rule(seeds, most), study.settled()
    if settled is not None and settled.rule != rule:
        earlier = settled.rule
        raise TaskError(
            file, KEY,
            f"{most} from {len(seeds)} seeds on: this task was looked at by the rule of "
            f"{earlier.sizes[-1]} from {earlier.sizes[0]} on, and a rule that changes with what "
            "was seen holds no level: keep it",
        )  # fmt: skip
    return rule


def _check_rows(study: Study) -> None:
    """Raises TaskError if rows have other seeds than the task, or no seeds at all."""
    from harness.core.errors import TaskError

    seeds = set(study.task.seed_list())
    drawn = [row for row in study.rows() if row.seeds != (None,)]
    if not drawn:
        raise TaskError(study.file, "seeds", "every row is deterministic: seeds decide nothing")
    if any(set(row.seeds) != seeds for row in drawn):
        problem = "include or exclude gives some rows other seeds: --settle adds to all rows alike"
        raise TaskError(study.file, "seeds", problem)


def begin(study: Study, rule: LookRule) -> None:
    """Write the first look, with the seeds of the task in all columns; later one for what the task
    has had added since.

    Raises TaskError for a task without two rows.
    """
    from harness.core.errors import TaskError
    from harness.core.settled import Settled
    from harness.report.model.settling import new_columns

    table, settled = study.table(), study.settled() or Settled(rule, ())
    if len(table.rows) < 2:
        raise TaskError(study.file, "", "--settle decides between rows, and this task has one")
    if columns := new_columns(table, settled.reached):
        study.settle(settled.with_look(columns))


def settle(study: Study, steps: Steps, first: PreparedRun) -> int:
    """Take the looks that the rule and the Records ask for, and write the report.

    `first` is the run of the look that was written last; its cost has been agreed to.
    """
    from harness.commands._messages import say
    from harness.report.text.settling import end_line, look_line

    prepared = first
    while True:
        settled = _settled(study)
        cells = len(prepared.cells)
        line = look_line(settled.looks[-1].columns, settled.rule, len(settled.looks), cells)
        say(line + (f" ({_cost(prepared)})" if cells else ""))
        if prepared.launcher.plugin.DETACHED and (prepared.cells or prepared.in_flight):
            return steps.submit(prepared, "the same command takes the look and goes on")
        launched = steps.run(prepared)
        study.refresh()
        if study.plan().counts()["waiting"]:
            return steps.conclude(launched)
        verdicts = _look(study, settled)
        following = _next(study, verdicts, steps)
        if following is None:
            say(end_line(verdicts, settled.rule))
            return steps.conclude(launched)
        prepared = following


def _settled(study: Study) -> Settled:
    settled = study.settled()
    assert settled is not None, "`begin` wrote it"
    return settled


def _cost(prepared: PreparedRun) -> str:
    return f"about {prepared.forecast.seconds:.0f} s of one core"


def _look(study: Study, settled: Settled) -> Sequence[Verdict]:
    """Take the look that has been run: print and keep what it decides."""
    from harness.commands._messages import say
    from harness.report.model.settling import verdicts_of
    from harness.report.text.settling import outcome_of, verdict_lines

    verdicts = verdicts_of(study.table(), settled.rule)
    for line in verdict_lines(verdicts, len(settled.looks)):
        say(line)
    study.keep(settled.taken(outcome_of(verdicts)))
    return verdicts


def _next(study: Study, verdicts: Sequence[Verdict], steps: Steps) -> PreparedRun | None:
    """Write the next look and prepare it; None where the rule ends.

    Raises TaskError or BadInput for one above the task's budget; it is then not written.
    """
    from harness.core.errors import BadInput
    from harness.report.model.settling import next_look

    settled = _settled(study)
    reached = [column for look in settled.looks for column in look.columns]
    columns = next_look(study.table(), verdicts, settled.rule, reached)
    if not columns:
        return None
    study.settle(settled.with_look(columns))
    try:
        prepared = steps.prepare()
        steps.check_budget(prepared)
    except BadInput:
        study.settle(settled)
        raise
    return prepared
