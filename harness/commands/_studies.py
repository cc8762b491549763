"""The study of a command's arguments."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.protocols.launcher import LaunchOptions
    from harness.plan.plan import Plan
    from harness.study import Study


def study_of(args: Namespace, task: str, *, as_run: bool = False) -> Study:
    """The study of a task, with the folders and overrides of the command line.

    `as_run` takes a bare name for that of a task in the runs folder, as it was run last.
    """
    from harness.study import open_study

    return open_study(
        task,
        runs=args.runs,
        reports=args.reports,
        embedded=args.embedded,
        as_run=as_run and not args.overrides,
        overrides=args.overrides,
    )


def plan_of(study: Study) -> Plan:
    """The plan of a study. While data sets are opened, and files hashed, they are counted on
    standard error.
    """
    from harness.commands._progress import Progress
    from harness.core.progress import shown_by

    with Progress(first_seconds=1.0) as progress, shown_by(progress.update):
        return study.plan(lambda done, total: progress.update("files", done, total))


def launch_options(args: Namespace) -> LaunchOptions:
    """The launch options of the command line."""
    from harness.core.protocols.launcher import LaunchOptions

    return LaunchOptions(args.profile, args.changes, args.jobs)
