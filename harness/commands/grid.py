"""Run every cell of a task that has no Record yet, and write its report."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.commands._session import Session

HELP = "run what is missing of a task and write its report"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_task_arguments, launcher, positive

    add_task_arguments(parser)
    parser.add_argument(
        "--launch", type=launcher, default="inline", metavar="HOW", help="inline | local"
    )
    parser.add_argument("--jobs", type=positive, metavar="N", help="cells at once (default: cores)")
    parser.add_argument("--retry-failed", action="store_true", help="run failed cells again")
    parser.add_argument("--rerun", metavar="AXIS=VALUE", help="run these cells again")


def run(args: Namespace) -> int:
    from harness.commands import _session
    from harness.commands.plan import describe
    from harness.store import writable

    session = _session.open_session(args)
    for folder in (args.runs, args.reports):
        writable(folder)
    if args.rerun:
        _session.say(f"{_session.rerun(session, args.rerun)} cells will run again")
    if args.retry_failed:
        session.plan.run_again([p.key for p in session.plan.failed()])
    _session.note_what_reads_oddly(session)
    session.write_task()
    _session.say(describe(session))
    complaints = _launch(session, args)
    session.refresh()
    return _conclude(session, args, complaints)


def _launch(session: Session, args: Namespace) -> list[str]:
    import importlib

    from harness.commands._progress import Progress
    from harness.plan import Planned
    from harness.runner import Events

    missing = session.plan.missing()
    if not missing:
        return []
    ended = 0
    with Progress() as progress:

        def cell(_planned: Planned, _status: str) -> None:
            nonlocal ended
            ended += 1
            progress.update("cells", ended, len(missing))

        events = Events(
            features=lambda done, total: progress.update("pictures", done, total),
            ready=lambda: progress.update("cells", 0, len(missing)),
            cell=cell,
        )
        launcher = importlib.import_module(f"harness.launch.{args.launch}")
        complaints: list[str] = launcher.launch(
            missing, session.store, session.task, args.jobs, events
        )
    return complaints


def _conclude(session: Session, args: Namespace, complaints: list[str]) -> int:
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
