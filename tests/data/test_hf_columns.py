"""Columns of labels, pictures and groups: every kind that is read, and what is said of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import sources
from .hub_images import Wrong, assert_refused, names, read
from .sources import SPACED


def test_labels_of_every_kind(tmp_path: Path) -> None:
    strings = read(sources.parquet(tmp_path / "strings", kind="string"))
    assert strings.classes == tuple(sorted(sources.NAMES))  # as they are written
    numbers = read(sources.parquet(tmp_path / "numbers", kind="int", label="fine", image="img"),
                   label="fine", image="img")  # fmt: skip
    assert numbers.classes == ("0", "1", "2")
    assert numbers.train.labels.tolist() == [0, 1, 2] * 3


def test_numbers_stand_in_their_order(tmp_path: Path) -> None:
    tables = {}
    for split in ("train", "test"):
        made = sources.table(split, kind="int")
        tables[split] = made.map(
            lambda row: {"label": (2, 10, 1)[row["label"]]},
            new_fingerprint=f"numbers-{split}",
        )
    assert read(sources.saved(tmp_path / "x", **tables)).classes == ("1", "2", "10")


def test_splits_may_number_the_same_classes_otherwise(tmp_path: Path) -> None:
    mixed = tuple(reversed(sources.NAMES))
    root = sources.saved(
        tmp_path / "x", train=sources.table("train"), test=sources.table("test", names=mixed)
    )
    data = read(root)
    assert data.classes == SPACED
    assert data.test.labels[:3].tolist() == [2, 1, 0]


def test_a_declared_class_without_pictures_is_left_out_with_a_note(tmp_path: Path) -> None:
    names = (*sources.NAMES, "gone")
    data = read(sources.parquet(tmp_path / "x", names=names))
    assert data.classes == SPACED
    assert "1 (gone)" in data.notes[0]


def test_a_group_column(tmp_path: Path) -> None:
    tables = {}
    for split in ("train", "test"):
        made = sources.table(split)
        tables[split] = made.add_column(
            "film", ["a", "a", "b", *map(str, range(len(made) - 3))], new_fingerprint=f"g-{split}"
        )
    data = read(sources.saved(tmp_path / "x", **tables), group="film")
    assert data.test.groups[:4].tolist() == [0, 0, 1, 2]


# --- what cannot be -----------------------------------------------------------------------------


def _plain(root: Path) -> None:
    sources.parquet(root)


def _other_strings(root: Path) -> None:
    names = ("red_car", "blue_boat", "gren_bus")
    sources.saved(root, train=sources.table("train", kind="string"),
                  test=sources.table("test", kind="string", names=names))  # fmt: skip


def _other_classes(root: Path) -> None:
    names = ("red_car", "blue_boat", "gren_bus")
    sources.saved(root, train=sources.table("train"), test=sources.table("test", names=names))


def _other_kinds(root: Path) -> None:
    sources.saved(root, train=sources.table("train"), test=sources.table("test", kind="int"))


def _hidden_labels(root: Path) -> None:
    test = sources.table("test").map(lambda _: {"label": -1}, new_fingerprint="hidden")
    sources.saved(root, train=sources.table("train"), test=test)


BAD: list[Wrong] = [
    (_plain, {"image": "img"}, ("column 'img'", "allowed: image, label", "Did you mean 'image'")),
    (_plain, {"image": "label"}, ("'label' holds ClassLabel", "columns of pictures: image")),
    (_plain, {"label": "labels"}, ("column 'labels'", "Did you mean 'label'")),
    (_plain, {"label": "image"}, ("holds Image", "allowed: ClassLabel, strings, integers")),
    (_plain, {"group": "film"}, ("group", "'film'", "image, label")),
    (_other_strings, {}, ("do not match", "'gren_bus' of split 'test'", "Did you mean 'green_bus")),
    (_other_classes, {}, ("do not match", "'green_bus' of split 'train'", "Did you mean 'gren_bu")),
    (_other_kinds, {}, ("do not match", "ClassLabel in split 'train'", "integers in split")),
    (_hidden_labels, {}, ("row 0 of split 'test'", "no label", "-1")),
]  # fmt: skip


@pytest.mark.parametrize("wrong", BAD, ids=names(BAD))
def test_what_is_wrong_is_one_sentence(wrong: Wrong, tmp_path: Path) -> None:
    assert_refused(tmp_path / "d", wrong)
