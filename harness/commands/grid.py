"""Run every cell of a task that has no Record yet, and write its report."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.commands._settle import Steps
    from harness.core.protocols.launcher import Launched
    from harness.run.request import OpenedLauncher, PreparedRun
    from harness.study import Study

HELP = "run the missing cells of a task and write its report"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_launch_arguments, add_task_arguments

    add_task_arguments(parser)
    add_launch_arguments(parser)
    parser.add_argument(
        "--log", action="append", default=[], metavar="NAME", dest="logs",
        help="log training curves: jsonl, tensorboard, wandb",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="run even above the task's budget")
    parser.add_argument("--retry-failed", action="store_true", help="run failed cells again")
    parser.add_argument("--rerun", metavar="AXIS=VALUE", help="run these cells again")
    parser.add_argument(
        "--settle", action="store_true",
        help="add seeds where pairs are undecided, within budget.settle, by a sequential rule",
    )  # fmt: skip


def run(args: Namespace) -> int:
    from harness.commands._messages import logged, say
    from harness.commands._settle import begin, rule_of, settle
    from harness.commands._studies import launch_options, plan_of, study_of
    from harness.commands.plan import describe
    from harness.core.store import writable
    from harness.core.words import plural
    from harness.run.plugins import run_plugins
    from harness.run.request import open_launcher

    launcher = open_launcher(args.launch, launch_options(args))
    run_plugins(args.logs)  # a log that cannot be used is refused before planning
    study = study_of(args, args.task)
    rule = rule_of(study) if args.settle else None
    plan_of(study)
    for folder in (args.runs, args.reports):
        writable(folder)
    if args.rerun:
        again = study.run_again(c.key for c in study.cells_where(args.rerun))
        say(f"{plural(again, 'cell')} will run again")
    if args.retry_failed:
        study.plan().run_again(c.key for c in study.plan().failed())
    for note in study.notes():
        say(f"note: {note}")
    prepared = study.prepare(launcher, args.logs)
    if prepared.problem is not None:
        say(f"note: {prepared.problem}; cells that were submitted before may run twice")
    _check_budget(study, prepared, args.yes)
    if rule is not None:
        begin(study, rule)
        prepared = study.prepare(launcher, args.logs)
    study.write_task()
    with logged(study):
        say(describe(study, prepared))
        if rule is not None:
            return settle(study, _steps(study, launcher, args), prepared)
        if launcher.plugin.DETACHED and (prepared.cells or prepared.in_flight):
            return _submit(study, prepared, "the same command writes the report")
        launched = _run_to_the_end(prepared)
        study.refresh()
        return _conclude(study, launched)


def _check_budget(study: Study, prepared: PreparedRun, yes: bool) -> None:
    """Ask before a run above the task's budget; without a terminal, refuse it.

    Raises TaskError, and BadInput if the answer is no.
    """
    import sys

    from harness.core.errors import BadInput, TaskError

    problem = study.over_budget(prepared)
    if problem is None or yes:
        return
    if not sys.stdin.isatty():
        raise TaskError(study.file, "budget.hours", f"{problem}: raise the budget, or add --yes")
    print(f"{study.task.name}: {problem}. Continue? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise BadInput("nothing was launched")


def _steps(study: Study, launcher: OpenedLauncher, args: Namespace) -> Steps:
    from harness.commands._settle import Steps

    def prepare() -> PreparedRun:
        prepared = study.prepare(launcher, args.logs)
        study.write_task()
        return prepared

    return Steps(
        prepare=prepare,
        check_budget=lambda prepared: _check_budget(study, prepared, args.yes),
        submit=lambda prepared, then: _submit(study, prepared, then),
        run=_run_to_the_end,
        conclude=lambda launched: _conclude(study, launched),
    )


def _submit(study: Study, prepared: PreparedRun, then: str) -> int:
    """Submit and return; `status` shows the progress. `then`: what follows when cells are done."""
    from harness.commands._messages import say
    from harness.core.protocols.launcher import Events

    launched = prepared.start(Events())
    if not launched.messages:
        say("nothing to submit: all missing cells are in submitted jobs")
        return 0
    for message in launched.messages:
        print(message)
    say(
        f"progress: python -m harness status {study.task.name} --watch; when all cells are done, "
        f"{then}"
    )
    return 0


def _run_to_the_end(prepared: PreparedRun) -> Launched:
    from harness.commands._progress import Progress, progress_events

    with Progress() as progress:
        return prepared.start(progress_events(progress, prepared.cells))


def _conclude(study: Study, launched: Launched) -> int:
    from harness.commands._messages import say, say_of_index
    from harness.core.words import plural

    for complaint in launched.complaints:
        say(complaint)
    for message in launched.messages:
        print(message)
    paths = study.report()
    say_of_index(study.reports)
    counts = study.plan().counts()
    done = plural(counts["done"], "cell")
    say(f"{done} done, {counts['failed']} failed, {counts['waiting']} missing")
    for resolved in study.plan().failed()[:5]:
        record = study.record(resolved)
        if record is not None and record.error:
            say(f"failed {resolved.key}: {record.error['type']}: {record.error['message']}")
    print(paths[0])
    return 1 if counts["failed"] or counts["waiting"] else 0
