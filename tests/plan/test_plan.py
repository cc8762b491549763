import time
from pathlib import Path
from typing import Any

import pytest
from conftest import paint

from harness.core.cells import Cell, Choice
from harness.core.errors import BadInput, TaskError
from harness.core.store import Store
from harness.plan.batches import packs
from harness.plan.plan import Plan, Planned, make_plan
from harness.plan.resolve import classes_of
from harness.task.grid import expand
from harness.task.read import validate

BASE: dict[str, Any] = {
    "name": "t",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": [1, 2],
    "classes": {"pick": 10, "from": "development"},
    "encoder": "embedded/lit-emoji",
    "seeds": 2,
}


def planned(tmp_path: Path, **changes: Any) -> Plan:
    return make_plan(expand(validate({**BASE, **changes}, "t.yaml")), Store(tmp_path), "t.yaml")


def test_what_cannot_exist_has_a_reason_and_is_no_cell(tmp_path: Path) -> None:
    plan = planned(tmp_path, classifier=["text", "lda"])
    assert len(plan.cells) == 6
    assert {(c.shots, r) for c, r in plan.infeasible} == {
        (1, "the covariance within classes needs 2 samples of a class")
    }


def test_keys_differ_where_results_may(tmp_path: Path) -> None:
    base = planned(tmp_path)
    others = [
        planned(tmp_path, classes={"pick": 10, "from": "development", "seed": 1}),
        planned(tmp_path, classes={"pick": 11, "from": "development"}),
        planned(tmp_path, recipe={"lr": 1e-3}),
        planned(tmp_path, resolution=96),
        planned(tmp_path, prompt={"name": "template", "text": "a {}"}),
    ]
    keys = [p.key for plan in (base, *others) for p in plan.cells]
    assert len(set(keys)) == len(keys)
    assert [p.key for p in planned(tmp_path, name="other").cells] == [p.key for p in base.cells]


def test_a_key_never_changes_by_accident(tmp_path: Path) -> None:
    """Users' Records hang on it: whoever changes what it is made of raises SCHEMA."""
    plan = planned(tmp_path, shots=1, seeds=1)
    assert plan.cells[0].cell.plain() == {
        "dataset": "emoji",
        "regime": "few_shot",
        "encoder": "embedded/lit-emoji",
        "shots": 1,
        "classes": {"pick": 10, "part": "development"},
        "class_seed": 0,
        "prompt": "class_name",
        "classifier": "text",
        "schedule": "frozen",
        "recipe": {},
        "seed": 0,
    }


def test_cells_that_differ_in_the_test_set_train_once(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        regime="zero_shot",
        shots=None,
        train_classes={"from": "unseen"},
        test_dataset=["emoji_people", "emoji"],
        classes={"from": "unseen"},
        seeds=1,
    )
    assert len({p.key for p in plan.cells}) == 2
    assert len({p.train_key for p in plan.cells}) == 1


def test_training_and_test_classes_are_apart_inside_a_data_set(tmp_path: Path) -> None:
    zero = {"regime": "zero_shot", "shots": None, "train_classes": {"from": "development"}}
    trained, tested = classes_of(planned(tmp_path, **zero, seeds=1).cells[0].cell)
    assert len(trained) == 90
    assert len(tested) == 10
    assert not set(trained) & set(tested)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"shots": 6}, "6 is more than the 5 training samples"),
        ({"classes": {"pick": 101, "from": "development"}}, "101 of the 100 classes"),
        ({"classifier": "txt"}, "Did you mean 'text'"),
        ({"classifier": {"name": "lda", "shrinkag": 1}, "shots": 2}, "shrinkage"),
        ({"dataset": "emojy"}, "Did you mean 'emoji'"),
        ({"encoder": "embeded/lit-emoji"}, "Did you mean 'embedded'"),
        ({"method": "tip_adapter"}, "not built yet"),
        ({"dataset": "emoji_people", "classes": {}}, "training samples"),
        ({"schedule": "released:30", "recipe": {"epochs": 30}}, "after the last epoch"),
    ],
)
def test_what_no_cell_can_have_is_refused(
    tmp_path: Path, changes: dict[str, Any], word: str
) -> None:
    with pytest.raises(BadInput, match=word):
        planned(tmp_path, **changes)


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Did you mean 'unseen'"):
        planned(tmp_path, classes={"from": "unsen"})


def test_a_hundred_thousand_cells_in_ten_seconds(tmp_path: Path) -> None:
    began = time.perf_counter()
    plan = planned(
        tmp_path,
        classifier=["text", "random", "orthogonal", "prototype", "text_rotated"],
        seeds=10_000,
    )
    assert len(plan.cells) == len({p.key for p in plan.cells}) == 100_000
    assert time.perf_counter() - began < 10


def cell(shots: int) -> Planned:
    made = Cell(Choice("emoji"), "few_shot", Choice("e"), shots=shots)
    return Planned(made, f"key{shots}", f"train{shots}")


def test_packs_hold_every_cell_once_longest_first() -> None:
    cells = [cell(k) for k in range(1, 60)]
    made = packs(cells, 2)
    assert sorted(p.key for pack in made for p in pack.cells) == sorted(p.key for p in cells)
    assert [p.seconds for p in made] == sorted((p.seconds for p in made), reverse=True)
    assert len(made) <= 4


def test_few_shots_of_the_pool_are_noted(tmp_path: Path) -> None:
    from harness.plan.plan import notes

    assert notes(planned(tmp_path, shots=4)) == ()
    (note,) = notes(planned(tmp_path, shots=[4, 5]))
    assert "do not vary" in note


def test_errors_name_file_and_key(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"^t\.yaml: shots: "):
        planned(tmp_path, shots=9)


@pytest.mark.parametrize("key", ["dataset", "test_dataset"])
def test_a_class_without_test_pictures_is_told_by_the_plan(tmp_path: Path, key: str) -> None:
    files = {"train/a/1.png": (1, 2, 3), "train/b/1.png": (1, 2, 4), "test/a/1.png": (1, 2, 5)}
    paint(tmp_path / "p", files)
    changes: dict[str, Any] = {"classes": {}, "dataset": f"folder:{tmp_path / 'p'}", "shots": 1}
    if key == "test_dataset":
        changes = {
            "regime": "zero_shot", "shots": None, "train_classes": {"from": "unseen"},
            "test_dataset": changes["dataset"], "classes": {},
        }  # fmt: skip
    with pytest.raises(TaskError, match=rf"^t\.yaml: {key}: class 'b' has no test samples"):
        planned(tmp_path, **changes)
