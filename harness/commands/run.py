"""Run single cells by key."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

HELP = "run one cell of a task, by its key"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_task_arguments

    add_task_arguments(parser)
    parser.add_argument("--cell", required=True, metavar="KEY", help="see plan --json")


def run(args: Namespace) -> int:
    from harness.commands._session import open_session
    from harness.errors import UnknownName
    from harness.runner import run_cells

    session = open_session(args)
    chosen = [p for p in session.plan.cells if p.key == args.cell]
    if not chosen:
        raise UnknownName("cell of this task", args.cell, [p.key for p in session.plan.cells][:5])
    if session.plan.status.get(args.cell) != "done":
        run_cells(chosen, session.store, save=session.task.save == "last")
    print(session.store.path(args.cell).read_text(encoding="utf-8"))
    record = session.store.read(args.cell)
    return 0 if record is not None and record.status == "done" else 1
