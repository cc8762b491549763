"""The runner: which trainings a solver takes together, and that this changes no number; failures,
interruptions, events and logs.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import interruptible, plan_of, run_study

from harness.core.errors import DataError
from harness.core.protocols.launcher import Events
from harness.core.protocols.log import Log
from harness.core.records import Record
from harness.core.store import Store
from harness.plan.resolve import ResolvedCell
from harness.run.plugins import RunPlugins, run_plugins
from harness.run.runner import run_cells, solver_groups

from .outside import COLOURS, GROUPED, task

RECIPE = {"lr": 1e-2, "epochs": 3, "warmup_epochs": 0, "solver": "run.outside:GROUPED"}
GROUPS = task(recipe=RECIPE, seeds=3)  # six cells, at most four at once


@pytest.fixture(autouse=True)
def calls() -> Iterator[list[Any]]:
    """The calls of the solver GROUPED."""
    GROUPED.calls.clear()
    yield GROUPED.calls
    GROUPED.calls.clear()


def keys(groups: list[list[list[ResolvedCell]]]) -> list[list[list[str]]]:
    return [[[c.key for c in family] for family in group] for group in groups]


# --- groups --------------------------------------------------------------------------------------


def test_trainings_of_one_solver_are_grouped_up_to_its_most(tmp_path: Path) -> None:
    cells = plan_of(GROUPS, tmp_path).cells
    expected = [[[c.key] for c in cells[:4]], [[c.key] for c in cells[4:]]]
    assert keys(solver_groups(cells)) == expected


def test_a_solver_of_one_cell_gets_one_cell(tmp_path: Path) -> None:
    cells = plan_of(task(), tmp_path).cells
    assert keys(solver_groups(cells)) == [[[c.key]] for c in cells]


def test_cells_of_one_training_are_one_family(tmp_path: Path) -> None:
    cells = plan_of(GROUPS | {"views": ["1x1", "1x3"]}, tmp_path).cells
    groups = solver_groups(cells)
    assert [[len(family) for family in group] for group in groups] == [[2] * 4, [2] * 2]
    assert all(len({c.train_key for c in family}) == 1 for group in groups for family in group)
    assert sorted(c.key for g in groups for f in g for c in f) == sorted(c.key for c in cells)


def test_what_a_solver_does_not_accept_together_is_apart(tmp_path: Path) -> None:
    """Epochs of 2 and 3 may not meet; what comes later may not join an older group."""
    plan = plan_of(task(recipe=RECIPE | {"epochs": [3, 2]}, seeds=1), tmp_path)
    epochs = [[f[0].cell.recipe.epochs for f in g] for g in solver_groups(plan.cells)]
    assert epochs == [[3], [2], [3], [2]]


def test_cells_that_are_not_trained_are_alone(tmp_path: Path) -> None:
    plan = plan_of(GROUPS | {"tuning": ["none", "projection"]}, tmp_path)
    sizes = {}
    for group in solver_groups(plan.cells):
        sizes.setdefault(group[0][0].cell.tuning, []).append(len(group))
    assert sizes == {"none": [1] * 4, "projection": [4, 2]}  # text without training has no seed


def test_solvers_do_not_mix(tmp_path: Path) -> None:
    recipe = RECIPE | {"solver": ["run.outside:GROUPED", "first_order"]}
    groups = solver_groups(plan_of(GROUPS | {"recipe": recipe}, tmp_path).cells)
    assert sorted(len(group) for group in groups) == [1] * 6 + [2, 4]
    for group in groups:
        assert len({family[0].setup.solver.choice for family in group}) == 1


# --- numbers -------------------------------------------------------------------------------------


def science(records: list[Record]) -> dict[str, str | None]:
    return {r.key: r.science_hash for r in records}


def test_cells_have_the_same_numbers_alone_and_together(tmp_path: Path, calls: list[Any]) -> None:
    together = run_study(GROUPS, tmp_path / "together").records
    assert [len(problems) for problems in calls] == [4, 2]
    calls.clear()
    alone, store = plan_of(GROUPS, tmp_path / "alone").cells, Store(tmp_path / "alone")
    for cell in alone:
        run_cells([cell], store)
    assert [len(problems) for problems in calls] == [1] * 6
    records = [store.read(c.key) for c in alone]
    assert science([r for r in records if r]) == science(together)
    assert None not in science(together).values()
    first = together[0]
    assert len(first.curve) == first.diagnostics["steps"] == 3
    assert first.curve[-1]["loss"] < first.curve[0]["loss"]
    assert first.diagnostics["gradient_norm"] == 0.5
    assert [r.cost["trainings"] for r in together] == [1] * 6


def test_threads_change_no_number(tmp_path: Path) -> None:
    one = run_study(GROUPS, tmp_path / "one").records
    two = run_study(GROUPS, tmp_path / "two", jobs=2).records
    assert science(one) == science(two)


# --- failures ------------------------------------------------------------------------------------


def test_one_cell_of_a_group_that_fails_fails_alone(tmp_path: Path, calls: list[Any]) -> None:
    study = GROUPS | {"classifier": ["random", "run.outside:HURT"], "seeds": 2}
    ran = run_study(study, tmp_path / "runs", failing=True)
    assert [len(problems) for problems in calls] == [1] * 3, "each by itself, and one never built"
    states = {(r.cell["classifier"], r.cell["seed"]): r.status for r in ran.records}
    assert states == {
        ("random", 0): "done", ("random", 1): "done",
        ("run.outside:HURT", 0): "done", ("run.outside:HURT", 1): "failed",
    }  # fmt: skip
    (failed,) = [r for r in ran.records if r.status == "failed"]
    assert failed.error is not None
    assert (failed.error["type"], failed.error["message"]) == ("RuntimeError", "seed 1 hurts")
    assert "def hurt" not in failed.error["traceback"]
    assert "outside.py" in failed.error["traceback"]
    assert failed.top1 is None
    assert failed.cost["trainings"] == 0
    healthy = run_study(GROUPS | {"classifier": "random", "seeds": 2}, tmp_path / "healthy").records
    expected = science(healthy)
    assert {k: v for k, v in science(ran.records).items() if k in expected} == expected


def test_one_training_of_a_group_that_diverges_fails_alone(
    tmp_path: Path, calls: list[Any]
) -> None:
    study = task(recipe=RECIPE | {"lr": [1e-2, 1e2]}, classifier="text", seeds=2)
    ran = run_study(study, tmp_path, failing=True)
    assert [len(problems) for problems in calls] == [4, 1, 1, 1, 1]
    by_lr = {(r.cell["recipe"]["lr"], r.cell["seed"]): r for r in ran.records}
    assert {key: r.status for key, r in by_lr.items()} == {
        (1e-2, 0): "done", (1e-2, 1): "done", (1e2, 0): "failed", (1e2, 1): "failed",
    }  # fmt: skip
    assert (by_lr[1e2, 0].error or {})["message"] == "the descent diverged"


def test_a_broken_data_set_fails_its_own_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from run import outside

    class Broken(outside.Colours):
        manifest = "broken"

        def image(self, item: str) -> Any:
            raise DataError(f"{item} cannot be read")

    broken = SimpleNamespace(open_dataset=lambda argument, options: Broken())
    monkeypatch.setattr(outside, "BROKEN", broken, raising=False)
    study = task(dataset=["run.outside:COLOURS", "run.outside:BROKEN"])
    ran = run_study(study, tmp_path, failing=True)
    states = {(r.cell["dataset"], r.status) for r in ran.records}
    assert states == {("run.outside:COLOURS", "done"), ("run.outside:BROKEN", "failed")}
    with pytest.raises(DataError, match="cannot be read"):
        run_study(study | {"dataset": "run.outside:BROKEN"}, tmp_path / "alone")


# --- interruption --------------------------------------------------------------------------------


def test_an_interrupted_group_writes_nothing_and_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, store = plan_of(GROUPS, tmp_path), Store(tmp_path)
    epochs: list[str] = []

    def stop_in_the_second_epoch(resolved: Any, point: Any) -> None:
        epochs.append(resolved.key)
        if len(epochs) == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cells(plan.cells[:4], store, events=Events(epoch=stop_in_the_second_epoch))
    assert store.statuses(c.key for c in plan.cells) == {}
    records = run_study(GROUPS, tmp_path).records
    assert science(records) == science(run_study(GROUPS, tmp_path / "undisturbed").records)


def test_ctrl_c_stops_the_group_that_runs_and_begins_no_other(
    tmp_path: Path, calls: list[Any]
) -> None:
    """The signal reaches the main thread, which tells the threads of the cells to stop."""
    plan, store = plan_of(GROUPS, tmp_path), Store(tmp_path)

    def press(resolved: Any, point: Any) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        deadline = time.monotonic() + 60
        while not calls[0][0].watch.interrupted():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    with interruptible(), pytest.raises(KeyboardInterrupt):
        run_cells(plan.cells, store, events=Events(epoch=press))
    assert len(calls) == 1
    assert store.statuses(c.key for c in plan.cells) == {}


# --- a search inside -----------------------------------------------------------------------------

SEARCH = {"search": {"recipe.lr": [1e-2, 1e-1, 1e2]}, "val": 2, "selection": "val"}


def test_a_search_is_solved_together_and_chooses_for_every_cell(
    tmp_path: Path, calls: list[Any]
) -> None:
    study = GROUPS | SEARCH | {"classifier": "random", "seeds": 2}
    ran = run_study(study, tmp_path / "together")
    together = [len(problems) for problems in calls if len(problems) > 1]
    assert together == [4, 2], "six configurations; those of 1e2 diverge, and each runs again"
    calls.clear()
    store = Store(tmp_path / "alone")
    for cell in plan_of(study, tmp_path / "alone").cells:
        run_cells([cell], store)
        alone = store.read(cell.key)
        assert alone is not None
        assert alone.science_hash in science(ran.records).values()
    for record in ran.records:
        first, second, diverged = record.diagnostics["search"]
        assert diverged["error"] == "the descent diverged"
        assert record.diagnostics["chosen"] in ({"lr": 1e-2}, {"lr": 1e-1})
        best = max((first, second), key=lambda t: (t["val_top1"], -t["val_nll"]))
        assert record.diagnostics["chosen"] == best["config"]


def test_configurations_that_a_solver_does_not_accept_together_are_apart(
    tmp_path: Path, calls: list[Any]
) -> None:
    """Of a search over epochs the solver sees those of equally many at once, and no others."""
    study = GROUPS | {"search": {"recipe.epochs": [2, 3]}, "val": 2, "selection": "val"}
    ran = run_study(study | {"classifier": "text", "seeds": 3}, tmp_path)
    assert all(len({p.recipe.epochs for p in problems}) == 1 for problems in calls)
    assert sum(len(problems) for problems in calls) == 6
    for record in ran.records:
        assert [t["config"]["epochs"] for t in record.diagnostics["search"]] == [2, 3]
        assert len(record.curve) == record.diagnostics["chosen"]["epochs"]


# --- events, logs, measures ----------------------------------------------------------------------


def test_events_follow_the_run(tmp_path: Path) -> None:
    seen: list[tuple[Any, ...]] = []
    events = Events(
        features=lambda done, total: seen.append(("features", done, total)),
        ready=lambda: seen.append(("ready",)),
        epoch=lambda keyed, point: seen.append(("epoch", keyed.key, point["epoch"])),
        cell=lambda keyed, status: seen.append(("cell", keyed.key, status)),
    )
    plan = plan_of(task(seeds=1, classifier="text", recipe=RECIPE), tmp_path)
    run_cells(plan.cells, Store(tmp_path), events=events)
    (key,) = (c.key for c in plan.cells)
    assert seen[seen.index(("ready",)) :] == [
        ("ready",), *(("epoch", key, n) for n in (1, 2, 3)), ("cell", key, "done"),
    ]  # fmt: skip
    features = seen[: seen.index(("ready",))]
    assert all(kind == "features" and done <= total for kind, done, total in features)


def test_points_of_a_search_name_their_training(tmp_path: Path) -> None:
    points: list[Any] = []
    study = task(
        seeds=1, classifier="text", recipe=RECIPE, search={"recipe.lr": [1e-2, 1e-1]}, val=2,
        selection="val",
    )  # fmt: skip
    plan = plan_of(study, tmp_path)
    run_cells(
        plan.cells, Store(tmp_path), events=Events(epoch=lambda keyed, point: points.append(point))
    )
    assert sorted((p["training"], p["epoch"]) for p in points) == [
        (number, epoch) for number in (0, 1) for epoch in (1, 2, 3)
    ]


class Lines:
    """A log that keeps what it is given."""

    def __init__(self) -> None:
        self.opened: list[tuple[Path, str]] = []
        self.epochs: list[int] = []
        self.ended: list[tuple[str, set[str]]] = []
        self.closed = 0

    def open_log(self, folder: Path, key: str, cell: Any) -> Log:
        self.opened.append((folder, key))
        lines = self

        class Open(Log):
            def epoch(self, point: Any) -> None:
                lines.epochs.append(point["epoch"])

            def done(self, record: Record, measures: Any) -> None:
                lines.ended.append((record.status, set(measures)))

            def close(self) -> None:
                lines.closed += 1

        return Open()


def test_a_log_is_opened_for_a_training_and_closed_whatever_happens(tmp_path: Path) -> None:
    lines: Any = Lines()
    study = task(
        recipe=RECIPE, classifier=["random", "run.outside:HURT"], seeds=[1], views=["1x1", "1x3"]
    )
    plan = plan_of(study, tmp_path)
    plugins = RunPlugins([lines], run_plugins().measures)
    run_cells(plan.cells, Store(tmp_path), plugins=plugins)
    trained = [c for c in plan.cells if c.cell.views == "1x1"]
    assert lines.opened == [(tmp_path / "logs", c.key) for c in trained]
    assert lines.epochs == [1, 2, 3]
    measures = {"top1", "top5", "mean_class", "nll", "ece"}
    assert [(status, found >= measures) for status, found in lines.ended] == [
        ("done", True), ("done", True), ("failed", False), ("failed", False),
    ]  # fmt: skip
    assert lines.closed == 2


def test_pictures_trained_and_tested_on_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from run import outside

    class Leaky(outside.Colours):
        manifest = "leaky"

        def fingerprint(self, item: str) -> str:
            return item.split("/", 1)[1]

    leaky = SimpleNamespace(open_dataset=lambda argument, options: Leaky())
    monkeypatch.setattr(outside, "LEAKY", leaky, raising=False)
    (record,) = run_study(
        task(dataset="run.outside:LEAKY", regime="full", shots=None, seeds=1, classifier="text"),
        tmp_path,
    ).records
    assert record.diagnostics["twins"] == 3 * 6
    err = capsys.readouterr().err
    assert "warning: " in err
    assert ": 18 (" in err
    assert COLOURS is outside.COLOURS
