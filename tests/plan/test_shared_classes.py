"""Classes that a zero-shot cell was trained on: named, left out of training, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Call, WriteTask, paint, plan_of

from harness.core.cell_json import cell_from
from harness.core.errors import TaskError
from harness.core.store import Store
from harness.plan.plan import make_plan
from plan.conftest import AddDataset, AddEncoder
from tests.sampling.toy import items

CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
SHARED = "airplane, automobile, bird, cat, deer, dog, horse, ship"
RECIPE = {"preset": "lit_emoji", "epochs": 1}


def classes(root: Path, names: tuple[str, ...], splits: tuple[str, ...] = ("",)) -> str:
    """One picture of every class and split."""
    paths = [f"{split}{name}/1.png" for split in splits for name in names]
    paint(root, {path: (n % 256, n * 7 % 256, 9) for n, path in enumerate(paths)})
    return f"folder:{root}"


def task(root: Path, names: tuple[str, ...] = CIFAR10, **changes: Any) -> dict[str, Any]:
    """Train on all emoji, test on a folder of these classes."""
    return {
        "name": "shared", "dataset": "emoji", "regime": "zero_shot", "train_classes": {},
        "test_dataset": classes(root, names), "encoder": "embedded/lit-emoji",
        "classifier": "text", "recipe": RECIPE, "seeds": 1,
    } | changes  # fmt: skip


def test_eight_of_the_ten_classes_of_cifar10_are_emoji(tmp_path: Path) -> None:
    plan = plan_of(task(tmp_path / "c"), tmp_path)
    (note,) = plan.notes()
    assert note.startswith("8 of the 10 classes of folder:")
    assert note.endswith(f"trained on under the same name, in emoji: {SHARED}.")


def test_shared_classes_are_left_out_of_training(tmp_path: Path) -> None:
    whole = plan_of(task(tmp_path / "c"), tmp_path).cells[0]
    plan = plan_of(task(tmp_path / "c", exclude_shared=True), tmp_path)
    (cell,) = plan.cells
    (note,) = plan.notes()
    assert note.startswith("exclude_shared: 8 of the 1268 training classes of emoji are left out")
    assert sorted(note.rstrip(".").rpartition(": ")[2].split(", ")) == SHARED.split(", ")
    assert set(whole.setup.trained.names) - set(cell.setup.trained.names) == set(SHARED.split(", "))
    assert cell.setup.tested.names == CIFAR10
    assert cell.support is not None
    assert whole.support is not None
    assert len(cell.support.labels) < len(whole.support.labels)
    assert max(cell.support.labels) == 1268 - 8 - 1  # labels count the classes that are left
    assert cell.train_key != whole.train_key


def test_other_spellings_are_the_same_class(tmp_path: Path) -> None:
    names = ("Cats", "Hot_Dogs", "frog", "knives")
    (note,) = plan_of(task(tmp_path / "c", names), tmp_path).notes()
    assert note.startswith("2 of the 4 classes")
    assert "Cats (trained on as 'cat'), Hot Dogs (trained on as 'hot dog')." in note
    plan = plan_of(task(tmp_path / "c", names, exclude_shared=True), tmp_path)
    assert not {"cat", "hot dog"} & set(plan.cells[0].setup.trained.names)
    assert "dog" in plan.cells[0].setup.trained.names


def test_zero_shot_is_refused_where_every_class_was_trained_on(tmp_path: Path) -> None:
    known = task(tmp_path / "c", ("cat", "Dogs"))
    with pytest.raises(TaskError) as caught:
        plan_of(known, tmp_path)
    assert "train_classes: nothing is zero-shot: all 2 tested classes" in str(caught.value)
    assert "allow: [shared_classes]" in str(caught.value)
    assert "'dog'" in str(caught.value)
    allowed = plan_of(known, tmp_path, allow="shared_classes")
    assert [note[:18] for note in allowed.notes()] == ["2 of the 2 classes"]
    (cell,) = plan_of(known, tmp_path, exclude_shared=True).cells
    assert len(cell.setup.trained.names) == 1266


def test_classes_that_nothing_is_tested_of_do_not_count(
    tmp_path: Path, add_dataset: AddDataset, add_encoder: AddEncoder
) -> None:
    """Toy has the classes 'class 0' to 'class 9'; the other set has a distractor beside two."""
    other = add_dataset(
        "other", classes=("class 1", "class 2", "nothing"), test=items("test", 2, 2)
    )
    known: dict[str, Any] = {"dataset": add_dataset(), "test_dataset": other, "recipe": {},
                             "encoder": add_encoder()}  # fmt: skip
    with pytest.raises(TaskError, match="nothing is zero-shot"):
        plan_of(task(tmp_path / "c"), tmp_path, **known)


def test_what_is_accepted_is_in_no_key(tmp_path: Path) -> None:
    keys = {
        plan_of(task(tmp_path / "c"), tmp_path, allow=allow).cells[0].key
        for allow in ([], ["shared_classes"])
    }
    assert len(keys) == 1


def test_a_cell_that_trains_on_nothing_shares_nothing(tmp_path: Path) -> None:
    plan = plan_of(task(tmp_path / "c", ("cat", "dog"), tuning="none"), tmp_path)
    assert plan.notes() == ()
    assert len(plan.cells) == 1
    same = plan_of(task(tmp_path / "c", ("cat", "dog"), tuning="none"), tmp_path,
                   exclude_shared=True)  # fmt: skip
    assert same.cells[0].key == plan.cells[0].key


def test_nothing_left_to_train_on(tmp_path: Path) -> None:
    data = classes(tmp_path / "t", ("bus", "fly"), ("train/", "test/"))
    known = task(tmp_path / "c", ("buses", "flies", "cat"), dataset=data, exclude_shared=True)
    with pytest.raises(TaskError, match="would leave no class to train on, as all 2 are"):
        plan_of(known, tmp_path)


def test_classes_of_one_data_set(tmp_path: Path) -> None:
    """A file may name classes that are tested; other draws never hold them, but their plurals."""
    data = classes(tmp_path / "t", ("bus", "buses", "cat", "dog", "fly"), ("train/", "test/"))
    tested, trained = tmp_path / "tested.txt", tmp_path / "trained.txt"
    tested.write_text("bus\ncat\n")
    trained.write_text("bus\ncat\ndog\nfly\n")
    both: dict[str, Any] = {"dataset": data, "test_dataset": None, "classes": str(tested)}
    (note,) = plan_of(task(tmp_path / "c"), tmp_path, **both).notes()
    assert "1 of the 2 classes" in note
    assert "bus (trained on as 'buses')" in note
    with pytest.raises(TaskError, match="all 2 tested classes are trained on"):
        plan_of(task(tmp_path / "c"), tmp_path, **both, train_classes=str(trained))
    (cell,) = plan_of(
        task(tmp_path / "c"), tmp_path, **both, train_classes=str(trained), exclude_shared=True
    ).cells
    assert cell.setup.trained.names == ("dog", "fly")


@pytest.mark.parametrize("changes", [{"allow": "shared_classes"}, {"exclude_shared": True}])
def test_a_job_plans_the_same_cells(tmp_path: Path, changes: dict[str, Any]) -> None:
    """A job has the cells from JSON alone."""
    known = task(tmp_path / "c", ("cat", "dog"), **changes)
    cells = plan_of(known, tmp_path).cells
    stored = json.loads(json.dumps([c.cell.plain() for c in cells]))
    again = make_plan([cell_from(plain) for plain in stored], Store(tmp_path)).cells
    assert [c.key for c in again] == [c.key for c in cells]
    assert again[0].setup.trained == cells[0].setup.trained


def test_a_job_refuses_what_the_plan_refuses(tmp_path: Path) -> None:
    (allowed,) = plan_of(
        task(tmp_path / "c", ("cat", "dog"), allow="shared_classes"), tmp_path
    ).cells
    plain = allowed.cell.plain()
    del plain["allow"]
    with pytest.raises(TaskError, match="nothing is zero-shot"):
        make_plan([cell_from(plain)], Store(tmp_path))


def test_the_command_line(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    keys = task(tmp_path / "c", ("cat", "frog")) | {"shots": None, "classes": None}
    ended = cli("plan", tiny(**keys))
    assert ended.code == 0
    assert "  note: 1 of the 2 classes of folder:" in ended.out
    keys["test_dataset"] = classes(tmp_path / "d", ("cat", "dog"))
    ended = cli("plan", tiny(**keys))
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert "nothing is zero-shot" in ended.err
    assert cli("plan", tiny(**keys, allow=["shared_classes"])).code == 0
