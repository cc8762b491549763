"""Run every cell of a task that has no Record yet, and write its report."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.commands._launch import Estimate
    from harness.commands._progress import Progress
    from harness.commands._session import Session
    from harness.plan.plan import Planned

HELP = "run what is missing of a task and write its report"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_launch_arguments, add_task_arguments

    add_task_arguments(parser)
    add_launch_arguments(parser)
    parser.add_argument(
        "--log", action="append", default=[], metavar="NAME", dest="logs",
        help="write curves while cells train: jsonl, tensorboard, wandb",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="go on above the task's budget")
    parser.add_argument("--retry-failed", action="store_true", help="run failed cells again")
    parser.add_argument("--rerun", metavar="AXIS=VALUE", help="run these cells again")


def run(args: Namespace) -> int:
    from contextlib import ExitStack

    from harness.commands import _launch, _session
    from harness.commands.plan import describe
    from harness.core.store import writable
    from harness.launch.slurm.lock import alone

    profile = _launch.check(args)
    _check_logs(args.logs)
    session = _session.open_session(args)
    for folder in (args.runs, args.reports):
        writable(folder)
    if args.rerun:
        _session.say(f"{_session.rerun(session, args.rerun)} cells will run again")
    if args.retry_failed:
        session.plan.run_again([p.key for p in session.plan.failed()])
    _session.note_what_reads_oddly(session)
    with ExitStack() as stack:
        if args.launch == "slurm":
            stack.enter_context(alone(session.store))
        missing, flying = _launch.to_run(session, args)
        found = _launch.estimate(session, profile, missing)
        _launch.check_budget(session, found, args.yes)
        session.write_task()
        stack.enter_context(_session.logged(session))
        _session.say(describe(session, found, flying))
        if args.launch == "slurm" and (missing or flying):
            return _detach(session, found, args.logs)
        complaints = _launch_here(session, args, missing)
        session.refresh()
        return _conclude(session, complaints)


def _check_logs(names: Sequence[str]) -> None:
    """Raises BadInput for a log that does not exist or lacks its package."""
    from harness.core.registry import plugin

    for name in names:
        plugin("log", name).ready()


def _detach(session: Session, found: Estimate, logs: Sequence[str]) -> int:
    """Submit and return: what ended is seen by `status`."""
    from harness.commands._session import say
    from harness.launch.slurm.submit import submit

    if found.layout is None or not found.layout.packs:
        say("nothing to submit: what is missing is on its way")
        return 0
    for submission in submit(found.layout, session.store, session.task, logs):
        print(
            f"submitted job {submission.job}: {submission.packs} packs, {submission.cells} cells "
            f"({submission.name})"
        )
    say(
        f"see: python -m harness status {session.task.name} --watch; when all is done, the same "
        "command writes the report"
    )
    return 0


def _launch_here(session: Session, args: Namespace, missing: Sequence[Planned]) -> list[str]:
    import importlib

    from harness.commands._progress import Progress
    from harness.run.runner import Events

    if not missing:
        return []
    with Progress() as progress:
        told = _Told(progress, missing)
        events = Events(
            features=lambda done, total: progress.update("pictures", done, total),
            ready=lambda: progress.update("cells", 0, len(missing)),
            epoch=told.epoch,
            cell=told.cell,
        )
        launcher = importlib.import_module(f"harness.launch.{args.launch}")
        complaints: list[str] = launcher.launch(
            missing, session.store, session.task, args.jobs, events, args.logs
        )
    return complaints


class _Told:
    """How far the cells are; and the epochs of those that take long, inside each of them."""

    def __init__(self, progress: Progress, missing: Sequence[Planned]) -> None:
        self._progress, self._cells, self._ended = progress, len(missing), 0
        self._trainings = {p.train_key: _epochs(p) for p in missing if p.cell.tuning == "all"}
        self._done = dict.fromkeys(self._trainings, 0)

    def cell(self, planned: Planned, _status: str) -> None:
        self._ended += 1
        self._progress.update("cells", self._ended, self._cells)

    def epoch(self, planned: Planned, point: Mapping[str, Any]) -> None:
        """A cell that goes on from a checkpoint begins with a later epoch."""
        key, recipe = planned.train_key, planned.cell.recipe
        if key not in self._trainings or recipe is None:
            return
        before = int(point.get("training", 0)) * recipe.epochs
        self._done[key] = max(self._done[key], before + int(point["epoch"]))
        self._progress.update("epochs", sum(self._done.values()), sum(self._trainings.values()))


def _epochs(planned: Planned) -> int:
    """Of all trainings of a cell."""
    recipe, search = planned.cell.recipe, dict(planned.cell.search or ())
    if recipe is None:
        return 0
    return recipe.epochs * prod(len(values) for values in search.values())


def _conclude(session: Session, complaints: list[str]) -> int:
    from harness.commands._session import say
    from harness.commands.report import write

    for complaint in complaints:
        say(complaint)
    paths = write(session)
    counts = session.plan.counts()
    say(f"{counts['done']} cells done, {counts['failed']} failed, {counts['waiting']} missing")
    for planned in session.plan.failed()[:5]:
        record = session.store.read(planned.key)
        if record is not None and record.error:
            say(f"failed {planned.key}: {record.error['type']}: {record.error['message']}")
    print(paths[0])
    return 1 if counts["failed"] or counts["waiting"] else 0
