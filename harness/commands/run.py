"""Run single cells by key."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

HELP = "run cells of a task, by their keys"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_task_arguments

    add_task_arguments(parser)
    parser.add_argument("--cell", required=True, nargs="+", metavar="KEY", help="see plan --json")


def run(args: Namespace) -> int:
    from harness.commands._session import open_session
    from harness.core.errors import UnknownName
    from harness.run.runner import run_cells
    from harness.training.distributed import declared
    from harness.training.threads import cores

    session = open_session(args)
    planned = {p.key: p for p in session.plan.cells}
    for key in args.cell:
        if key not in planned:
            raise UnknownName("cell of this task", key, list(planned)[:5])
    missing = [planned[key] for key in args.cell if session.plan.status.get(key) != "done"]
    run_cells(missing, session.store, jobs=cores(), save=session.task.save == "last")
    for key in args.cell if declared()[0] == 0 else ():  # the first of several processes tells
        print(session.store.path(key).read_text(encoding="utf-8"))
    session.refresh()
    return 0 if all(session.plan.status.get(key) == "done" for key in args.cell) else 1
