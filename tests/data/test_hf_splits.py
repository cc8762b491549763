"""The splits of a folder of pictures: its folders, whatever below is named like a split."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.data._hf_splits import picture_splits

from . import sources
from .hub_images import read


def put(root: Path, *paths: str) -> Path:
    for number, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(sources.encoded(number % 3, number))
    return root


CLASSES = ("test tube", "train", "validation set")


def test_classes_and_files_that_are_named_like_splits(tmp_path: Path) -> None:
    paths = [f"{split}/{name}/{other}_{n}.png" for split, other in (("train", "test"), (
        "test", "train")) for name in CLASSES for n in range(2)]  # fmt: skip
    data = read(put(tmp_path / "data", *paths))
    assert data.classes == CLASSES
    assert (len(data.train.ids), len(data.test.ids)) == (6, 6)
    assert data.train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert data.notes == ()


def test_classes_alone(tmp_path: Path) -> None:
    paths = [f"{name}/test_{n}.png" for name in ("bus", "car", "train") for n in range(2)]
    data = read(put(tmp_path / "data", *paths), train_split=None, test_split="train")
    assert data.classes == ("bus", "car", "train")
    assert len(data.test.ids) == 6


def test_two_folders_of_one_split_are_refused(tmp_path: Path) -> None:
    root = put(tmp_path, "train/oak/1.png", "Train/oak/2.png", "test/oak/3.png")
    with pytest.raises(DataError, match="two folders are the split 'train': Train/ and train/"):
        read(root)


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("training", "eval"), {"train": "training/**", "test": "eval/**"}),
        (
            ("TRAIN", "Test", "dev"),
            {"train": "TRAIN/**", "test": "Test/**", "validation": "dev/**"},
        ),
        (("oak", "elm"), {"train": "**"}),
    ],
)
def test_names_of_splits(tmp_path: Path, names: tuple[str, ...], splits: dict[str, str]) -> None:
    root = put(tmp_path, *(f"{name}/a/1.png" for name in names))
    assert picture_splits(root, "hf:x") == splits


def test_the_library_finds_the_splits_of_tables_and_of_a_readme(tmp_path: Path) -> None:
    assert picture_splits(sources.parquet(tmp_path / "tables"), "hf:x") is None
    root = put(tmp_path / "described", "train/oak/1.png")
    (root / "README.md").write_text("---\nconfigs: []\n---\n")
    assert picture_splits(root, "hf:x") is None
