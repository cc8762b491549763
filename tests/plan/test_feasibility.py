"""Cells that are infeasible have a reason; what no cell of a task can have stops the task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import paint, plan_of

from harness.core.errors import BadInput, TaskError
from harness.core.samples import Items
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
NEEDS_TWO = "the covariance within classes needs 2 samples of a class; covariance: total needs 1"


# --- infeasible ----------------------------------------------------------------------------------


def test_a_plugin_says_why(reason: Why, add_classifier: AddClassifier) -> None:
    name = add_classifier(check=lambda cell, facts: f"{facts.per_class} of {facts.n_classes}")
    assert reason(classifier=name) == "1 of 10", "it trains on one sample of eight"
    assert reason(classifier="lda") == NEEDS_TWO


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


def test_heads_on_frozen_features(reason: Why, elsewhere: Callable[..., str]) -> None:
    own = elsewhere("own_rows", USES=(), build=lambda inputs, options: None)
    assert reason(tuning="head", paradigm=own) == (
        f"paradigm {own} has no head that starts from a classifier"
    )
    zero = ZERO | {"classes": {"pick": 2, "from": "all"}, "train_classes": {}}
    assert reason(tuning="head", classifier="random", **zero) == (
        "a head on frozen features names only the classes that it was trained on"
    )


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
        "recipe.augment: crop needs a tuned backbone (tuning: all, norm, bias or lora), as "
        "features are computed once"
    )


def test_a_text_tower_that_cannot_be_trained(
    reason: Why, task: Task, tmp_path: Path, add_encoder: AddEncoder
) -> None:
    online = {"paradigm": "matching", "text_tower": "online"}
    fixed = add_encoder("fixed", TAKES_CONTEXT=False)
    assert reason(**online, encoder=fixed) == (
        f"text_tower: online: the text tower of {fixed} cannot be trained"
    )
    tunable = add_encoder("tunable", TAKES_CONTEXT=True)
    drawn = {"name": "templates", "texts": ["a {}", "the {}"], "train": "draw"}
    plan = plan_of(task | online, tmp_path, encoder=tunable, prompt=["class_name", drawn])
    assert {c.cell.prompt and c.cell.prompt.name for c in plan.cells} == {"class_name", "templates"}
    assert plan.infeasible == []


def test_a_solver_that_does_not_solve_it(reason: Why, elsewhere: Callable[..., str]) -> None:
    name = elsewhere("picky", accepts=lambda cells: False, solve=lambda problems: [])
    assert reason(recipe={"solver": name}) == (
        f"recipe.solver: {name} does not solve this kind of training"
    )


# --- what stops the task -------------------------------------------------------------------------


def test_all_cells_infeasible(refusal: Why) -> None:
    assert refusal(classifier="lda") == (f"all its cells are infeasible: {NEEDS_TWO}")


def test_more_shots_than_samples(refusal: Why) -> None:
    why = "9 is more than the training samples of any class: each class has 8"
    assert refusal(shots=9) == f"shots: {why}"
    assert refusal(shots=9, few="take_all") == f"shots: {why}", "no class has so many"


def test_a_class_without_training_samples(refusal: Why, add_dataset: AddDataset) -> None:
    name = add_dataset("short", train=items("train", 8, 9))
    why = f"dataset: {name}: 1 of the 10 classes has no training samples: 'class 9'"
    assert refusal(dataset=name, regime="full", shots=None) == why
    assert refusal(dataset=name, regime="full", shots=None, tuning="none") == why
    assert refusal(dataset=name) == why
    assert refusal(dataset=name, few="take_all") == why


def test_a_class_without_test_samples(refusal: Why, add_dataset: AddDataset) -> None:
    name = add_dataset("short", test=items("test", 2, 9))
    assert refusal(dataset=name) == (
        "dataset: 1 of the 10 classes has no test samples, which only regime zero_shot and a "
        "test_dataset allow: 'class 9'"
    )
    short = add_dataset("shorter", test=items("test", 2, 8))
    assert refusal(dataset=short) == (
        "dataset: 2 of the 10 classes have no test samples, which only regime zero_shot and a "
        "test_dataset allow: 'class 8', 'class 9'"
    )


@pytest.mark.parametrize("key", ["dataset", "test_dataset"])
def test_in_zero_shot_some_classes_may_have_no_test_samples(
    refusal: Why, task: Task, tmp_path: Path, add_dataset: AddDataset, key: str
) -> None:
    """They are distractors."""
    short = add_dataset("short", test=items("test", 2, 9))
    plan = plan_of(task, tmp_path, **ZERO, **{key: short})
    assert len(plan.cells) == 1
    assert plan.notes() == (
        f"1 of the 10 classes of {short} has no test samples: others may be mistaken for them, and "
        "mean class accuracy leaves them out: 'class 9'.",
    )
    empty = add_dataset("empty", test=items("test", 0, 10))
    assert refusal(**ZERO, **{key: empty}) == f"{key}: none of its 10 classes has test samples"


def test_a_folder_with_a_class_without_test_pictures(
    refusal: Why, tmp_path: Path, task: Task
) -> None:
    files = {"train/a/1.png": (1, 2, 3), "train/b/1.png": (1, 2, 4), "test/a/1.png": (1, 2, 5)}
    paint(tmp_path / "p", files)
    folder = f"folder:{tmp_path / 'p'}"
    assert refusal(dataset=folder, shots=1) == (
        "dataset: 1 of the 2 classes has no test samples, which only regime zero_shot and a "
        "test_dataset allow: 'b'"
    )
    (cell,) = plan_of(task, tmp_path / "runs", **ZERO, test_dataset=folder).cells
    assert cell.test.class_names == ("a", "b")
    assert cell.test.labels.tolist() == [0]


@pytest.mark.parametrize(
    "regime",
    [{"shots": 1}, {"regime": "full", "shots": None}, ZERO,
     {"regime": "fraction", "shots": None, "fraction": 0.5}, {**ZERO, "train_classes": {}}],
)  # fmt: skip
def test_one_class_only(refusal: Why, regime: dict[str, Any]) -> None:
    why = "is the only class that is tested: the accuracy would always be 100"
    assert refusal(**regime, classes={"pick": 1}) == f"classes: 'class 2' {why}"


def test_one_class_only_in_another_dataset(refusal: Why, tmp_path: Path) -> None:
    paint(tmp_path / "p", {"train/a/1.png": (1, 2, 3), "test/a/1.png": (1, 2, 4)})
    one = f"folder:{tmp_path / 'p'}"
    assert refusal(**ZERO, test_dataset=one) == (
        "test_dataset: 'a' is the only class that is tested: the accuracy would always be 100"
    )
    assert refusal(dataset=one).startswith("classes: 'a' is the only class that is tested")


def test_one_class_only_to_train_on(refusal: Why) -> None:
    zero = {**ZERO, "classes": {"from": "rear"}, "train_classes": {"pick": 1}}
    assert refusal(**zero) == (
        "train_classes: 'class 1' is the only class that is trained on: there is nothing to tell "
        "it apart from"
    )


# --- few: take_all -------------------------------------------------------------------------------


def of_sizes(*sizes: int) -> Items:
    """Items of classes with so many each."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    ids = tuple(f"train{i}" for i in range(len(labels)))
    return Items(ids, labels, np.arange(len(labels)))


SIZES = (8, 1, 8, 3, 8, 8, 8, 8, 8, 8)


@pytest.fixture
def long_tail(add_dataset: AddDataset) -> str:
    """Ten classes, of which 1 has one training sample and 3 has three."""
    return add_dataset("tail", train=of_sizes(*SIZES))


def test_classes_of_few_samples_are_named_and_counted(refusal: Why, long_tail: str) -> None:
    assert refusal(dataset=long_tail, shots=4) == (
        "shots: 2 of the 10 classes have fewer than 4 training samples: 'class 1' (1), 'class 3' "
        "(3); 'few: take_all' takes what there is of them"
    )
    assert refusal(dataset=long_tail, shots=2).startswith(
        "shots: 1 of the 10 classes has fewer than 2 training samples: 'class 1' (1); "
    )


def test_twenty_classes_are_named(refusal: Why, tmp_path: Path) -> None:
    pictures = {f"{use}/c{n:02d}/1.png": (n, 2, n) for use in ("train", "test") for n in range(23)}
    paint(tmp_path / "p", pictures | {"train/c22/2.png": (1, 2, 2)})
    message = refusal(dataset=f"folder:{tmp_path / 'p'}", shots=2)
    assert message.startswith("shots: 22 of the 23 classes have fewer than 2 training samples: ")
    assert "'c19' (1) and 2 more; 'few: take_all'" in message
    assert "c20" not in message


def test_take_all_takes_what_there_is(task: Task, tmp_path: Path, long_tail: str) -> None:
    plan = plan_of(task, tmp_path, dataset=long_tail, shots=[1, 4], few="take_all", seeds=1)
    one, four = (c.support for c in plan.cells)
    assert Counter(one.labels) == dict.fromkeys(range(10), 1)
    assert Counter(four.labels) == {c: min(4, n) for c, n in enumerate(SIZES)}
    assert plan.notes() == (
        f"few: take_all: 2 of the 10 classes of {long_tail} have fewer than 4 training samples; "
        "all are taken: 'class 1' (1), 'class 3' (3).",
    )


def test_take_all_has_no_part_in_a_cell_whose_classes_have_enough(
    task: Task, tmp_path: Path
) -> None:
    (cell,) = plan_of(task, tmp_path, shots=4, seeds=1).cells
    (taken,) = plan_of(task, tmp_path, shots=4, seeds=1, few="take_all").cells
    assert cell.support == taken.support


def test_all_shots_of_all_classes(task: Task, tmp_path: Path, long_tail: str) -> None:
    """The support sets vary as long as a class has more samples than are taken."""
    taken = {"dataset": long_tail, "few": "take_all"}
    most = plan_of(task, tmp_path, **taken, shots=7)
    assert not [note for note in most.notes() if "do not vary" in note]
    assert len({c.support.items for c in most.cells}) == 2
    everything = plan_of(task, tmp_path, **taken, shots=8)
    assert len([note for note in everything.notes() if "do not vary" in note]) == 1
    assert len({c.support.items for c in everything.cells}) == 1


def test_plugins_are_told_the_smallest_class_that_is_taken(
    reason: Why, long_tail: str, add_classifier: AddClassifier
) -> None:
    name = add_classifier(check=lambda cell, facts: f"{facts.per_class}")
    taken = {"dataset": long_tail, "shots": 4, "few": "take_all", "classifier": name}
    assert reason(**taken) == "1"
    assert reason(**taken | {"classifier": "lda"}) == NEEDS_TWO
    fraction = {"regime": "fraction", "shots": None, "fraction": 0.25, "classifier": name}
    assert reason(**fraction) == "2"
    assert reason(regime="full", shots=None, classifier=name) == "8"


SEARCH = {"search": {"recipe.lr": [1e-3]}, "selection": "val"}


def test_a_class_that_validation_leaves_nothing_of(
    task: Task, tmp_path: Path, long_tail: str, add_dataset: AddDataset
) -> None:
    taken = {"few": "take_all", "seeds": 1, **SEARCH}
    plan = plan_of(task, tmp_path, **taken, val=1, include=[{"dataset": long_tail, "shots": 4}])
    assert [why for _, why in plan.infeasible] == [
        "val: 1 leaves no training samples of 'class 1' (1)"
    ]
    sizes = (8, 2, 8, 3, 8, 8, 8, 8, 8, 8)
    enough = add_dataset("enough", train=of_sizes(*sizes))
    plan = plan_of(task, tmp_path, **taken, val=1, dataset=enough, shots=[4, 8])
    assert [why for _, why in plan.infeasible] == ["val: 1 leaves no class with 8 training samples"]
    (cell,) = plan.cells
    assert Counter(cell.support.labels) == {c: min(4, n - 1) for c, n in enumerate(sizes)}
    assert Counter(cell.validation.labels) == dict.fromkeys(range(10), 1)
    assert not set(cell.support.items) & set(cell.validation.items)
    assert plan.notes() == (
        f"few: take_all: 2 of the 10 classes of {enough} have fewer than 4 training samples "
        "beside 1 for validation; all are taken: 'class 1' (1), 'class 3' (2).",
    )


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
    zero |= {"train_classes": {}, "allow": "shared_classes"}
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
