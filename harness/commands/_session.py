"""What most commands begin with: a task read, expanded and planned against a runs folder."""

from __future__ import annotations

import re
import shlex
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO, cast

from harness.core.cells import Cell
from harness.core.errors import BadInput, OutputError, TaskError, did_you_mean, nearest
from harness.core.files import explain_oserror
from harness.core.samples import TestSet
from harness.core.store import Store
from harness.plan import plan, resolve
from harness.plan.plan import Plan
from harness.report.model.results import Result, Study
from harness.sampling.sets import draw_test
from harness.task import library
from harness.task.grid import AXES, expand, matches, rule, value_of
from harness.task.read import as_yaml, plain, read_task
from harness.task.schema import Task

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
            _, tested = resolve.classes_of(cell)
            test = draw_test(resolve.open_dataset(cell.test_dataset or cell.dataset), tested)
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
    its overrides. With args.embedded it is the task's variant on embedded data.
    """
    embedded = getattr(args, "embedded", False)
    ran = args.runs / (f"{args.task}_embedded" if embedded else args.task) / "task.yaml"
    if as_run and ran.is_file():
        file = ran
        task = read_task(file, args.overrides)
    else:
        file = library.task_file(args.task)
        task = read_task(file, args.overrides, embedded=embedded)
    store = Store(args.runs)
    _check_report(task, str(file))
    try:
        made = plan.make_plan(expand(task, str(file)), store, str(file))
    except TaskError:
        raise
    except BadInput as error:
        raise TaskError(str(file), "", str(error)) from error
    words = ["python", "-m", "harness", "grid", args.task, *args.overrides]
    command = shlex.join([*words, "--embedded"] if embedded else words)
    return Session(task, file, command, store, made, args.reports)


def _check_report(task: Task, file: str) -> None:
    """Told before the cells are run, not after."""
    from harness.report.model import published
    from harness.report.model.labels import ALL_AXES, BESIDE

    axes = (*ALL_AXES, *BESIDE)
    known = {"rows": axes, "columns": axes, "published": published.names()}
    for key, allowed in known.items():
        for name in getattr(task.report, key) or ():
            if name not in allowed:
                raise TaskError(
                    file, f"report.{key}", f"{name!r}: there is no such name",
                    allowed=allowed, nearest=nearest(name, allowed),
                )  # fmt: skip
    for claim in task.claims:
        rule(claim.where, f"{file}: claims.where")


def rerun(session: Session, where: str) -> int:
    """Run the cells that match `axis=value,axis=value` again; how many.

    Raises TaskError if none does.
    """
    from harness.task.yaml_reader import parse

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
    note_what_means_nothing(session)


def note_what_means_nothing(session: Session) -> None:
    """Values and rows that the task names and that no cell has."""
    if len(session.plan.cells) <= MOST_CELLS_LOOKED_AT:
        for note in (*_values_of_no_cell(session), *_rows_of_no_cell(session)):
            say(f"note: {note}")


def _values_of_no_cell(session: Session) -> list[str]:
    """Entries of `exclude` that match nothing, and values of axes that mean nothing anywhere."""
    task = session.task
    cells = expand(task.model_copy(update={"exclude": []}), str(session.file))
    found = []
    for entry in task.exclude:
        chosen = rule(entry, str(session.file))
        if not any(matches(cell, chosen) for cell in cells):
            found.append(f"exclude: {_flow(entry)} matches no cell of this grid")
    for axis in AXES:
        default = Task.model_fields[axis].get_default() or []
        used = {value_of(cell, axis) for cell in cells}
        for value in getattr(task, axis) or ():
            if value not in used and value not in default:
                found.append(f"{axis}: {_flow(plain(value))} has no meaning for any cell here")
    return found


def _rows_of_no_cell(session: Session) -> list[str]:
    """Rows that the report is to compare and that the grid does not have."""
    from harness.report.model.labels import lay_out

    task = session.task
    wanted = {"report.reference": task.report.reference}
    for number, claim in enumerate(task.claims, start=1):
        wanted |= {f"claims {number}, a": claim.a, f"claims {number}, b": claim.b}
    if not any(wanted.values()):
        return []
    cells = [p.cell for p in session.plan.cells]
    infeasible = [cell for cell, _ in session.plan.infeasible]
    rows = [str(row) for row in lay_out(task.report, cells, infeasible).rows]
    parts = {part for row in rows for part in row.split(" · ")}
    # Rows of saved weights are TASK#train_key, and a claim may name the task alone.
    known = [*rows, *parts, *(part.partition("#")[0] for part in parts)]
    return [
        f"{key} '{name}' is no row of this grid{did_you_mean(nearest(name, known))}"
        for key, name in wanted.items()
        if name is not None and name not in known
    ]


def _flow(value: object) -> str:
    """A value as one line of YAML."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("\n...\n").strip()


class _Both:
    """A stream that is written to a log as well, without the bars that redraw themselves."""

    def __init__(self, stream: TextIO, log: TextIO) -> None:
        self._stream, self._log = stream, log

    def write(self, text: str) -> int:
        if "\x1b" not in text:
            self._log.write(text)
            self._log.flush()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def logged(session: Session) -> Iterator[None]:
    """Keep in RUNS/logs/<task>.log what is told on standard error meanwhile.

    Raises OutputError if it cannot be written.
    """
    path = session.store.root / "logs" / f"{session.task.name}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = path.open("a", encoding="utf-8")
    except OSError as error:
        raise explain_oserror(path, error) from error
    with log, redirect_stderr(cast(TextIO, _Both(sys.stderr, log))):
        log.write(f"--- {datetime.now(UTC).isoformat(timespec='seconds')} {session.command}\n")
        yield


def say(*words: object) -> None:
    """Messages go to standard error; standard output is for results."""
    print(*words, file=sys.stderr)
