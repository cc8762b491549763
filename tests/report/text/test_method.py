"""The method section: what all cells share, what rows differ in, and the search budget."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from harness.core.cells import Cell, Choice
from harness.report.model.results import Result, Results
from harness.report.model.table import build_table
from harness.report.text.method import method
from harness.task.grid import expand
from harness.task.read import validate

from ..studies import few_shot, make_results, task_of

SEARCH: dict[str, Any] = {
    "search": {"recipe.lr": [1e-3, 1e-2], "recipe.decay": ["constant", "cosine"]},
    "val": 2, "selection": "val", "classifier": ["text", "random"], "shots": [2, 4],
    "include": [{"paradigm": "vision_only", "tuning": "none"}],
}  # fmt: skip


def method_of(results: Results) -> str:
    return method(results, build_table(results))


def test_settings_that_all_cells_share() -> None:
    text = method_of(few_shot())
    for line in (
        "- Shots: 1, 2, 4",
        "- Paradigm: vision_text, vision_only",
        "- Classes: C = 100 (part 'unseen', 100 drawn)",
        "- Seeds: 0, 1, 2, 3, 4",
        "- Selection: last epoch; no epoch was selected by its accuracy",
        "- Search budget: 1 configuration per row (a fixed recipe; this study searched nothing)",
    ):
        assert line in text.splitlines()  # fmt: skip
    assert "logit_scale that of the encoder" in text
    assert "None" not in text
    assert "micro_batch" not in text


@pytest.mark.parametrize(
    ("task", "trained"),
    [
        ({"train_classes": {"from": "unseen"}}, "other classes (part 'unseen')"),
        ({"train_classes": {"from": "unseen", "pick": 50}},
         "other classes (part 'unseen', 50 drawn)"),
        ({"train_classes": {"from": "unseen"}, "test_dataset": "emoji_people"},
         "classes of emoji (part 'unseen')"),
        ({"train_classes": "some.txt"}, "the classes of file some.txt"),
        ({"train_classes": "half:0", "test_classes": ["base", "new"]}, "base: half 0 of these"),
    ],
)  # fmt: skip
def test_trained_classes_are_those_that_are_not_tested(task: dict[str, Any], trained: str) -> None:
    """The tested ones are drawn from `unseen` as well, so the part alone would name both."""
    changes = {"classifier": "text", "include": [], "shots": 1} | task
    (line,) = re.findall(r"- Classes: .*", method_of(few_shot(task=changes)))
    assert line.endswith(f"(part 'unseen', 100 drawn); trained on {trained}")


def test_nothing_was_trained() -> None:
    task = {"name": "z", "dataset": "emoji", "regime": "zero_shot",
            "encoder": "embedded/lit-emoji", "classifier": ["text", "random"]}  # fmt: skip
    text = method_of(make_results(validate(task, "z"), lambda _: 0.4))
    assert "- Search budget: none (nothing was trained)" in text
    assert "- Recipe: nothing was trained" in text
    assert "- Seeds: 0, 1, 2, 3, 4; deterministic rows were run once" in text


def test_a_search_says_what_it_chose_and_for_whom() -> None:
    """No searched key has a value of its own: lr is 3e-4 in the recipe and was never that."""

    def searched(result: Result) -> Result:
        cell, record = result.cell, result.record
        assert record is not None
        if cell.search is None:
            return result
        chosen = {"lr": 1e-2 if cell.seed == 0 else 1e-3, "decay": "constant"}
        return replace(result, record=replace(record, diagnostics={"chosen": chosen}))

    results = few_shot(task=SEARCH)
    text = method_of(replace(results, results=tuple(map(searched, results.results))))
    assert "Search budget: 4 configurations per row, the same for every trained row" in text
    assert "chosen on 2 validation samples per class, never trained on" in text
    assert "none for vision_only (nothing is trained)" in text
    assert "best on the validation samples" in text
    recipe = re.search(r"- Recipe: .*", text)
    assert recipe is not None
    assert " lr 0" not in recipe[0]
    assert recipe[0].endswith("; searched: decay, lr")
    for row in ("text", "random"):
        chosen = "lr 0.001, decay constant (8 of 10); lr 0.01, decay constant (2 of 10)"
        assert f"    - {row}: {chosen}" in text


def test_keys_that_a_training_does_not_read_are_left_out() -> None:
    linear = {"paradigm": "vision_only", "tuning": "head", "classifier": "text"}
    solved = method_of(few_shot(task=linear | {"recipe": {"lr": 0.5, "l2": 1e-3}}))
    assert "- Recipe: solver lbfgs, l2 0.001" in solved.splitlines()
    by_updates = method_of(few_shot(task=linear | {"recipe": {"lr": 0.5, "iterations": 60}}))
    (recipe,) = re.findall(r"- Recipe: (.*)", by_updates)
    assert "iterations 60" in recipe
    assert "epochs 30" not in recipe.replace("warmup_epochs", "")
    assert "proximal" not in recipe


def test_rows_that_share_no_key_of_the_recipe() -> None:
    linear = {"paradigm": "vision_only", "tuning": "head", "classifier": "text"}
    both = {"recipe": {"l2": 1e-3}, "include": [{"recipe": {"l2": None}}]}
    (recipe,) = re.findall(r"- Recipe: (.*)", method_of(few_shot(task=linear | both)))
    assert recipe == "no key is shared by all rows"


def test_the_samples_of_others_are_named() -> None:
    changes = {"support": ["own", "coop", {"file": "l/shot_{shots}.json"}]}
    lines = method_of(few_shot(task=changes)).splitlines()
    expected = (
        "- Support sets: the harness's own draw, CoOp's draw (the seed is that of its generator) "
        "and the published list l/shot_{shots}.json"
    )
    assert expected in [line.replace("\\", "") for line in lines]
    assert not any(line.startswith("- Validation samples") for line in lines)


def test_an_official_validation_split_is_named() -> None:
    for val, text in (
        ("official", "the whole official validation split"),
        ({"official": 3}, "3 samples per class of the official validation split"),
        ({"official": "coop"}, "min(K, 4) samples per class of the official validation split"),
    ):
        told = method_of(few_shot(task=SEARCH | {"val": val, "support": "coop"}))
        assert f"- Validation samples: {text}" in told
        assert f"; chosen on {text}" in told


def test_rows_with_other_budgets_are_named() -> None:
    fixed = [{"classifier": "random", "search": None, "selection": "last", "val": None}]
    text = method_of(few_shot(task=SEARCH | {"classifier": "text", "include": fixed}))
    assert re.search(
        r"Search budget: 4 configurations for text[^,]*, 1 configuration \(a fixed recipe\) for "
        r"random", text,
    )  # fmt: skip


def test_recipes_that_vary_are_said_row_by_row() -> None:
    include = [{"classifier": "random", "recipe": {"lr": 3e-4, "epochs": 10}}]
    text = method_of(few_shot(task={"classifier": "text", "include": include, "shots": 1}))
    assert "    - text: epochs 60" in text
    assert "    - random: epochs 10" in text
    recipe = {"lr": [1e-4, 1e-3]}
    report = {"rows": ["classifier", "recipe.lr"]}
    text = method_of(few_shot(task={"recipe": recipe, "report": report, "shots": 1}))
    assert "2 configurations per row; each is reported and none was selected" in text


def test_the_options_of_a_method_are_its_budget() -> None:
    """A method is fitted though it has no recipe."""

    def with_method(cell: Cell) -> Cell:
        none: dict[str, Any] = {"paradigm": None, "classifier": None, "recipe": None}
        search = (("method.alpha", (0.1, 1.0, 10.0)),)
        return replace(cell, method=Choice("tip_adapter"), search=search, val=2, **none)

    task = task_of(classifier="text", include=[], shots=1)
    cells = expand(task)
    results = make_results(task, lambda _: 0.5, cells=cells + [with_method(c) for c in cells])
    text = method_of(results)
    assert "- Method: tip_adapter" in text
    assert "3 configurations for tip_adapter, 1 configuration (a fixed recipe) for text" in text
    assert "nothing is trained" not in text
