"""The search budget: of rows that are alternatives, of other methods, and of an earlier search."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.errors import TaskError
from harness.report.model.table import build_table
from harness.report.text.search_budget import search_budget
from harness.task.grid import expand

from ..studies import few_shot, make_results, task_of

ROWS: dict[str, Any] = {"shots": [1, 4], "include": [], "classifier": "text"}
REPORTED = "; each is reported and none was selected"
FIXED = "Search budget: 1 configuration per row (a fixed recipe; this study searched nothing)"


def budget_of(**task: Any) -> str:
    study = task_of(**ROWS | task)
    table = build_table(make_results(study, lambda _: 0.5))
    return search_budget(table, expand(study))


def test_rows_of_other_methods_are_no_alternatives() -> None:
    """Each is a preset of axes, so that their cells differ in the recipe and its name alone."""
    report = {"rows": "method"}
    assert budget_of(method=["zs_lp", "rla", "clap"], report=report) == FIXED


def test_the_options_of_one_method_are_alternatives() -> None:
    slow, fast = ({"name": "zs_lp", "lr": lr} for lr in (3.0, 30.0))
    both = budget_of(method=[slow, fast], report={"rows": "method"})
    assert both == f"Search budget: 2 configurations per row{REPORTED}"
    mixed = budget_of(method=[slow, fast, "clap"], report={"rows": "method"})
    assert mixed == (
        "Search budget: 2 configurations that differ in the recipe alone (zs_lp(lr=3.0) and "
        f"zs_lp(lr=30.0)), 1 for every other row{REPORTED}"
    )


def test_one_row_has_more_recipes_than_another() -> None:
    """As in Table 10, where the vision-only head is trained with two."""
    include = [{"paradigm": "vision_only", "classifier": None, "recipe": {"lr": lr}}
               for lr in (1e-4, 1e-3)]  # fmt: skip
    text = budget_of(include=include, report={"rows": ["paradigm", "recipe.lr"]})
    assert text == (
        "Search budget: 2 configurations that differ in the recipe alone (vision_only · lr=0.0001 "
        f"and vision_only · lr=0.001), 1 for every other row{REPORTED}"
    )


def test_alternatives_may_be_columns() -> None:
    recipe, report = {"lr": [1e-4, 1e-3]}, {"columns": ["shots", "recipe.lr"]}
    assert budget_of(recipe=recipe, report=report) == (
        f"Search budget: 2 configurations per row{REPORTED}"
    )


def test_an_earlier_search_is_part_of_the_budget() -> None:
    chosen = {"task": "few_shot_recipe", "configurations": 8}
    assert budget_of(report={"chosen_by": chosen}) == (
        f"{FIXED}; each row's own was chosen before, from at most 8 configurations (task "
        "few_shot_recipe)"
    )
    of_text = budget_of(report={"chosen_by": chosen | {"best_for": "text"}})
    assert of_text == (
        f"{FIXED}; chosen before, as the best for text of at most 8 configurations (task "
        "few_shot_recipe)"
    )
    untrained = few_shot(task={"classifier": "text", "tuning": "none", "include": [],
                               "report": {"chosen_by": chosen}})  # fmt: skip
    none = search_budget(build_table(untrained), [r.cell for r in untrained.results])
    assert none == "Search budget: none (nothing was trained)"


def test_a_wrong_key_of_an_earlier_search_names_the_right_ones() -> None:
    with pytest.raises(TaskError, match=r"report\.chosen_by\.settings.*configurations"):
        task_of(report={"chosen_by": {"task": "x", "settings": 8}})
