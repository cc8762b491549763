"""Run single cells by key."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

HELP = "run cells of a task, by their keys"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_task_arguments

    add_task_arguments(parser)
    parser.add_argument("--cell", required=True, nargs="+", metavar="KEY", help="see plan --json")


def run(args: Namespace) -> int:
    from harness.commands._studies import plan_of, study_of
    from harness.core.errors import UnknownName
    from harness.run.plugins import run_plugins
    from harness.run.runner import run_cells
    from harness.training.distributed import declared
    from harness.training.threads import cores

    study = study_of(args, args.task)
    plan = plan_of(study)
    cells = {c.key: c for c in plan.cells}
    for key in args.cell:
        if key not in cells:
            raise UnknownName("cell of this task", key, list(cells)[:5])
    missing = [cells[key] for key in args.cell if plan.status.get(key) != "done"]
    run_cells(
        missing, study.store, jobs=cores(), save=study.task.save == "last",
        plugins=run_plugins(measures=study.task.measures), workers=study.task.loader.workers,
    )  # fmt: skip
    for key in args.cell if declared()[0] == 0 else ():  # the first process prints
        print(study.store.path(key).read_text(encoding="utf-8"))
    study.refresh()
    return 0 if all(plan.status.get(key) == "done" for key in args.cell) else 1
