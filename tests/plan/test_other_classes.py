"""How much is trained on and what is tested are independent: classes, rows, keys and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of

from harness.core.cell_json import cell_from
from harness.core.errors import DataError, TaskError
from harness.core.store import Store
from harness.plan.class_lists import rows_among
from harness.plan.plan import Plan, make_plan
from plan.conftest import AddDataset, AddEncoder
from tests.sampling.toy import items

Task = dict[str, Any]
ALL = tuple(f"class {i}" for i in range(10))
REGIMES: tuple[Task, ...] = (
    {},
    {"regime": "full", "shots": None},
    {"regime": "fraction", "shots": None, "fraction": 0.5},
)


def sets_of(plan: Plan) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    return {(c.setup.trained.names, c.setup.tested.names) for c in plan.cells}


@pytest.fixture
def subset(add_dataset: AddDataset) -> str:
    """Three of the classes in another order and spelling, with test samples only."""
    names = ("Class_7", "class 2", "Class 0")
    return add_dataset("subset", classes=names, test=items("test", 2, 3), train=items("t", 0, 3))


# --- the classes of one data set -----------------------------------------------------------------


@pytest.mark.parametrize("regime", REGIMES)
def test_training_classes_leave_those_out_that_are_tested(
    task: Task, tmp_path: Path, regime: Task
) -> None:
    plan = plan_of(task | regime, tmp_path, classes={"from": "rear"}, train_classes={})
    assert sets_of(plan) == {(ALL[:5], ALL[5:])}
    assert {len(set(c.support.labels)) for c in plan.cells if c.support} == {5}


@pytest.mark.parametrize("regime", REGIMES)
def test_base_and_new_divide_the_classes(task: Task, tmp_path: Path, regime: Task) -> None:
    halves: Task = {"train_classes": "half:0", "test_classes": ["base", "new"]}
    plan = plan_of(task | regime, tmp_path, **halves)
    base, new = (
        {c.setup.tested.names for c in plan.cells if c.cell.test_classes == which}
        for which in ("base", "new")
    )
    (base_names,), (new_names,) = base, new
    assert len(base_names) == len(new_names) == 5
    assert sorted(base_names + new_names) == list(ALL)
    assert {c.setup.trained.names for c in plan.cells} == {base_names}
    assert len({c.train_key for c in plan.cells}) == len({c.cell.seed for c in plan.cells})
    assert len({c.key for c in plan.cells}) == len(plan.cells)


def test_base_classes_are_some_of_the_classes(task: Task, tmp_path: Path) -> None:
    """half:0 of the rear five, and not of all ten."""
    halves: Task = {"classes": {"from": "rear"}, "train_classes": "half:0", "test_classes": "new"}
    ((trained, tested),) = sets_of(plan_of(task, tmp_path, **halves))
    assert len(trained) == 2
    assert sorted(trained + tested) == list(ALL[5:])
    file = tmp_path / "base.txt"
    file.write_text("class 6\nclass 5\n")
    ((trained, tested),) = sets_of(plan_of(task, tmp_path, **halves | {"train_classes": str(file)}))
    assert (trained, tested) == (ALL[5:7], ALL[7:])


def test_the_halves_of_every_class_draw(task: Task, tmp_path: Path) -> None:
    draws: Task = {"classes": {"pick": 6}, "class_seed": [0, 1], "train_classes": "half:0",
                   "test_classes": ["base", "new"]}  # fmt: skip
    plan = plan_of(task, tmp_path, **draws)
    plain = plan_of(task, tmp_path, classes={"pick": 6}, class_seed=[0, 1])
    drawn = {c.cell.class_seed: set(c.setup.tested.names) for c in plain.cells}
    for resolved in plan.cells:
        assert set(resolved.setup.tested.names) < drawn[resolved.cell.class_seed]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"train_classes": {}}, "train_classes: {} picks all 10 classes: no class is new"),
        (
            {"train_classes": {"from": "none"}},
            "train_classes: {'part': 'none'} picks none of the classes: no class is base",
        ),
        (
            {"train_classes": "FILE", "classes": {"from": "rear"}},
            "train_classes: not among the classes that take part: class 1, class 2",
        ),
    ],
)
def test_halves_that_cannot_be(task: Task, tmp_path: Path, keys: Task, message: str) -> None:
    if keys["train_classes"] == "FILE":
        file = tmp_path / "base.txt"
        file.write_text("class 1\nclass 2\nclass 6\n")
        keys = keys | {"train_classes": str(file)}
    with pytest.raises(TaskError) as caught:
        plan_of(task, tmp_path, **keys, test_classes="new")
    assert message in str(caught.value)


# --- another data set ----------------------------------------------------------------------------


@pytest.mark.parametrize("regime", REGIMES)
def test_a_subset_has_the_trained_rows(
    task: Task, tmp_path: Path, subset: str, regime: Task
) -> None:
    plan = plan_of(task | regime, tmp_path, test_dataset=subset)
    assert sets_of(plan) == {(ALL, ("Class_7", "class 2", "Class 0"))}
    assert {c.setup.rows for c in plan.cells} == {(7, 2, 0)}
    (note,) = plan.notes()
    assert note == (
        "All 3 classes of elsewhere.subset that are tested are among the 10 trained on (Class_7 "
        "(trained on as 'class 7'), Class 0 (trained on as 'class 0')). Accuracy is over the 3 "
        "alone."
    )


def test_a_test_set_is_trained_for_once(task: Task, tmp_path: Path, subset: str) -> None:
    own = plan_of(task, tmp_path)
    both = plan_of(task, tmp_path, test_dataset=[task["dataset"], subset])
    nulls = plan_of(task, tmp_path, test_dataset=[None, subset])
    assert [c.key for c in both.cells] == [c.key for c in nulls.cells]
    assert {c.key for c in own.cells} < {c.key for c in both.cells}
    assert {c.train_key for c in own.cells} == {c.train_key for c in both.cells}


def test_zero_shot_replaces_all_rows(task: Task, tmp_path: Path, subset: str) -> None:
    zero: Task = {"regime": "zero_shot", "shots": None, "train_classes": {},
                  "allow": "shared_classes"}  # fmt: skip
    (cell, *_) = plan_of(task, tmp_path, **zero, test_dataset=subset).cells
    assert cell.setup.rows is None
    assert cell.setup.row_names == cell.setup.tested.names


def test_rows_by_spelling_first() -> None:
    assert rows_among(("dog", "dogs", "cat"), ("dogs", "dog")) == (1, 0)
    assert rows_among(("dog", "cat"), ("Cats", "dog")) == (1, 0)
    assert rows_among(("dog", "cat"), ("cat", "cow")) is None
    assert rows_among(("dog", "dogs"), ("Dog", "cow")) is None  # not all, so it does not matter
    with pytest.raises(DataError, match="the tested class 'Dog' may be 'dog' or 'dogs', which"):
        rows_among(("dog", "dogs", "cat"), ("Dog", "cat"))
    with pytest.raises(DataError, match="'dog' and 'Dogs' are both named like 'dog', which is"):
        rows_among(("dog", "cat"), ("dog", "Dogs"))


def test_a_job_plans_the_same_cells(task: Task, tmp_path: Path, subset: str) -> None:
    tasks = (
        plan_of(task, tmp_path, test_dataset=subset),
        plan_of(task, tmp_path, train_classes="half:1", test_classes=["base", "new"]),
    )
    for plan in tasks:
        again = make_plan([cell_from(c.cell.plain()) for c in plan.cells], Store(tmp_path))
        assert [c.key for c in again.cells] == [c.key for c in plan.cells]
        assert [c.train_key for c in again.cells] == [c.train_key for c in plan.cells]


# --- heads that cannot name other classes --------------------------------------------------------

NONE_OF_5 = "none of the 5 tested classes was trained on"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"classifier": "text"}, None),
        ({"classifier": "text_rotated"}, None),
        ({"classifier": "text", "tuning": "none"}, None),
        ({"paradigm": "matching"}, None),
        (
            {"classifier": "text", "schedule": "trained", "recipe": {"epochs": 9}},
            "a trained W names only the classes that it was trained on",
        ),
        (
            {"classifier": "text", "schedule": "released:3", "recipe": {"epochs": 9}},
            "a trained W names only the classes that it was trained on",
        ),
        (
            {"classifier": "text", "tuning": "head"},
            "a head on frozen features names only the classes that it was trained on",
        ),
        (
            {"paradigm": "vision_only"},
            "a random head names only the classes that it was trained on",
        ),
        (
            {"classifier": "prototype"},
            "classifier prototype has rows for the classes trained on only",
        ),
        (
            {"classifier": "random", "tuning": "none"},
            "classifier random has rows for the classes trained on only",
        ),
    ],
    ids=str,
)
def test_heads_and_new_classes(
    task: Task, tmp_path: Path, subset: str, row: Task, reason: str | None
) -> None:
    halves: Task = {"train_classes": "half:0", "test_classes": ["base", "new"]}
    plan = plan_of(task | row, tmp_path, **halves)
    reasons = {why for _, why in plan.infeasible}
    assert reasons == ({f"{reason}, and {NONE_OF_5}"} if reason else set())
    assert {c.test_classes for c, _ in plan.infeasible} <= {"new"}
    # Where all tested classes were trained on, every head has their rows.
    assert plan_of(task | row, tmp_path, test_dataset=subset).infeasible == []


def test_which_classes_were_not_trained_on(
    task: Task, tmp_path: Path, add_dataset: AddDataset
) -> None:
    names = ("class 3", "zebra", "yak")
    other = add_dataset("other", classes=names, test=items("test", 2, 3))
    plan = plan_of(task, tmp_path, test_dataset=[None, other], classifier=["text", "random"])
    assert {why for _, why in plan.infeasible} == {
        "classifier random has rows for the classes trained on only, and 2 of the 3 tested classes "
        "were not trained on: 'zebra', 'yak'"
    }
    text = [c for c in plan.cells if c.cell.test_dataset is not None]
    assert {c.setup.rows for c in text} == {None}
    assert {c.setup.row_names for c in text} == {names}


def test_orthogonal_rows_are_those_of_the_classes_trained_on(
    task: Task, tmp_path: Path, subset: str
) -> None:
    """Ten rows do not fit into four dimensions, though three classes are tested."""
    plan = plan_of(task, tmp_path, test_dataset=subset, classifier=["text", "orthogonal"])
    assert {c.classifier.name for c, _ in plan.infeasible if c.classifier} == {"orthogonal"}


def test_a_class_specific_context_names_only_the_classes_trained_on(
    task: Task, tmp_path: Path, add_encoder: AddEncoder, subset: str
) -> None:
    encoder = add_encoder("tunable", TAKES_CONTEXT=True)
    own = {"name": "learnable", "class_specific": True}
    row: Task = {"encoder": encoder, "classifier": "text", "prompt": ["learnable", own]}
    halves: Task = {"train_classes": "half:0", "test_classes": ["base", "new"]}
    plan = plan_of(task | row, tmp_path, **halves)
    why = f"a class-specific context names only the classes that it was trained on, and {NONE_OF_5}"
    refused = [(str(c.prompt), c.test_classes, why) for c, why in plan.infeasible]
    assert set(refused) == {("learnable(class_specific=True)", "new", why)}
    zero: Task = {"regime": "zero_shot", "shots": None, "classes": {"from": "rear"}}
    plan = plan_of(task | row, tmp_path, train_classes={}, **zero)
    assert {why for _, why in plan.infeasible} == {why}
    # Where all tested classes were trained on, their rows are used.
    assert plan_of(task | row, tmp_path, test_dataset=subset).infeasible == []
