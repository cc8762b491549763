"""Write the report of a task from its Records, without running cells."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

HELP = "write the report of a task from its Records"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_embedded_argument, add_folder_arguments

    parser.add_argument("tasks", nargs="+", metavar="TASK", help="YAML files or names of tasks")
    add_embedded_argument(parser)
    add_folder_arguments(parser)


def run(args: Namespace) -> int:
    from harness.commands._messages import say, say_of_index
    from harness.commands._studies import plan_of, study_of
    from harness.core.words import plural

    args.overrides = [*args.overrides, *(t for t in args.tasks if "=" in t)]
    code = 0
    for task in (t for t in args.tasks if "=" not in t):
        study = study_of(args, task, as_run=True)
        plan_of(study)
        print(study.report()[0])
        counts = study.plan().counts()
        if counts["waiting"] or counts["failed"]:
            waiting = plural(counts["waiting"], "cell")
            verb = "is" if counts["waiting"] == 1 else "are"
            say(f"{task}: {waiting} {verb} missing and {counts['failed']} failed")
            code = 1
    say_of_index(args.reports)
    return code
