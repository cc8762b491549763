"""The missing cells of a plan -> a request that a launcher runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core import registry
from harness.core.cells import KeyedCell
from harness.core.errors import BadInput, TaskError
from harness.core.hardware import Hardware, hardware_here
from harness.core.protocols.launcher import (
    Cancelled,
    CellCost,
    CellJob,
    Events,
    Forecast,
    JobReport,
    Launched,
    Launcher,
    LaunchOptions,
    LaunchRequest,
)
from harness.core.store import Store
from harness.plan.estimate import Estimate, Work, learned
from harness.plan.plan import Plan
from harness.plan.resolve import ResolvedCell
from harness.run.plugins import RunPlugins, run_plugins
from harness.task.read import as_yaml
from harness.task.schema import Task
from harness.task.settle_budget import settle_budget


@dataclass(frozen=True)
class OpenedLauncher:
    """A launcher with its settings."""

    name: str
    plugin: Launcher
    settings: Any


def open_launcher(name: str, options: LaunchOptions) -> OpenedLauncher:
    """Raises UnknownName for an unknown launcher, BadInput for options that it refuses."""
    plugin = registry.load(Launcher, name)
    return OpenedLauncher(name, plugin, plugin.settings(options))


@dataclass(frozen=True)
class PreparedRun:
    """The cells that a launcher would run, and what they may cost. Nothing has started."""

    launcher: OpenedLauncher
    cells: Sequence[ResolvedCell]
    in_flight: int  # cells in jobs that were submitted before
    forecast: Forecast
    work: Work  # what the cells need, by kind
    hardware: Hardware  # of a training
    problem: str | None  # why a scheduler's queue could not be read
    _task: Task
    _store: Store
    _cost: CellCost
    _logs: Sequence[str]
    _plugins: RunPlugins

    def start(self, events: Events) -> Launched:
        """Run the cells, or submit them.

        Raises BadInput if they cannot be launched, DiskFull, OutputError, KeyboardInterrupt.
        """
        if not self.cells:
            return Launched()
        task = self._task
        request = LaunchRequest(
            cells=self.cells,
            store=self._store,
            task_name=task.name,
            task_yaml=as_yaml(task),
            save=task.save == "last",
            logs=self._logs,
            measures=task.measures,
            events=events,
            cost=self._cost,
            settings=self.launcher.settings,
            run_here=lambda cells, jobs: self._run_here(cells, jobs, events),
            workers=task.loader.workers,
        )
        return self.launcher.plugin.submit(request)

    def _run_here(self, cells: Sequence[KeyedCell], jobs: int, events: Events) -> None:
        """Run cells in this process, which has them resolved already."""
        from harness.run.runner import run_cells

        wanted = {c.key for c in cells}
        resolved = [c for c in self.cells if c.key in wanted]
        run_cells(
            resolved, self._store, jobs=jobs, events=events, save=self._task.save == "last",
            plugins=self._plugins, workers=self._task.loader.workers,
        )  # fmt: skip


def prepare_run(
    task: Task, plan: Plan, store: Store, launcher: OpenedLauncher, logs: Sequence[str]
) -> PreparedRun:
    """The missing cells of a plan, without those in a live job or done since the plan was made.

    Raises BadInput for an unknown log or measure, and if a detached launcher cannot read the queue
    of its scheduler.
    """
    plugins = run_plugins(logs, task.measures)
    missing = plan.missing()
    keys = [c.key for c in missing]
    jobs = job_report(store, keys, (), launcher)
    if jobs.problem is not None and launcher.plugin.DETACHED:
        raise BadInput(jobs.problem)
    in_flight = jobs.in_flight()
    # Cells that were done after the plan was made are not run again.
    now = store.statuses(keys)
    done = {k for k, v in now.items() if v == "done" and k not in store.replacing}
    cells = [c for c in missing if c.key not in in_flight and c.key not in done]
    plugin, settings = launcher.plugin, launcher.settings
    hardware = plugin.hardware(settings) or hardware_here(plugin.device(settings))
    cost = Estimate(cells, learned(store), hardware)
    return PreparedRun(
        launcher=launcher,
        cells=cells,
        in_flight=len(in_flight),
        forecast=launcher.plugin.forecast(cells, cost, launcher.settings),
        work=cost.work,
        hardware=hardware,
        problem=jobs.problem,
        _task=task,
        _store=store,
        _cost=cost,
        _logs=logs,
        _plugins=plugins,
    )


def job_report(
    store: Store,
    keys: Collection[str],
    done: Collection[str],
    launcher: OpenedLauncher | None = None,
) -> JobReport:
    """The jobs of cells, from all detached launchers, and the first of their problems."""
    jobs: dict[str, CellJob] = {}
    problem = named = None
    for name, plugin in _detached(launcher):
        report = plugin.status(store, keys, done)
        jobs |= report.jobs
        if problem is None and report.problem is not None:
            problem, named = report.problem, name
    return JobReport(jobs, problem, named)


def cancel_jobs(store: Store, keys: Collection[str], task_name: str) -> Cancelled:
    """Cancel the jobs of a task in all launchers. Raises BadInput if one cannot."""
    cancelled = [plugin.cancel(store, keys, task_name) for _, plugin in _detached(None)]
    return Cancelled(sum(c.jobs for c in cancelled), sum(c.cells for c in cancelled))


def budget_hours(task: Task, file: str) -> float | None:
    """`budget: {hours: N}`: GPU-hours on a profile with GPUs, else core-hours. None without it.

    Raises TaskError for any other budget than this and `settle`.
    """
    settle_budget(task, file)
    budget = task.budget or {}
    others, hours = set(budget) - {"hours", "settle"}, budget.get("hours")
    if task.budget is None or (budget and not others and hours is None):
        return None
    if others or isinstance(hours, bool) or not isinstance(hours, int | float):
        raise TaskError(file, "budget", f"{budget}: must be {{hours: NUMBER, settle: SEEDS}}")
    if hours <= 0:
        raise TaskError(file, "budget.hours", f"{hours}: must be above 0")
    return float(hours)


def _detached(launcher: OpenedLauncher | None) -> Iterator[tuple[str, Launcher]]:
    """The detached launchers of this package, and the given one, with their names."""
    names = dict.fromkeys([*registry.names("launcher"), *([launcher.name] if launcher else ())])
    plugins = ((name, registry.load(Launcher, name)) for name in names)
    return ((name, plugin) for name, plugin in plugins if plugin.DETACHED)
