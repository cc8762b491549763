"""Write the report of a task from its Records alone."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from harness.commands._session import Session

HELP = "write the report of a task from its Records"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_folder_arguments

    parser.add_argument("tasks", nargs="+", metavar="TASK", help="YAML files or names of tasks")
    add_folder_arguments(parser)
    parser.set_defaults(overrides=[])


def run(args: Namespace) -> int:
    from harness.commands._session import open_session, say
    from harness.core.store import writable

    overrides = [*args.overrides, *(t for t in args.tasks if "=" in t)]
    code = 0
    for task in (t for t in args.tasks if "=" not in t):
        own = Namespace(**{**vars(args), "task": task, "overrides": overrides})
        session = open_session(own, as_run=not overrides)
        writable(args.reports)
        print(write(session)[0])
        counts = session.plan.counts()
        if counts["waiting"] or counts["failed"]:
            say(f"{task}: {counts['waiting']} cells are missing and {counts['failed']} failed")
            code = 1
    return code


def write(session: Session) -> list[Path]:
    """All files of a report; the Markdown first."""
    from harness.report.render.write import write_report

    study = session.study()
    records = [r.record for r in study.results if r.record is not None]
    session.store.link_into_task(session.task.name, records)
    return write_report(study, session.reports, session.command)
