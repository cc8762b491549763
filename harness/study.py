"""The application layer: one task in a runs folder, from its plan to its report.

Commands, notebooks and `reproduce` all call this.

    import harness
    study = harness.open_study("few_shot", seeds=2)
    study.run().table().dataframe()
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import BadInput, OutputError, TaskError
from harness.core.hashes import Progress
from harness.core.protocols.launcher import Cancelled, Events, JobReport, LaunchOptions
from harness.core.records import Record
from harness.core.samples import TestSet
from harness.core.settled import Settled, marked, read_settled, write_settled
from harness.core.store import Store, writable
from harness.plan.earlier_keys import Earlier, earlier_records
from harness.plan.plan import Plan, plan_rows
from harness.plan.resolve import ResolvedCell
from harness.report.model.measured import with_measures
from harness.report.model.results import Result, Results
from harness.report.model.task_checks import check_report_keys, rows_of_no_cell
from harness.run.adopt import Adopted, adopt_records
from harness.run.plugins import run_plugins
from harness.run.request import (
    OpenedLauncher,
    PreparedRun,
    budget_hours,
    cancel_jobs,
    job_report,
    open_launcher,
    prepare_run,
)
from harness.task import library
from harness.task.default_recipe import recipe_notes
from harness.task.departures import protocol_notes
from harness.task.grid import Row, expand_rows, matches, rule
from harness.task.notes import values_of_no_cell
from harness.task.python_values import as_overrides, as_plain
from harness.task.read import as_yaml, read_task, validate
from harness.task.schema import Task
from harness.task.where import conditions

if TYPE_CHECKING:
    from harness.report.model.figure import Figure
    from harness.report.model.table import Table

#: Larger grids are not laid out for a note alone.
MOST_CELLS_NOTED = 5000


@dataclass
class Study:
    """A task and its cells in a runs folder. `open_study` makes one."""

    task: Task
    file: str  # that the task was read from
    command: str  # that a reader types to get the same
    store: Store
    reports: Path
    _plan: Plan | None = field(default=None, repr=False)

    def plan(self, progress: Progress | None = None) -> Plan:
        """Which cells can run, under which keys, which are done and which are infeasible.

        `progress` is told (done, total) while items of data sets are hashed: each once, so later
        plans hash only what has changed.

        Seeds that `grid --settle` added are seeds of the task.

        Raises TaskError for what does not exist or cannot be read.
        """
        if self._plan is None:
            try:
                rows, settled = self.rows(), self.settled()
                further = None if settled is None else settled.seeds_of
                self._plan = plan_rows(rows, self.store, self.file, progress, further)
                self._plan.remarks = tuple(recipe_notes(self.task, (r.cell for r in rows)))
            except TaskError:
                raise
            except BadInput as error:
                raise TaskError(self.file, "", str(error)) from error
        return self._plan

    def rows(self) -> list[Row]:
        """The grid: cells that differ in their seed alone are one row.

        Raises TaskError if `exclude` leaves none.
        """
        rows = expand_rows(self.task, self.file)
        if not rows:
            raise TaskError(self.file, "exclude", "removes every cell of the grid")
        return rows

    def settled(self) -> Settled | None:
        """The looks of `grid --settle`; None for a task without. Raises OutputError."""
        return read_settled(self.store.root / self.task.name)

    def keep(self, settled: Settled) -> None:
        """Keep the looks of the task. Raises OutputError or DiskFull."""
        write_settled(self.store.root / self.task.name, settled)

    def settle(self, settled: Settled) -> None:
        """Keep the looks of the task, and plan their seeds. Raises OutputError or DiskFull."""
        self.keep(settled)
        self._plan = None

    def run(
        self,
        *,
        launch: str = "inline",
        options: LaunchOptions | None = None,
        logs: Sequence[str] = (),
        events: Events | None = None,
        retry_failed: bool = False,
        over_budget: bool = False,
    ) -> Study:
        """Run the cells that have no Record. With `retry_failed` those that failed as well.

        `launch` is a launcher (inline, local, slurm, or package.module:object); `events` are
        called while cells run. A cell that fails has a failed Record; see `plan().failed()`.

        Raises BadInput for what cannot be run, and for a run that may cost more than the task's
        budget unless `over_budget`; DiskFull; and KeyboardInterrupt. Finished cells are kept.
        """
        launcher = open_launcher(launch, options or LaunchOptions())
        if retry_failed:
            self.plan().run_again(c.key for c in self.plan().failed())
        writable(self.store.root)
        prepared = self.prepare(launcher, logs)
        problem = self.over_budget(prepared)
        if problem is not None and not over_budget:
            raise TaskError(self.file, "budget.hours", f"{problem}: raise it, or run over_budget")
        self.write_task()
        prepared.start(events or Events())
        self.refresh()
        return self

    def prepare(self, launcher: OpenedLauncher, logs: Sequence[str] = ()) -> PreparedRun:
        """What a run would do: the missing cells that no job will write, and what they may cost."""
        return prepare_run(self.task, self.plan(), self.store, launcher, logs)

    def over_budget(self, prepared: PreparedRun) -> str | None:
        """A sentence if a run may cost more than the task's budget.

        Raises TaskError for a budget that is not of the form {hours: NUMBER}.
        """
        most, forecast = budget_hours(self.task, self.file), prepared.forecast
        if most is None or forecast.hours <= most:
            return None
        return (
            f"about {forecast.hours:.2g} {forecast.unit} (an estimate) are more than the budget of "
            f"{most:g}"
        )

    def run_again(self, keys: Iterable[str]) -> int:
        """Count cells as missing; a new Record replaces theirs. Returns how many."""
        chosen = list(keys)
        self.store.replacing.update(chosen)
        self.plan().run_again(chosen)
        return len(chosen)

    def cells_where(self, where: str) -> list[ResolvedCell]:
        """The cells that match `axis=value,axis=value`.

        Raises TaskError if none does.
        """
        partial = rule(conditions(where, "--rerun"), "--rerun")
        plan = self.plan()
        found = [c for c in plan.cells if any(matches(x, partial) for x in plan.shown(c.cell))]
        if not found:
            raise TaskError("--rerun", where, "no cell of this task has these values")
        return found

    def refresh(self) -> None:
        """Look again at which cells have a Record."""
        self.plan().status = self.store.statuses(c.key for c in self.plan().cells)

    def earlier(self) -> list[Earlier]:
        """The cells without a done Record that have one under their earlier key."""
        plan, again = self.plan(), self.store.replacing
        waiting = (c for c in plan.cells if plan.status.get(c.key) != "done" and c.key not in again)
        return earlier_records(waiting, self.store, self.file)

    def adopt(self) -> Adopted:
        """Take over the Records of `earlier()`: the user says that the data have not changed since.

        Raises DiskFull or OutputError; what was taken over stays.
        """
        adopted = adopt_records(self.earlier(), self.store)
        if adopted.records:
            self.refresh()
            self.write_task()
        return adopted

    def status(self) -> JobReport:
        """The jobs of cells that were submitted to a cluster."""
        done = {key for key, status in self.plan().status.items() if status == "done"}
        return job_report(self.store, [c.key for c in self.plan().cells], done)

    def cancel(self) -> Cancelled:
        """Take back the jobs of this task. Raises BadInput if a scheduler refuses."""
        keys = [c.key for c in self.plan().cells]
        return cancel_jobs(self.store, keys, self.task.name)

    def record(self, resolved: ResolvedCell) -> Record | None:
        """The Record of a cell; None while it is missing."""
        return self.store.read(resolved.key) if resolved.key in self.plan().status else None

    def results(self) -> Results:
        """All that a table and a report are made of."""
        plan, settled = self.plan(), self.settled()
        records = [marked(settled, self.store, self.record(c), c.cell) for c in plan.cells]
        measured_on = {r.test: c for r, c in zip(records, plan.cells, strict=True) if r and r.test}
        tests = {name: self._test_set(name, measured_on[name]) for name in sorted(measured_on)}
        measures = run_plugins(measures=self.task.measures).measures

        def complete(record: Record | None) -> Record | None:
            if record is None or record.test is None:
                return record
            return with_measures(record, measures, self.store.lazy_arrays, tests[record.test])

        pairs = zip(plan.cells, map(complete, records), strict=True)
        return Results(
            task=self.task,
            results=tuple(
                Result(cell, c.key, record) for c, record in pairs for cell in plan.shown(c.cell)
            ),
            infeasible=tuple((x, why) for cell, why in plan.infeasible for x in plan.shown(cell)),
            tests=tests,
            arrays=self.store.lazy_arrays,
            notes=plan.notes(),
        )

    def table(self) -> Table:
        """The leaderboard; `.dataframe()` gives it to pandas."""
        from harness.report.model.table import build_table

        return build_table(self.results())

    def figures(self) -> list[Figure]:
        """The pictures of the report; a notebook shows them."""
        from harness.report.model.table import build_table
        from harness.report.render.figures import draw

        results = self.results()
        return draw(results, build_table(results))

    def report(self) -> list[Path]:
        """Write all files of the report, the Markdown first, and the index of the reports.

        Raises OutputError or DiskFull.
        """
        from harness.report.render.write import write_report

        writable(self.reports)
        results = self.results()
        records = [r.record for r in results.results if r.record is not None]
        self.store.link_into_task(self.task.name, records)
        again = " --settle" if self.settled() is not None else ""
        return write_report(results, self.reports, self.command + again)

    def write_task(self) -> None:
        """Keep the task as resolved, and the keys of its cells, in the runs folder."""
        keys = [c.key for c in self.plan().cells]
        self.store.write_task(self.task.name, as_yaml(self.task), keys)

    def notes(self) -> list[str]:
        """What in the task is no error, and yet not what most people mean."""
        notes = []
        if self._replaces_another_grid():
            notes.append(
                f"the report of '{self.task.name}' and its task.yaml are those of another grid "
                "and will be replaced (Records stay); name=... keeps both"
            )
        plan = self.plan()
        if len(plan.cells) <= MOST_CELLS_NOTED:
            cells = [cell for c in plan.cells for cell in plan.shown(c.cell)]
            infeasible = [x for cell, _ in plan.infeasible for x in plan.shown(cell)]
            notes += values_of_no_cell(self.task, self.file, [*cells, *infeasible])
            notes += protocol_notes(self.task, self.file, [*cells, *infeasible])
            notes += rows_of_no_cell(self.task, cells, infeasible)
        return notes

    def _replaces_another_grid(self) -> bool:
        """Keys that came with a later version do not make another grid."""
        ran = self.store.root / self.task.name / "task.yaml"
        try:
            return ran.is_file() and read_task(ran) != self.task
        except TaskError:
            return True

    def _test_set(self, name: str, resolved: ResolvedCell) -> TestSet:
        """A test set; one that was lost is drawn again, if it still is the same."""
        try:
            return self.store.read_test(name)
        except OutputError:
            test = resolved.test
            if test.sha256[: len(name)] != name:
                raise
            self.store.write_test(test)
            return test


def open_study(
    task: str | Path | Mapping[str, Any],
    *,
    runs: str | Path = "runs",
    reports: str | Path = "reports",
    embedded: bool = False,
    as_run: bool = False,
    overrides: Sequence[str] = (),
    **changes: Any,
) -> Study:
    """A study of a task: a YAML file, the name of one in tasks/, or its keys as a mapping.

    Keyword arguments replace keys of the task (`seeds=2`, `recipe={"epochs": 5}`); `overrides` are
    `key=value` as on the command line. `embedded` takes the task's variant on embedded data;
    `as_run` takes a bare name for that of a task in the runs folder, as it was run last.

    Raises TaskError for a key or a value that cannot be, UnknownName for a task that there is not.
    """
    store, plain_changes = Store(Path(runs)), as_plain(changes)
    if isinstance(task, Mapping):
        file = str(task.get("name", "task"))
        read = validate(as_plain(task) | plain_changes, file)
        words = ["python", "-m", "harness", "grid", f"{file}.yaml"]
    else:
        ran = store.root / (f"{task}_embedded" if embedded else str(task)) / "task.yaml"
        found_as_run = as_run and ran.is_file()
        path = ran if found_as_run else library.task_file(str(task))
        file = str(path)
        # What was run is the variant already.
        on_embedded_data = embedded and not found_as_run
        read = read_task(path, overrides, embedded=on_embedded_data, changes=plain_changes)
        words = ["python", "-m", "harness", "grid", str(task), *as_overrides(changes), *overrides]
        words += ["--embedded"] if embedded else []
    check_report_keys(read, file)
    return Study(read, file, shlex.join(words), store, Path(reports))
