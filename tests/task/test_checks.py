"""Keys of a task that need each other, or exclude each other: one sentence for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest import TINY, read_like
from pydantic import BaseModel, ConfigDict

from harness.core.errors import TaskError
from harness.task import checks
from harness.task.schema import RecipeModel, Task


class RidgeOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha: float = 1.0
    steps: int = 5


@pytest.fixture
def ridge(elsewhere: Callable[..., str]) -> str:
    """A method with two options."""
    return elsewhere(
        "ridge", USES=("support",), Options=RidgeOptions,
        fit=lambda inputs, options: None, logits=lambda z_ND, state: None,
    )  # fmt: skip


def task(**changes: Any) -> Task:
    return read_like(TINY, **changes)[0]


def refusal(**changes: Any) -> str:
    with pytest.raises(TaskError) as caught:
        task(**changes)
    assert caught.value.file == "task.yaml"
    return str(caught.value).removeprefix("task.yaml: ")


# --- one key by itself ---------------------------------------------------------------------------


def test_a_peril_that_there_is_not() -> None:
    assert refusal(allow="equal_text") == (
        "allow: there is no peril 'equal_text' to accept; allowed: shared_classes, equal_texts, "
        "larger_search. Did you mean 'equal_texts'?"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"search": {"recipe.lr": [1e-3, 1e-2, 0.001]}, "val": 1, "selection": "val"},
         "search.recipe.lr: contains 0.001 twice"),
        ({"loader": {"workers": 100_000}},
         "loader.workers: 100000: input should be less than or equal to 1024"),
        ({"tuning": "head", "schedule": "trained"},
         "schedule: has no meaning for tuning head, which trains W"),
        ({"tuning": ["none", "head"], "paradigm": "vision_only", "save": "last"},
         "save: a linear head on frozen features (vision_only, tuning head) cannot be saved"),
        ({"tuning": {"head": {"bias": False}}},
         "tuning.head.bias: applies only to a linear head (paradigm vision_only)"),
        ({"tuning": {"head": {"onn": "backbone"}}, "paradigm": "vision_only"},
         "tuning.head.onn: there is no such key; allowed: on, normalise, standardise, bias, "
         "start_norm, start_scale. Did you mean 'on'?"),
        ({"tuning": "heads"}, "tuning: 'heads' is not allowed; allowed: none, head, projection, "
         "prompt, norm, bias, lora, all. Did you mean 'head'?"),
        ({"tuning": {"head": {"start_scale": 0}}, "paradigm": "vision_only"},
         "tuning.head.start_scale: 0: must be pretrained, or a number above 0"),
    ],
)  # fmt: skip
def test_heads_on_frozen_features(changes: dict[str, Any], message: str) -> None:
    assert refusal(**changes) == message


def test_keys_that_need_another() -> None:
    assert (
        refusal(few="take_all", regime="full", shots=None)
        == "few: applies only to regime 'few_shot'"
    )
    assert refusal(exclude_shared=True) == "exclude_shared: needs train_classes or test_dataset"


@pytest.mark.parametrize("name", checks.RESERVED)
def test_a_name_that_is_a_folder_of_every_task(name: str) -> None:
    assert refusal(name=name) == f"name: '{name}' is a folder that all tasks share"


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        (0, "0 gives no seed; at least 1 is needed"),
        (-1, "-1 gives no seed; at least 1 is needed"),
        ([], "[] gives no seed; at least 1 is needed"),
        ([3, -1], "-1 is below 0"),
        ([3, 3], "[3, 3] contains a seed twice"),
        (10_001, "10001 is more than 10000"),
    ],
)
def test_seeds(seeds: Any, message: str) -> None:
    assert refusal(seeds=seeds) == f"seeds: {message}"


def test_what_is_not_built_yet_says_so() -> None:
    assert refusal(split="official") == "split: official splits are not built yet"


# --- keys that belong together -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shots": None}, "shots: is needed by regime 'few_shot'"),
        ({"regime": ["few_shot", "fraction"]}, "fraction: is needed by regime 'fraction'"),
        ({"regime": "full"}, "shots: applies only to regime 'few_shot'"),
        ({"fraction": 0.1}, "fraction: applies only to regime 'fraction'"),
        (
            {"test_classes": "new"},
            "test_classes: needs train_classes: which of the classes are base",
        ),
        (
            {"test_classes": "new", "train_classes": {}, "regime": ["zero_shot", "few_shot"]},
            "test_classes: does not apply to regime 'zero_shot': 'full' trains on all samples of "
            "train_classes",
        ),
        (
            {"test_classes": "new", "train_classes": {}, "test_dataset": "emoji"},
            "test_classes: divides the classes of the dataset, and test_dataset is tested with its "
            "own classes: a task has one of the two",
        ),
        (
            {"test_classes": "new", "train_classes": {}, "exclude_shared": True},
            "exclude_shared: has no meaning with test_classes: new classes are never trained on",
        ),
        (
            {"test_classes": "old", "train_classes": {}},
            "test_classes: 'old' is not allowed; allowed: base, new",
        ),
        (
            {"train_classes": {"pick": 2, "seed": 1}},
            "train_classes.seed: is not used: training classes are drawn with classes.seed, or "
            "with class_seed",
        ),
        ({"classes": {}, "class_seed": 1}, "class_seed: applies only with classes.pick"),
        (
            {"classes": {"pick": 2, "seed": 1}, "class_seed": [1]},
            "classes.seed: is set together with class_seed, which gives the seeds of the draw: "
            "remove one",
        ),
        (
            {"embedded": {"relation": "same", "replace": {"shot": 1}}},
            "embedded.replace.shot: there is no such key; allowed: question, dataset, ",
        ),
        (
            {"recipe": {"by": {"txt": {"lr": 1}}}},
            "recipe.by.txt: no classifier, paradigm or tuned part has the name 'txt'; allowed: ",
        ),
        (
            {"recipe": {"by": {"text": {"preset": "lit_emoji"}}}},
            "recipe.by.text: may hold keys of a recipe, but not preset or by",
        ),
        (
            {"recipe": {"by": {"text": {"by": {"text": {}}}}}},
            "recipe.by.text: may hold keys of a recipe, but not preset or by",
        ),
    ],
)
def test_keys_that_need_others(changes: dict[str, Any], message: str) -> None:
    assert refusal(**changes).startswith(message)


@pytest.mark.parametrize("row", ["text", "matching", "a.module", "a.module:plugin"])
def test_names_that_a_row_may_have(row: str) -> None:
    assert task(recipe={"by": {row: {"lr": 1e-3}}}).recipe.by[row].lr == [1e-3]


# --- selection -----------------------------------------------------------------------------------

SEARCH: dict[str, Any] = {"search": {"recipe.lr": [1e-3, 1e-4]}}
ON_VAL: dict[str, Any] = {**SEARCH, "val": 2, "selection": "val"}
ON_TEST: dict[str, Any] = {**SEARCH, "selection": "test", "allow_test_selection": True}


@pytest.mark.parametrize("changes", [{}, ON_VAL, ON_TEST])
def test_what_may_be_selected(changes: dict[str, Any]) -> None:
    assert task(**changes).selection == changes.get("selection", "last")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {**ON_TEST, "allow_test_selection": False},
            "selection: choosing on the test set inflates the reported accuracy: it is refused "
            "without allow_test_selection: true; allowed: last, val",
        ),
        (
            {**ON_VAL, "allow_test_selection": True},
            "allow_test_selection: applies only with selection: test",
        ),
        (
            {**ON_TEST, "val": 2},
            "val: cannot be used with selection: test, which needs no validation samples",
        ),
        ({**ON_TEST, "search": None}, "selection: test: also needs search"),
        ({"val": 2}, "val: also needs search and selection: val"),
        ({"selection": "val"}, "selection: val: also needs search and val"),
        ({**ON_VAL, "val": None}, "search: also needs val"),
        ({**ON_VAL, "selection": "last"}, "search: also needs selection: val"),
        (SEARCH, "search: also needs val and selection: val"),
    ],
)
def test_selection_that_is_half_said(changes: dict[str, Any], message: str) -> None:
    assert refusal(**changes) == message


def test_a_method_may_be_fitted_to_validation_samples(ridge: str) -> None:
    assert task(val=2, method=ridge).val == 2


# --- search --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"recipe.lrr": [1]}, "search.recipe.lrr: cannot be searched; allowed: recipe.lr, "),
        ({"classifier": ["text"]}, "search.classifier: cannot be searched; allowed: recipe.lr, "),
        ({"recipe.lr": []}, "search.recipe.lr: has no values to try"),
        ({"recipe.lr": ["fast"]}, "search.recipe.lr: 'fast': input should be a valid number"),
        ({"recipe.epochs": [0]}, "search.recipe.epochs: 0: input should be greater than 0"),
        ({"method.alpha": [1]}, "search.method.alpha: cannot be searched; allowed: recipe.lr, "),
    ],
)
def test_what_is_no_search(search: dict[str, Any], message: str) -> None:
    assert refusal(**ON_VAL | {"search": search}).startswith(message)


def test_the_nearest_key_of_a_search() -> None:
    assert refusal(**ON_VAL | {"search": {"recipe.lrr": [1]}}).endswith("Did you mean 'recipe.lr'?")


@pytest.mark.parametrize(
    ("recipe", "what"),
    [
        ({"lr": [1e-3, 1e-4]}, "a list under recipe"),
        ({"by": {"text": {"lr": 1e-3}}}, "recipe.by.text"),
    ],
)
def test_what_is_searched_has_no_other_value(recipe: dict[str, Any], what: str) -> None:
    assert refusal(**ON_VAL, recipe=recipe) == (
        f"search.recipe.lr: is searched and also set by {what}: remove one"
    )


def test_options_of_a_method_are_searched(ridge: str) -> None:
    search = {"method.alpha": [0.1, 1.0]}
    assert task(**ON_VAL | {"search": search}, method=ridge).search == search
    assert refusal(**ON_VAL | {"search": {"method.alpa": [1]}}, method=ridge).endswith(
        "method.alpha, method.steps. Did you mean 'method.alpha'?"
    )
    named = {"name": ridge, "alpha": 1.0}
    assert refusal(**ON_VAL | {"search": search}, method=named) == (
        f"search.method.alpha: is searched and also set by method {ridge}(alpha=1.0): remove one"
    )


def test_values_of_a_method_are_checked(ridge: str, elsewhere: Callable[..., str]) -> None:
    """Or every configuration would fail while the study runs."""
    search = {"method.alpha": [0.1, "large"]}
    assert refusal(**ON_VAL | {"search": search}, method=ridge).startswith(
        "search.method.alpha: 'large': input should be a valid number"
    )
    other = elsewhere("other", USES=(), fit=lambda inputs, options: None, logits=lambda z, s: None)
    assert task(**ON_VAL | {"search": {"method.alpha": [0.1]}}, method=[other, ridge]).search


@pytest.mark.parametrize("name", checks.SEARCHED)
def test_every_key_that_may_be_searched(name: str) -> None:
    """Its own default is one of the values that a search may try; None where it has none."""
    values = RecipeModel.model_fields[name].get_default() or [True]
    values = [50 if name == "iterations" else 50.0] if values == [None] else values
    key = f"recipe.{name}"
    assert task(**ON_VAL | {"search": {key: values}}).search == {key: values}
