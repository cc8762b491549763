"""Columns that differ in a step size or a penalty."""

from __future__ import annotations

from typing import Any

from harness.core.cells import Cell
from harness.report.model.step_sizes import StepPanel, StepSizes, budgets, step_sizes
from harness.report.model.table import Table, build_table

from ..studies import make_results, task_of

STEPS: dict[str, Any] = {
    "classifier": ["text", "random"], "include": [], "shots": [1, 4], "seeds": 2,
    "tuning": "head", "recipe": {"lr": [0.1, 0.01, 1], "epochs": 60},
    "report": {"rows": "classifier", "columns": ["shots", "recipe.lr"]},
}  # fmt: skip
CONVEX = {
    "paradigm": "vision_only",
    "recipe": {"solver": ["lbfgs", "ridge"], "l2": [1, 0.1]},
    "report": {"rows": "classifier", "columns": ["recipe.solver", "recipe.l2", "shots"]},
}


def accuracy(cell: Cell) -> float:
    """By the learning rate alone."""
    return {0.01: 0.3, 0.1: 0.5, 1: 0.4}.get(cell.recipe.lr, 0.2) if cell.recipe else 0.1


def table_of(status: Any = lambda _: "done", **task: Any) -> Table:
    return build_table(make_results(task_of(**STEPS | task), accuracy, status=status))


def test_a_panel_for_what_the_columns_have_besides() -> None:
    sizes = step_sizes(table_of())
    assert sizes == StepSizes(
        "recipe.lr",
        (0.01, 0.1, 1.0),
        (
            StepPanel("1 shot", {v: f"1 shot · lr={v:g}" for v in (0.1, 0.01, 1.0)}),
            StepPanel("4 shots", {v: f"4 shots · lr={v:g}" for v in (0.1, 0.01, 1.0)}),
        ),
        (),
    )


def test_alone_it_has_one_panel_without_a_title() -> None:
    sizes = step_sizes(table_of(shots=1, report={"rows": "classifier", "columns": "recipe.lr"}))
    assert sizes is not None
    assert [panel.title for panel in sizes.panels] == [""]


def test_strengths_of_a_penalty() -> None:
    sizes = step_sizes(table_of(**CONVEX))
    assert sizes is not None
    assert (sizes.axis, sizes.values) == ("recipe.l2", (0.1, 1.0))
    assert [panel.title for panel in sizes.panels] == [
        f"{solver} · {shots}" for solver in ("lbfgs", "ridge") for shots in ("1 shot", "4 shots")
    ]


def test_columns_without_a_value_are_named() -> None:
    """Nothing is trained there, the learning rate is 0, or the solver does not read it."""
    untrained = {"tuning": "none", "shots": 1}
    solved = {"paradigm": "vision_only", "shots": 1, "recipe": {"solver": "lbfgs", "l2": 0.1}}
    sizes = step_sizes(table_of(
        recipe={"lr": [0, 0.01, 1]}, shots=1, include=[untrained, solved],
    ))  # fmt: skip
    assert sizes is not None
    assert sizes.values == (0.01, 1.0)
    assert sorted(sizes.left_out) == ["1 shot", "1 shot · lr=0"]


def test_no_step_size_among_the_columns() -> None:
    assert step_sizes(table_of(report={"rows": ["classifier", "recipe.lr"]})) is None
    assert step_sizes(table_of(recipe={"lr": 0.1})) is None


def test_budgets() -> None:
    assert budgets(table_of()) == ["60 epochs"]
    assert budgets(table_of(recipe={"lr": [0.1, 1], "iterations": [100, 200]})) == [
        "100 iterations", "200 iterations",
    ]  # fmt: skip
    assert budgets(table_of(**CONVEX)) == []
