"""Cancel waiting and running jobs of a task on a cluster; Records are kept."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

HELP = "cancel the jobs of a task on a cluster"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_folder_arguments

    add_folder_arguments(parser)
    parser.add_argument("task", help="a YAML file or a name")
    parser.add_argument("overrides", nargs="*", metavar="key=value")


def run(args: Namespace) -> int:
    from harness.commands._studies import plan_of, study_of

    study = study_of(args, args.task, as_run=True)
    plan_of(study)
    cancelled = study.cancel()
    jobs, cells = cancelled.jobs, cancelled.cells
    print(f"{study.task.name}: cancelled {jobs} jobs with {cells} unfinished cells")
    return 0
