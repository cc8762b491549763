"""What most commands begin with: a task read, expanded and planned against a runs folder."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from harness import plan, resolve
from harness.grid import expand, matches, rule
from harness.plan import Plan
from harness.report.study import Result, Study
from harness.store import Store
from harness.task import Task, as_yaml, read_task


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
        names = {r.record.test for r in results if r.record and r.record.test}
        return Study(
            task=self.task,
            results=results,
            infeasible=tuple(self.plan.infeasible),
            tests={name: self.store.read_test(name) for name in sorted(names)},
            arrays=self.store.arrays,
            notes=plan.notes(self.plan),
        )

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
    made = plan.make_plan(expand(task, str(file)), store, str(file))
    command = shlex.join(["python", "-m", "harness", "grid", args.task, *args.overrides])
    return Session(task, file, command, store, made, args.reports)


def rerun(session: Session, where: str) -> int:
    """Forget the Records that match `axis=value,axis=value`; how many."""
    from harness.yaml_border import parse

    pairs = dict(part.partition("=")[::2] for part in where.split(","))
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
