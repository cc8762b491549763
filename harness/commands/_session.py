"""What most commands begin with: a task read, expanded and planned against a runs folder."""

from __future__ import annotations

import re
import shlex
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from harness import plan, plugins, resolve
from harness.errors import BadInput, OutputError, TaskError, did_you_mean, nearest
from harness.grid import expand, matches, rule
from harness.plan import Plan
from harness.report.study import Result, Study
from harness.schema import Task
from harness.splits import draw_test
from harness.store import Store
from harness.task import as_yaml, read_task
from harness.types import Cell, TestSet

#: Larger grids are not laid out for a note alone.
MOST_CELLS_LOOKED_AT = 5000


@dataclass(frozen=True)
class Session:
    task: Task
    file: Path
    command: str  # that a reader types to get the same
    store: Store
    plan: Plan
    reports: Path

    def study(self) -> Study:
        """All that a report of this task is made of."""
        results = tuple(
            Result(p.cell, p.key, self.store.read(p.key) if p.key in self.plan.status else None)
            for p in self.plan.cells
        )
        names = {r.record.test: r.cell for r in results if r.record and r.record.test}
        return Study(
            task=self.task,
            results=results,
            infeasible=tuple(self.plan.infeasible),
            tests={name: self._test(name, names[name]) for name in sorted(names)},
            arrays=self.store.arrays,
            notes=plan.notes(self.plan),
        )

    def _test(self, name: str, cell: Cell) -> TestSet:
        """A test set; one that was lost is drawn again, if it still is the same."""
        try:
            return self.store.read_test(name)
        except OutputError:
            _, tested = plugins.classes_of(cell)
            test = draw_test(plugins.open_dataset(cell.test_dataset or cell.dataset), tested)
            if test.sha256[: len(name)] != name:
                raise
            self.store.write_test(test)
            return test

    def refresh(self) -> None:
        """Look again at which cells have a Record."""
        self.plan.status = self.store.statuses(p.key for p in self.plan.cells)

    def write_task(self) -> None:
        keys = [p.key for p in self.plan.cells]
        self.store.write_task(self.task.name, as_yaml(self.task), keys)


def open_session(args: Namespace, *, as_run: bool = False) -> Session:
    """Raises BadInput for anything in the task that cannot be.

    `as_run` takes a bare name for that of a task in the runs folder, as it was run last, with
    its overrides.
    """
    ran = args.runs / args.task / "task.yaml"
    file = ran if as_run and ran.is_file() else resolve.task_file(args.task)
    task = read_task(file, args.overrides)
    store = Store(args.runs)
    _check_report(task, str(file))
    try:
        made = plan.make_plan(expand(task, str(file)), store, str(file))
    except TaskError:
        raise
    except BadInput as error:
        raise TaskError(str(file), "", str(error)) from error
    command = shlex.join(["python", "-m", "harness", "grid", args.task, *args.overrides])
    return Session(task, file, command, store, made, args.reports)


def _check_report(task: Task, file: str) -> None:
    """Told before the cells are run, not after."""
    from harness.report import published
    from harness.report.labels import ALL_AXES, BESIDE

    axes = (*ALL_AXES, *BESIDE)
    known = {"rows": axes, "columns": axes, "published": published.names()}
    for key, allowed in known.items():
        for name in getattr(task.report, key) or ():
            if name not in allowed:
                raise TaskError(
                    file, f"report.{key}", f"{name!r}: there is no such name",
                    allowed=allowed, nearest=nearest(name, allowed),
                )  # fmt: skip


def rerun(session: Session, where: str) -> int:
    """Run the cells that match `axis=value,axis=value` again; how many.

    Raises TaskError if none does.
    """
    from harness.yaml_border import parse

    parts = re.split(r",(?=[\w.]+=)", where)  # the commas of shots=[1,2] stay
    for part in parts:
        if "=" not in part:
            raise TaskError("--rerun", part, "is not of the form axis=value")
    pairs = dict(part.partition("=")[::2] for part in parts)
    wanted = {k: parse(v, f"--rerun {where}") for k, v in pairs.items()}
    chosen = rule(wanted, "--rerun")
    keys = [p.key for p in session.plan.cells if matches(p.cell, chosen)]
    if not keys:
        raise TaskError("--rerun", where, "no cell of this task has these values")
    session.store.replacing.update(keys)
    session.plan.run_again(keys)
    return len(keys)


def note_what_reads_oddly(session: Session) -> None:
    """What is no error, and yet not what most people mean."""
    ran = session.store.root / session.task.name / "task.yaml"
    if ran.is_file() and ran.read_text(encoding="utf-8") != as_yaml(session.task):
        say(
            f"note: the report of '{session.task.name}' and its task.yaml are those of another "
            "grid and will be replaced (Records stay); name=... keeps both"
        )
    cells = [p.cell for p in session.plan.cells]
    reference = session.task.report.reference
    if reference is not None and len(cells) <= MOST_CELLS_LOOKED_AT:
        from harness.report.labels import lay_out

        infeasible = [cell for cell, _ in session.plan.infeasible]
        rows = [str(row) for row in lay_out(session.task.report, cells, infeasible).rows]
        parts = {part for row in rows for part in row.split(" · ")}
        if reference not in parts and reference not in rows:
            close = did_you_mean(nearest(reference, [*rows, *parts]))
            say(f"note: report.reference '{reference}' is no row of this grid{close}")


def say(*words: object) -> None:
    """Messages go to standard error; standard output is for results."""
    print(*words, file=sys.stderr)
