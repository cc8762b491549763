"""Cancel the jobs of a task that wait or run on a cluster; Records stay."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

HELP = "cancel the jobs of a task on a cluster"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_folder_arguments

    add_folder_arguments(parser)
    parser.add_argument("task", help="a YAML file or a name")
    parser.add_argument("overrides", nargs="*", metavar="key=value")


def run(args: Namespace) -> int:
    from harness.commands._studies import study_of

    study = study_of(args, args.task, as_run=True)
    taken = study.cancel()
    print(f"{study.task.name}: cancelled {taken.jobs} jobs with {taken.cells} unfinished cells")
    return 0
