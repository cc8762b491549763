"""Classes of few samples, and classes that nothing is tested of, from the task to the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Call, WriteTask, paint, records
from precomputed import NAMES, F, npz

#: Training and test pictures of each class.
SIZES = {"oak": (4, 2), "elm": (1, 1), "fir": (3, 1)}


@pytest.fixture
def trees(tmp_path: Path) -> str:
    pictures: dict[str, tuple[int, int, int]] = {}
    for c, (name, sizes) in enumerate(SIZES.items()):
        for use, n in zip(("train", "test"), sizes, strict=True):
            for i in range(n):
                pictures[f"{use}/{name}/{i}.png"] = (80 * c, 40 * i, 100 if use == "test" else 0)
    paint(tmp_path / "trees", pictures)
    return f"folder:{tmp_path / 'trees'}"


def test_take_all(cli: Call, tiny: WriteTask, tmp_path: Path, trees: str) -> None:
    """Trained heads in small batches, and a classifier made of the samples."""
    task = tiny(
        dataset=trees, classes={}, shots=3, few="take_all", seeds=2,
        classifier=["text", "prototype"], recipe={"epochs": 2, "batch": 2},
    )  # fmt: skip
    ended = cli("grid", task)
    assert ended.code == 0, ended
    note = "1 of the 3 classes of "
    assert note in cli("plan", task).out
    found = records(tmp_path / "runs")
    assert {r["status"] for r in found.values()} == {"done"}
    assert {r["diagnostics"]["support_size"] for r in found.values()} == {3 + 1 + 3}
    for record in found.values():
        support = json.loads((tmp_path / "runs/support" / f"{record['support']}.json").read_text())
        assert np.bincount(support["labels"]).tolist() == [1, 3, 3], "elm, fir, oak"
    report = tmp_path / "reports" / "tiny.md"
    assert note in report.read_text()
    assert "fewer than 3 training samples; all are taken: 'elm' (1)." in report.read_text()


def test_without_it_the_classes_are_named(cli: Call, tiny: WriteTask, trees: str) -> None:
    ended = cli("grid", tiny(dataset=trees, classes={}, shots=3))
    assert ended.code == 2
    (error,) = ended.errors()
    assert "1 of the 3 classes has fewer than 3 training samples: 'elm' (1)" in error
    assert "few: take_all" in error


ZERO: dict[str, Any] = {
    "regime": "zero_shot", "shots": None, "classes": {}, "seeds": None, "recipe": None,
    "classifier": None, "tuning": "none",
}  # fmt: skip


def table(root: Path) -> str:
    """A labels.csv whose class `fir` has a training picture alone."""
    rows = {"a.png": "oak,test", "b.png": "elm,test", "c.png": "elm,test", "d.png": "fir,train"}
    paint(root, {name: (60 * i, 9, 9) for i, name in enumerate(rows)})
    lines = [f"{path},{rest}" for path, rest in rows.items()]
    (root / "labels.csv").write_text("\n".join(["path,label,split", *lines]))
    return f"folder:{root}"


def folders(root: Path) -> str:
    paint(root, {f"{path}.png": (60 * i, 9, 9) for i, path in enumerate(
        ["test/oak/a", "test/elm/b", "test/elm/c", "train/fir/d", "train/oak/e"]
    )})  # fmt: skip
    return f"folder:{root}"


@pytest.mark.parametrize("write", [table, folders])
def test_a_distractor_takes_part(cli: Call, tiny: WriteTask, tmp_path: Path, write: Any) -> None:
    dataset = write(tmp_path / "d")
    task = tiny(dataset=dataset, **ZERO)
    ended = cli("grid", task)
    assert ended.code == 0, ended
    (record,) = records(tmp_path / "runs").values()
    assert (record["status"], record["n"], record["diagnostics"]["classes"]) == ("done", 3, 3)
    test = np.load(tmp_path / "runs/tests" / f"{record['test']}.npz")
    assert test["class_names"].tolist() == ["elm", "fir", "oak"]
    assert test["labels"].tolist() in ([2, 0, 0], [0, 0, 2])
    (path,) = (tmp_path / "runs").glob("cells/*/*.npz")
    arrays = np.load(path)
    right = arrays["rank"] == 0
    by_class = [right[test["labels"] == c].mean() for c in (0, 2)]
    assert record["mean_class"] == pytest.approx(np.mean(by_class))
    assert arrays["w_final"].shape[0] == 3, "it is part of the softmax"
    note = f"1 of the 3 classes of {dataset} has no test samples: "
    assert note in cli("plan", task).out
    report = tmp_path / "reports" / "tiny.md"
    assert "1 of the 3 classes of " in report.read_text()


def test_a_distractor_of_precomputed_features(cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    """It has a text and no item at all."""
    names = np.array([*NAMES, "fox"])
    text_TD = np.eye(4, F, dtype=np.float32) + 0.1
    path = npz(tmp_path, class_names=names, text_features=text_TD)
    task = {"dataset": f"features:{path}", "encoder": f"given:{path}"}
    ended = cli("grid", tiny(**task, **ZERO))
    assert ended.code == 0, ended
    (record,) = records(tmp_path / "runs").values()
    assert record["diagnostics"]["classes"] == 4
    few_shot = cli("grid", tiny(**task, classes={}, shots=1))
    assert few_shot.code == 2
    assert (
        "1 of the 4 classes has no test samples, which only regime zero_shot and a test_dataset "
        "allow: 'fox'"
    ) in few_shot.err
