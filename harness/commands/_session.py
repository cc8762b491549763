"""What most commands begin with: a task read, expanded and planned against a runs folder."""

from __future__ import annotations

import re
import shlex
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from harness import plan, plugins, resolve
from harness.errors import BadInput, OutputError, TaskError, nearest
from harness.grid import expand, matches, rule
from harness.plan import Plan
from harness.report.study import Result, Study
from harness.schema import Task
from harness.splits import draw_test
from harness.store import Store
from harness.task import as_yaml, read_task
from harness.types import Cell, TestSet


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


def open_session(args: Namespace) -> Session:
    """Raises BadInput for anything in the task that cannot be."""
    file = resolve.task_file(args.task)
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
    """Forget the Records that match `axis=value,axis=value`; how many."""
    from harness.yaml_border import parse

    parts = re.split(r",(?=[\w.]+=)", where)  # the commas of shots=[1,2] stay
    for part in parts:
        if "=" not in part:
            raise TaskError("--rerun", part, "is not of the form axis=value")
    pairs = dict(part.partition("=")[::2] for part in parts)
    wanted = {k: parse(v, f"--rerun {where}") for k, v in pairs.items()}
    chosen = rule(wanted, "--rerun")
    keys = [p.key for p in session.plan.cells if matches(p.cell, chosen)]
    for key in keys:
        session.store.forget(key)
    session.refresh()
    return len(keys)


def say(*words: object) -> None:
    """Messages go to standard error; standard output is for results."""
    print(*words, file=sys.stderr)
