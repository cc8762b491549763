"""The request of a launcher: its cells, what a job needs, and the jobs of all launchers."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import TINY, plan_of, read_like, records, run_study

from harness.core import registry
from harness.core.cells import KeyedCell
from harness.core.errors import BadInput, TaskError, UnknownName
from harness.core.protocols.launcher import (
    Cancelled,
    CellJob,
    Events,
    Forecast,
    JobReport,
    Launched,
    LaunchOptions,
    LaunchRequest,
)
from harness.core.store import Store
from harness.run.request import (
    OpenedLauncher,
    PreparedRun,
    budget_hours,
    cancel_jobs,
    job_report,
    open_launcher,
    prepare_run,
)

Add = Callable[..., str]


class Queue:
    """A detached launcher that remembers its requests; tests set the jobs that it knows."""

    DETACHED = True

    def __init__(self) -> None:
        self.requests: list[LaunchRequest] = []
        self.asked: list[tuple[set[str], set[str]]] = []
        self.report = JobReport()
        self.cancelled = Cancelled()

    def submit(self, request: LaunchRequest) -> Launched:
        self.requests.append(request)
        return Launched(("submitted job 1",))

    def status(self, store: Store, keys: Collection[str], done: Collection[str]) -> JobReport:
        self.asked.append((set(keys), set(done)))
        return self.report

    def cancel(self, store: Store, keys: Collection[str], task_name: str) -> Cancelled:
        return self.cancelled


def job(**changes: Any) -> CellJob:
    return replace(
        CellJob("tiny-0", "tiny", 0.0, live=True, waiting=False, over=False, reason="it runs"),
        **changes,
    )


@pytest.fixture
def add_queues(elsewhere: Add, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[Queue]]:
    """Make so many detached launchers, queue0 and so on; beside them there is only inline."""

    def add(number: int) -> list[Queue]:
        plugins = [Queue() for _ in range(number)]
        members = ("DETACHED", "submit", "status", "cancel")
        added = [
            elsewhere(f"queue{n}", **{member: getattr(plugin, member) for member in members})
            for n, plugin in enumerate(plugins)
        ]
        every = registry.names
        launchers = [*added, "inline"]
        monkeypatch.setattr(
            registry, "names", lambda kind: launchers if kind == "launcher" else every(kind)
        )
        return plugins

    return add


@pytest.fixture
def queue(add_queues: Callable[[int], list[Queue]]) -> tuple[Queue, OpenedLauncher]:
    """The one detached launcher there is, opened."""
    (plugin,) = add_queues(1)
    return plugin, open_launcher("elsewhere.queue0", LaunchOptions())


def prepared(runs: Path, launcher: OpenedLauncher, logs: tuple[str, ...] = ()) -> PreparedRun:
    """A run of TINY, in a runs folder."""
    return prepare_run(read_like(TINY)[0], plan_of(TINY, runs), Store(runs), launcher, logs)


INLINE = LaunchOptions(jobs=1)

# --- which cells ---------------------------------------------------------------------------------


def test_missing_cells_in_the_plans_order(tmp_path: Path) -> None:
    run = prepared(tmp_path, open_launcher("inline", INLINE))
    assert [c.key for c in run.cells] == [c.key for c in plan_of(TINY, tmp_path).cells]
    assert (run.in_flight, run.problem) == (0, None)
    assert run.forecast.hours == run.forecast.seconds / 3600 > 0
    assert list(tmp_path.iterdir()) == []


def test_cells_in_a_live_job_are_left_to_it(
    tmp_path: Path, queue: tuple[Queue, OpenedLauncher]
) -> None:
    plugin, launcher = queue
    live, dead, *rest = [c.key for c in plan_of(TINY, tmp_path).cells]
    plugin.report = JobReport({live: job(), dead: job(live=False)})
    run = prepared(tmp_path, launcher)
    assert [c.key for c in run.cells] == [dead, *rest]
    assert run.in_flight == 1
    assert plugin.asked == [({live, dead, *rest}, set())]


def test_cells_that_were_done_after_the_plan_are_not_run_again(tmp_path: Path) -> None:
    plan = plan_of(TINY, tmp_path)
    done = {c.key for c in run_study(TINY, tmp_path, seeds=1).plan.cells}
    store, launcher = Store(tmp_path), open_launcher("inline", INLINE)
    run = prepare_run(read_like(TINY)[0], plan, store, launcher, ())
    assert {c.key for c in run.cells} == {c.key for c in plan.cells} - done
    assert len(run.cells) == 2


def test_cells_that_are_to_be_replaced_are_run_again(tmp_path: Path) -> None:
    ran = run_study(TINY, tmp_path)
    chosen = ran.plan.cells[1].key
    plan, store = plan_of(TINY, tmp_path), Store(tmp_path)
    plan.run_again([chosen])
    store.replacing.add(chosen)
    run = prepare_run(read_like(TINY)[0], plan, store, open_launcher("inline", INLINE), ())
    assert [c.key for c in run.cells] == [chosen]


# --- the request ---------------------------------------------------------------------------------


def test_the_request_has_what_a_job_needs(
    tmp_path: Path, queue: tuple[Queue, OpenedLauncher]
) -> None:
    plugin, launcher = queue
    task, _ = read_like(TINY, save="last", measures=["top1"])
    plan, store, events = plan_of(TINY, tmp_path), Store(tmp_path), Events()
    run = prepare_run(task, plan, store, launcher, ("jsonl",))
    assert run.start(events).messages == ("submitted job 1",)
    (request,) = plugin.requests
    assert [c.key for c in request.cells] == [c.key for c in plan.cells]
    assert request.store is store
    assert (request.task_name, request.save) == ("tiny", True)
    assert yaml.safe_load(request.task_yaml)["classifier"] == ["text", "random"]
    assert (tuple(request.logs), tuple(request.measures)) == (("jsonl",), ("top1",))
    assert request.events is events
    assert request.settings == LaunchOptions()
    assert request.cost(plan.cells[0].cell) > 0


def test_cells_run_here_with_the_logs_and_measures_of_the_run(
    tmp_path: Path, queue: tuple[Queue, OpenedLauncher], elsewhere: Add
) -> None:
    """A launcher in this process gives back the cells that it was given, or some of them."""
    plugin, launcher = queue
    measure = elsewhere(
        "one", TITLE="One", UNIT="", BETTER="higher", compute=lambda predictions, y_N, g_N: 1.0
    )
    task, _ = read_like(TINY, measures=[measure])
    plan = plan_of(TINY, tmp_path)
    ended: list[str] = []
    run = prepare_run(task, plan, Store(tmp_path), launcher, ("jsonl",))
    run.start(Events(cell=lambda cell, status: ended.append(f"{cell.key} {status}")))
    (request,) = plugin.requests
    chosen = [KeyedCell(c.cell, c.key, c.train_key) for c in request.cells[1:3]]
    request.run_here(chosen, 1)
    assert ended == [f"{c.key} done" for c in plan.cells[1:3]]
    ran = records(tmp_path)
    assert set(ran) == {c.key for c in plan.cells[1:3]}
    assert {r["measures"][measure] for r in ran.values()} == {1.0}
    assert {p.stem for p in tmp_path.glob("logs/*.jsonl")} == set(ran)


def test_nothing_is_submitted_where_nothing_is_missing(
    tmp_path: Path, queue: tuple[Queue, OpenedLauncher]
) -> None:
    run_study(TINY, tmp_path)
    plugin, launcher = queue
    assert prepared(tmp_path, launcher).start(Events()) == Launched()
    assert plugin.requests == []


def test_the_forecast_is_that_of_the_launcher(tmp_path: Path, elsewhere: Add) -> None:
    forecast = Forecast(1.0, 2.0, "GPU-hours")
    name = elsewhere(
        "gpus", submit=lambda request: Launched(), settings=lambda options: 8,
        forecast=lambda cells, cost, settings: replace(forecast, seconds=len(cells) * settings),
    )  # fmt: skip
    run = prepared(tmp_path, open_launcher(name, LaunchOptions()))
    assert run.forecast == replace(forecast, seconds=32)


# --- what is refused -----------------------------------------------------------------------------


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'local'"):
        open_launcher("locl", INLINE)
    with pytest.raises(UnknownName, match="Did you mean 'jsonl'"):
        prepared(tmp_path, open_launcher("inline", INLINE), ("jsnl",))


def test_options_that_a_launcher_refuses() -> None:
    with pytest.raises(BadInput, match="belongs to --launch slurm"):
        open_launcher("inline", LaunchOptions(profile="p.yaml"))


def test_a_queue_that_cannot_be_read(tmp_path: Path, queue: tuple[Queue, OpenedLauncher]) -> None:
    """It keeps a detached launcher from submitting twice; cells run here are only warned of."""
    plugin, launcher = queue
    plugin.report = JobReport(problem="squeue: no answer")
    with pytest.raises(BadInput, match="squeue: no answer"):
        prepared(tmp_path, launcher)
    here = prepared(tmp_path, open_launcher("inline", INLINE))
    assert (len(here.cells), here.problem) == (4, "squeue: no answer")


# --- all launchers -------------------------------------------------------------------------------


@pytest.fixture
def two(add_queues: Callable[[int], list[Queue]]) -> list[Queue]:
    """Two detached launchers."""
    return add_queues(2)


def test_jobs_of_all_launchers(tmp_path: Path, two: list[Queue]) -> None:
    jobs = {"a": job(id="1"), "b": job(id="2", live=False)}
    two[0].report = JobReport({"a": jobs["a"]})
    two[1].report = JobReport({"b": jobs["b"]}, "squeue: no answer")
    report = job_report(Store(tmp_path), ["a", "b"], ["c"])
    assert report == JobReport(jobs, "squeue: no answer", "elsewhere.queue1")
    assert report.in_flight() == {"a"}
    assert two[0].asked == two[1].asked == [({"a", "b"}, {"c"})]


def test_what_all_launchers_cancelled_is_summed(tmp_path: Path, two: list[Queue]) -> None:
    two[0].cancelled, two[1].cancelled = Cancelled(1, 4), Cancelled(2, 8)
    assert cancel_jobs(Store(tmp_path), ["a"], "tiny") == Cancelled(3, 12)


# --- budgets -------------------------------------------------------------------------------------


def test_budgets() -> None:
    assert budget_hours(read_like(TINY)[0], "t.yaml") is None
    assert budget_hours(read_like(TINY, budget={"hours": 2})[0], "t.yaml") == 2.0


@pytest.mark.parametrize(
    ("budget", "key"),
    [
        ({}, "budget"), ({"hour": 1}, "budget"), ({"hours": 1, "euros": 2}, "budget"),
        ({"hours": "two"}, "budget"), ({"hours": True}, "budget"), ({"hours": 0}, "budget.hours"),
        ({"hours": -1}, "budget.hours"),
    ],
)  # fmt: skip
def test_a_budget_that_is_none(budget: dict[str, Any], key: str) -> None:
    with pytest.raises(TaskError) as refused:
        budget_hours(read_like(TINY, budget=budget)[0], "t.yaml")
    assert (refused.value.file, refused.value.key) == ("t.yaml", key)
