"""Labels: a row and a column for every cell, and different names for different rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core.cells import Cell, Choice
from harness.core.errors import UnknownName
from harness.report.model.labels import lay_out
from harness.task.grid import expand
from harness.task.schema import Task

from ..studies import task_of


def rows_and_columns(**changes: Any) -> tuple[tuple[str, ...], list[str]]:
    task = task_of(**changes)
    layout = lay_out(task.report, expand(task))
    return layout.rows, [c.label for c in layout.columns]


def test_a_row_without_a_value_is_named_by_what_it_has() -> None:
    rows, columns = rows_and_columns(classifier=["text", "random"])
    assert rows == ("text", "random", "vision_only")
    assert columns == ["1 shot", "2 shots", "4 shots"]


def test_by_default_rows_are_all_axes_that_vary() -> None:
    rows, columns = rows_and_columns(
        classifier=["text", "random"], schedule=["frozen", "trained"], include=[], report={}
    )
    assert rows == ("text · frozen", "text · trained", "random · frozen", "random · trained")
    assert columns == ["1 shot", "2 shots", "4 shots"]


def test_rows_that_would_collide_are_told_apart() -> None:
    rows, _ = rows_and_columns(
        classifier=["text", "random"], schedule=["frozen", "trained"], include=[],
        report={"rows": "classifier"},
    )  # fmt: skip
    assert rows == ("text · frozen", "text · trained", "random · frozen", "random · trained")


def test_axes_of_the_recipe_tell_rows_apart_and_numbers_bear_their_name() -> None:
    rows, _ = rows_and_columns(
        classifier="text", recipe={"lr": [1e-4, 1e-3]}, include=[], report={"rows": "classifier"}
    )
    assert rows == ("text · lr=0.0001", "text · lr=0.001")


def test_cells_without_another_test_data_set_are_named_after_their_own() -> None:
    """Not in zero-shot studies, whose labels are older, and not where it is named already."""
    task = {"classifier": "text", "include": [], "shots": 1, "report": {"rows": "classifier"}}
    both = {"test_dataset": [None, "emoji_people"]}
    assert rows_and_columns(**task, **both)[1] == ["emoji", "emoji_people"]
    named = {"report": {"rows": "classifier", "columns": ["dataset", "test_dataset"]}}
    assert rows_and_columns(**task | named, **both)[1] == ["emoji", "emoji · emoji_people"]
    zero = {"regime": "zero_shot", "shots": None, "train_classes": {}}
    assert rows_and_columns(**task | zero, **both)[1] == ["all", "emoji_people"]


NAMED = [{"name": "shared", "lr": 1e-3}, {"name": "own", "lr": 1e-3, "by": {"random": {"lr": 1}}}]


@pytest.mark.parametrize("report", [{}, {"rows": "classifier"}, {"rows": ["classifier", "recipe"]}])
def test_the_name_of_a_recipe_stands_for_its_keys(report: dict[str, Any]) -> None:
    """Also where two names have the same values."""
    rows, columns = rows_and_columns(
        classifier=["text", "random"], recipe=NAMED, include=[], shots=[1, 2], report=report
    )
    assert rows == ("text · shared", "text · own", "random · shared", "random · own")
    assert columns == ["1 shot", "2 shots"]


def test_lists_inside_a_named_recipe_are_rows_of_their_own() -> None:
    recipe = [NAMED[0], {"name": "many", "lr": [1e-4, 1e-5]}]
    rows, _ = rows_and_columns(classifier="text", recipe=recipe, include=[], report={})
    assert rows == ("shared", "many · lr=0.0001", "many · lr=1e-05")


def test_names_of_recipes_may_be_columns() -> None:
    rows, columns = rows_and_columns(
        classifier=["text", "random"], recipe=NAMED, include=[], shots=[2, 1],
        report={"rows": "classifier", "columns": ["recipe", "shots"]},
    )  # fmt: skip
    assert rows == ("text", "random")
    assert columns == ["shared · 1 shot", "shared · 2 shots", "own · 1 shot", "own · 2 shots"]


def test_options_are_part_of_the_label() -> None:
    lda = {"name": "lda", "shrinkage": 0.1}
    rows, _ = rows_and_columns(classifier=["lda", lda], include=[])
    assert rows == ("lda", "lda(shrinkage=0.1)")


def test_one_row_still_has_a_name() -> None:
    assert rows_and_columns(classifier="text", shots=1, include=[], report={}) == (
        ("text",),
        ["1 shot"],
    )


def test_columns_run_from_nothing_to_everything() -> None:
    rows, columns = rows_and_columns(
        regime=["full", "few_shot", "zero_shot"], shots=[4, 1], classifier=["text", "random"],
        include=[],
    )  # fmt: skip
    assert columns == ["zero_shot", "1 shot", "4 shots", "full"]
    assert rows == ("text", "random")


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        (["shots", "recipe.lr"],
         ["1 shot · lr=0.01", "1 shot · lr=0.001", "4 shots · lr=0.01", "4 shots · lr=0.001"]),
        (["recipe.lr", "shots"],
         ["lr=0.01 · 1 shot", "lr=0.01 · 4 shots", "lr=0.001 · 1 shot", "lr=0.001 · 4 shots"]),
    ],
)  # fmt: skip
def test_the_first_axis_of_the_columns_is_the_outermost(
    axes: list[str], expected: list[str]
) -> None:
    _, columns = rows_and_columns(
        classifier=["text", "random"], shots=[4, 1], recipe={"lr": [1e-2, 1e-3]}, include=[],
        report={"rows": "classifier", "columns": axes},
    )  # fmt: skip
    assert columns == expected


def test_shots_and_fractions_are_one_amount() -> None:
    _, columns = rows_and_columns(
        regime=["full", "fraction", "few_shot"], shots=[4, 1], fraction=[0.5, 0.1],
        classifier=["text", "random"], dataset=["folder:b", "folder:a"], include=[],
        report={"rows": "classifier", "columns": ["fraction", "dataset", "shots"]},
    )  # fmt: skip
    assert columns[:4] == [
        "folder:b · 1 shot", "folder:a · 1 shot", "folder:b · 4 shots", "folder:a · 4 shots",
    ]  # fmt: skip
    assert columns[4:] == [
        "0.1 · folder:b", "0.1 · folder:a", "0.5 · folder:b", "0.5 · folder:a",
        "folder:b · full", "folder:a · full",
    ]  # fmt: skip


def test_data_sets_become_columns() -> None:
    _, columns = rows_and_columns(
        dataset=["folder:a", "folder:b"], shots=1, include=[], report={"rows": "classifier"}
    )
    assert columns == ["folder:a", "folder:b"]


def test_draws_of_classes_share_the_label_of_their_column() -> None:
    task = task_of(class_seed=[0, 1], classifier=["text", "random"], include=[])
    layout = lay_out(task.report, expand(task))
    assert layout.rows == ("text", "random")
    assert [(c.label, c.draw) for c in layout.columns][:2] == [("1 shot", 0), ("1 shot", 1)]


def test_an_unknown_axis_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="classifier"):
        rows_and_columns(report={"rows": "clasifier"})


def test_what_is_no_axis_still_tells_rows_apart() -> None:
    rows, _ = rows_and_columns(
        classifier="text", include=[{"classes": {"pick": 50, "from": "unseen"}}]
    )
    assert rows == ("text · 100 of unseen", "text · 50 of unseen")


def test_a_column_may_be_a_choice_of_classes() -> None:
    include = [{"classes": {"from": "unseen"}, "classifier": "text"}]
    rows, columns = rows_and_columns(
        classifier=["text", "random"], shots=1, include=include,
        report={"rows": "classifier", "columns": "classes"},
    )  # fmt: skip
    assert rows == ("text", "random")
    assert columns == ["100 of unseen", "unseen"]


def test_a_row_has_a_name_beside_its_numbers() -> None:
    rows, _ = rows_and_columns(
        classifier="text", recipe={"lr": [1e-4, 1e-3]},
        report={"rows": ["classifier", "recipe.lr"]},
    )  # fmt: skip
    assert rows[2:] == ("vision_only · lr=0.0001", "vision_only · lr=0.001")


def test_rows_keep_the_order_of_the_grid_though_one_starts_later() -> None:
    task = task_of(classifier=["text", "lda", "random"])
    cells = expand(task)
    late = [c for c in cells if c.shots == 1 and c.classifier and c.classifier.name == "lda"]
    layout = lay_out(task.report, [c for c in cells if c not in late], late)
    assert layout.rows == ("text", "lda", "random", "vision_only")


def method_cells(task: Task, *methods: str) -> list[Cell]:
    """As the grid makes them: a method has neither paradigm nor classifier."""
    cells = [c for c in expand(task) if c.classifier is not None and c.classifier.name == "text"]
    none: dict[str, Any] = {"paradigm": None, "classifier": None, "schedule": None}
    return [replace(c, method=Choice(name), **none) for name in methods for c in cells]


def test_a_method_names_its_row() -> None:
    task = task_of(classifier=["text", "random"], shots=1)
    cells = expand(task) + method_cells(task, "tip_adapter", "clap")
    layout = lay_out(task.report, cells)
    assert layout.rows == ("text", "random", "vision_only", "tip_adapter", "clap")
    assert {layout.place_of(c)[0] for c in cells if c.paradigm is None} == {"tip_adapter", "clap"}


def test_a_method_names_its_row_where_no_axis_varies() -> None:
    """Beside one classifier, no axis has two values: every row still has a name."""
    task = task_of(classifier="text", shots=1, include=[], report={})
    layout = lay_out(task.report, expand(task) + method_cells(task, "tip_adapter"))
    assert layout.rows == ("text", "tip_adapter")
