"""Cells that are infeasible have a reason; what no cell of a task can have stops the task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import paint, plan_of

from harness.core.errors import BadInput, TaskError
from harness.plan.plan import Plan
from plan.conftest import AddClassifier, AddDataset, AddEncoder
from tests.sampling.toy import items

Task = dict[str, Any]


@pytest.fixture
def reason(task: Task, tmp_path: Path) -> Callable[..., str]:
    """Why the only infeasible row is so, beside one that is feasible."""

    def why(**changes: Any) -> str:
        plan: Plan = plan_of(task | {"seeds": 1}, tmp_path, include=[changes])
        assert len(plan.cells) == 1
        ((cell, why_not),) = plan.infeasible
        assert cell != plan.cells[0].cell
        return why_not

    return why


@pytest.fixture
def refusal(task: Task, tmp_path: Path) -> Callable[..., str]:
    """The error of a task with some keys replaced, without the name of its file."""

    def why(**changes: Any) -> str:
        with pytest.raises(TaskError) as caught:
            plan_of(task, tmp_path, **changes)
        message = str(caught.value)
        assert message.startswith("task.yaml: ")
        return message.removeprefix("task.yaml: ")

    return why


Why = Callable[..., str]
ZERO: dict[str, Any] = {"regime": "zero_shot", "shots": None}


# --- infeasible ----------------------------------------------------------------------------------


def test_a_plugin_says_why(reason: Why, add_classifier: AddClassifier) -> None:
    name = add_classifier(check=lambda cell, facts: f"{facts.per_class} of {facts.n_classes}")
    assert reason(classifier=name) == "8 of 10"
    assert reason(classifier="lda") == ("the covariance within classes needs 2 samples of a class")


def test_any_plugin_of_a_cell_may_say_why(
    reason: Why, add_dataset: AddDataset, add_encoder: AddEncoder
) -> None:
    def check(cell: Any, facts: Any) -> str:
        return f"not with {facts.encoder.dim}"

    assert reason(dataset=add_dataset("picky", check=check)) == "not with 4"
    assert reason(encoder=add_encoder("picky", check=check)) == "not with 4"


def test_a_classifier_made_of_texts_needs_a_text_tower(
    reason: Why, add_encoder: AddEncoder
) -> None:
    why = "the encoder has no text tower: name a text_encoder"
    pictures = add_encoder("pictures", text_dim=None)
    assert reason(encoder=pictures) == why
    assert reason(encoder=pictures, paradigm="matching") == why


def test_zero_shot_has_no_samples_for_a_classifier(reason: Why) -> None:
    why = "there are no training samples in zero-shot"
    assert reason(**ZERO, classifier="prototype") == why
    trained = {"train_classes": {"from": "rear"}, "classes": {"pick": 3}}
    assert reason(**ZERO, **trained, classifier="prototype") == why, "of the test classes"


def test_no_sample_is_left_for_validation(task: Task, tmp_path: Path) -> None:
    search = {"search": {"recipe.lr": [1e-3]}, "selection": "val", "val": 3}
    plan = plan_of(task, tmp_path, **search, shots=[5, 6], seeds=1)
    assert [c.cell.shots for c in plan.cells] == [5]
    assert [(c.shots, why) for c, why in plan.infeasible] == [
        (6, "val: 3 leaves too few of the 8 training samples of a class")
    ]


def test_augmentation_needs_pictures_at_every_step(reason: Why) -> None:
    assert reason(recipe={"augment": "crop"}) == (
        "recipe.augment: crop needs tuning: all, as features are computed once"
    )


def test_a_text_tower_that_cannot_be_trained(reason: Why, add_encoder: AddEncoder) -> None:
    online = {"paradigm": "matching", "text_tower": "online"}
    fixed = add_encoder("fixed", TAKES_CONTEXT=False)
    assert reason(**online, encoder=fixed) == (
        f"text_tower: online: the text tower of {fixed} cannot be trained"
    )
    tunable = add_encoder("tunable", TAKES_CONTEXT=True)
    drawn = {"name": "templates", "texts": ["a {}", "the {}"], "train": "draw"}
    assert reason(**online, encoder=tunable, prompt=drawn) == (
        "text_tower: online: drawn templates use text embeddings computed before training"
    )


def test_a_solver_that_does_not_solve_it(reason: Why, elsewhere: Callable[..., str]) -> None:
    name = elsewhere("picky", accepts=lambda cells: False, solve=lambda problems: [])
    assert reason(recipe={"solver": name}) == (
        f"recipe.solver: {name} does not solve this kind of training"
    )


# --- what stops the task -------------------------------------------------------------------------


def test_all_cells_infeasible(refusal: Why) -> None:
    assert refusal(classifier="lda") == (
        "all its cells are infeasible: the covariance within classes needs 2 samples of a class"
    )


def test_more_shots_than_samples(refusal: Why) -> None:
    assert refusal(shots=9) == "shots: 9 is more than the 8 training samples of a class"


def test_a_class_without_training_samples(refusal: Why, add_dataset: AddDataset) -> None:
    name = add_dataset("short", train=items("train", 8, 9))
    assert refusal(dataset=name, regime="full", shots=None) == (
        f"dataset: {name} has a class without training samples"
    )
    assert refusal(dataset=name) == "shots: 1 is more than the 0 training samples of a class"


def test_a_class_without_test_samples(refusal: Why, add_dataset: AddDataset) -> None:
    name = add_dataset("short", test=items("test", 2, 9))
    why = "class 'class 9' has no test samples"
    assert refusal(dataset=name) == f"dataset: {why}"
    assert refusal(**ZERO, test_dataset=name) == f"test_dataset: {why}"


@pytest.mark.parametrize("key", ["dataset", "test_dataset"])
def test_a_folder_with_a_class_without_test_pictures(
    refusal: Why, tmp_path: Path, key: str
) -> None:
    files = {"train/a/1.png": (1, 2, 3), "train/b/1.png": (1, 2, 4), "test/a/1.png": (1, 2, 5)}
    paint(tmp_path / "p", files)
    changes: dict[str, Any] = {key: f"folder:{tmp_path / 'p'}"}
    changes |= {"dataset": {"shots": 1}, "test_dataset": ZERO}[key]
    assert refusal(**changes) == f"{key}: class 'b' has no test samples"


def test_a_choice_of_classes_that_leaves_none(refusal: Why) -> None:
    one = {"regime": "full", "shots": None, "classes": {"from": "none"}}
    assert refusal(**one) == "classes: {'part': 'none'} leaves no class"


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "released:30", "recipe": {"epochs": 30}},
        {
            "schedule": "released:30", "recipe": {"epochs": 90}, "val": 1, "selection": "val",
            "search": {"recipe.epochs": [60, 30]},
        },
    ],
)  # fmt: skip
def test_a_release_after_the_last_epoch(refusal: Why, changes: dict[str, Any]) -> None:
    assert refusal(**changes) == "schedule: released:30 is after the last epoch"


def test_an_encoder_of_one_resolution(
    refusal: Why, add_encoder: AddEncoder, task: Task, tmp_path: Path
) -> None:
    fixed = add_encoder("fixed", fixed_resolution=True)
    assert refusal(encoder=fixed, resolution=64) == (
        f"resolution: 64: {fixed} reads images of 32 pixels only"
    )
    assert plan_of(task, tmp_path, encoder=fixed, resolution=32).cells


def test_widths_that_differ_need_an_alignment(refusal: Why, add_encoder: AddEncoder) -> None:
    texts = add_encoder("texts", text_dim=6)
    assert refusal(text_encoder=texts) == (
        f"alignment: the text embeddings of {texts} have width 6, the image embeddings of "
        "elsewhere.enc width 4: name an alignment; allowed: least_squares, pad, projection"
    )


def test_clips_and_pictures_in_one_cell(refusal: Why, add_dataset: AddDataset) -> None:
    clips = add_dataset("clips", kind="clips")
    assert refusal(**ZERO, test_dataset=clips) == (
        f"test_dataset: elsewhere.toy and {clips}: one has videos, the other images"
    )


def test_without_the_gather_the_micro_batch_must_be_said(refusal: Why) -> None:
    assert refusal(paradigm="matching", gather=False) == (
        "recipe.micro_batch: is missing: gather: false contrasts the samples of each micro-batch"
    )


def test_a_plugin_may_refuse_the_task(refusal: Why, add_classifier: AddClassifier) -> None:
    def check(cell: Any, facts: Any) -> None:
        raise BadInput("needs a licence")

    assert refusal(classifier=add_classifier(check=check)) == "classifier: needs a licence"


# --- methods -------------------------------------------------------------------------------------


@pytest.fixture
def method(elsewhere: Callable[..., str]) -> Callable[..., str]:
    def add(*uses: str) -> str:
        return elsewhere(
            "_".join(("fitted", *uses)), USES=uses, fit=lambda inputs, options: None,
            logits=lambda z_ND, state: None,
        )  # fmt: skip

    return add


def test_a_method_that_needs_validation_samples(refusal: Why, method: Callable[..., str]) -> None:
    name = method("support", "validation")
    assert refusal(method=name) == f"val: is missing: {name} uses validation samples"


def test_a_method_is_fitted_to_the_test_classes(
    reason: Why, method: Callable[..., str], add_dataset: AddDataset, task: Task, tmp_path: Path
) -> None:
    """Those of another dataset will do, if it has the same classes, as ImageNet-V2 has."""
    zero = {**ZERO, "method": method("support")}
    assert reason(**zero) == "there are no training samples in zero-shot"
    why = "a method needs training samples of the test classes"
    assert reason(**zero, train_classes={"from": "rear"}, classes={"pick": 3}) == why
    zero["train_classes"] = {}
    other = add_dataset("other", classes=tuple("abcdefghij"))
    assert reason(**zero, test_dataset=other) == why
    shifted = plan_of(task, tmp_path, **zero, test_dataset=add_dataset("shifted", manifest="new"))
    assert shifted.infeasible == []
    assert shifted.cells[0].setup.same_classes


def test_a_method_that_reads_texts_needs_a_text_tower(
    reason: Why, method: Callable[..., str], add_encoder: AddEncoder
) -> None:
    images = add_encoder("images", text_dim=None)
    assert reason(method=method("text"), encoder=images) == (
        "the encoder has no text tower: name a text_encoder"
    )
