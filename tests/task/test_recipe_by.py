"""`recipe.by`: which entries change a row, and which of them wins."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import read_like

from harness.core.cells import Choice
from harness.core.errors import TaskError
from harness.task.grid import expand
from harness.task.notes import values_of_no_cell
from harness.task.recipe_by import changes_of, names_of_row
from harness.task.schema import RecipeModel

ROW = names_of_row("head", Choice("vision_text"), Choice("text", (("scale", 2),)))
BASE: dict[str, Any] = {
    "name": "t", "dataset": "emoji", "regime": "few_shot", "shots": 1, "seeds": 1,
    "encoder": "embedded/lit-emoji", "tuning": ["head", "projection"],
    "classifier": ["text", "random"],
}  # fmt: skip


def changes(**by: dict[str, Any]) -> dict[str, Any]:
    """What entries change in ROW; `_` is the `/` of a name."""
    entries = {name.replace("__", "/"): values for name, values in by.items()}
    return changes_of(RecipeModel.model_validate({"by": entries}), ROW, "recipe", "t.yaml")


def test_an_entry_is_named_by_a_tuned_part_a_paradigm_a_classifier_or_several() -> None:
    assert changes(head={"lr": 1}, vision_text={"epochs": 2}, text={"batch": 3}) == {
        "lr": [1], "epochs": [2], "batch": [3],
    }  # fmt: skip
    assert changes(head__text={"lr": 1}) == changes(text__head={"lr": 1}) == {"lr": [1]}
    assert changes(random={"lr": 1}, projection={"lr": 1}, projection__text={"lr": 1}) == {}


def test_the_entry_with_more_names_wins_key_by_key() -> None:
    both = changes(head={"lr": 1, "epochs": 5}, text={"lr": 2}, head__text={"lr": 3})
    assert both == {"lr": [3], "epochs": [5]}
    assert changes(head__text={"lr": 2}, head__text__vision_text={"lr": 4}) == {"lr": [4]}


@pytest.mark.parametrize("common", ["", "head__"])
def test_the_classifier_wins_over_the_paradigm(common: str) -> None:
    entries = {f"{common}text": {"lr": 2}, f"{common}vision_text": {"lr": 1}}
    assert changes(**entries) == {"lr": [2]}
    assert changes(**dict(reversed(entries.items()))) == {"lr": [2]}


@pytest.mark.parametrize(
    ("entries", "more"),
    [
        (("head", "text"), "head/text"),
        (("vision_text", "head"), "head/vision_text"),
        (("head__vision_text", "vision_text__text"), "head/vision_text/text"),
        (("text__vision_text", "head__text"), "head/vision_text/text"),
    ],
)
def test_neither_is_more_specific(entries: tuple[str, str], more: str) -> None:
    with pytest.raises(TaskError) as caught:
        changes(**{entry: {"lr": 1} for entry in entries})
    a, b = (entry.replace("__", "/") for entry in entries)
    assert str(caught.value) == (
        f"t.yaml: recipe.by: '{a}' and '{b}' both set lr of rows with tuning head, paradigm "
        "vision_text, classifier text, and neither is more specific: set it in one of them only, "
        f"or in '{more}' as well"
    )
    by: dict[str, Any] = {entry: {"lr": 1} for entry in entries}
    assert changes(**by, **{more.replace("/", "__"): {"lr": 7}}) == {"lr": [7]}


def test_in_a_grid() -> None:
    by = {"head": {"lr": 1e-1}, "head/text": {"lr": 1e-2}, "random": {"epochs": 7}}
    cells = expand(*read_like(BASE, recipe={"lr": 1e-3, "by": by}))
    found = [(c.tuning, str(c.classifier), c.recipe and (c.recipe.lr, c.recipe.epochs))
             for c in cells]  # fmt: skip
    assert found == [
        ("head", "text", (1e-2, 30)), ("projection", "text", (1e-3, 30)),
        ("head", "random", (1e-1, 7)), ("projection", "random", (1e-3, 7)),
    ]  # fmt: skip


def test_a_contradiction_in_a_grid_names_the_file() -> None:
    by = {"head": {"lr": 1}, "text": {"lr": 2}}
    with pytest.raises(TaskError, match=r"^task.yaml: recipe.by: 'head' and 'text' both set lr of"):
        expand(*read_like(BASE, recipe={"by": by}))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("heat", "no classifier, paradigm or tuned part has the name 'heat'; allowed: "),
        ("head/txt", "no classifier, paradigm or tuned part has the name 'txt'; allowed: "),
        ("head/", "no classifier, paradigm or tuned part has the name ''; allowed: "),
        ("text/head", "has the names of 'head/text': make one entry of them"),
    ],
)
def test_entries_that_cannot_be(entry: str, message: str) -> None:
    by = {"head/text": {"lr": 1}, entry: {"epochs": 1}}
    with pytest.raises(TaskError) as caught:
        read_like(BASE, recipe={"by": by})
    assert str(caught.value).startswith(f"task.yaml: recipe.by.{entry}: {message}")


def test_an_entry_that_matches_no_cell_is_named() -> None:
    by = {name: {"lr": 1} for name in ("none", "lda", "all/text", "text/random", "head/random")}
    assert values_of_no_cell(*read_like(BASE, recipe={"by": by})) == [
        f"recipe.by.{name} applies to no cell of this task"
        for name in ("none", "lda", "all/text", "text/random")
    ]
    include = [{"classifier": "lda", "shots": 2}]
    assert values_of_no_cell(*read_like(BASE, recipe={"by": {"lda": {}}}, include=include)) == []
