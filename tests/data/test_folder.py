"""folder: class folders and labels.csv, splits that are not used, and what is said of bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.sampling.sets import draw_support, draw_validation

from . import sources
from .pictures import picture, read


def test_class_folders_with_splits(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name in ("oak_tree", "elm"):
            picture(tmp_path / split / name / "1.png")
    found = read(tmp_path)
    assert found.classes == ("elm", "oak tree")
    assert found.train.ids == ("train/elm/1.png", "train/oak_tree/1.png")
    assert found.test.labels.tolist() == [0, 1]


def test_class_folders_alone_are_all_test(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "x.JPG".lower())
    picture(tmp_path / "b" / "deep" / "y.png")
    found = read(tmp_path)
    assert found.train.ids == ()
    assert found.test.ids == ("a/x.jpg", "b/deep/y.png")


def test_a_labels_csv_with_groups(tmp_path: Path) -> None:
    for name in ("1.png", "2.png", "3.png"):
        picture(tmp_path / name)
    (tmp_path / "labels.csv").write_text(
        "path,label,split,group\n1.png,Oak_tree,train,\n2.png,Oak_tree,test,g1\n3.png,007,test,g1\n"
    )
    found = read(tmp_path)
    assert found.classes == ("007", "Oak_tree")  # as written: no number, no words
    assert found.test.groups.tolist() == [0, 0]
    assert found.train.ids == ("1.png",)


def test_the_manifest_moves_with_the_folder_and_sees_sizes_and_labels(tmp_path: Path) -> None:
    picture(tmp_path / "one" / "a" / "x.png")
    picture(tmp_path / "two" / "a" / "x.png")
    assert read(tmp_path / "one").manifest == read(tmp_path / "two").manifest
    (tmp_path / "two" / "a").rename(tmp_path / "two" / "b")
    assert read(tmp_path / "one").manifest != read(tmp_path / "two").manifest


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("path,label\n1.png,a\n", "no column 'split'"),
        ("path,label,split\n1.png,a,valid\n", "line 2: split 'valid'"),
        ("path,label,split\n1.png,,test\n", "label is empty"),
        ("path,label,split\n9.png,a,test\n", "there is no file"),
        ("path,label,split\n1.png,a,test\n1.png,b,test\n", "listed twice"),
        ("path,label,split\n1.png,Elm,test\n2.png,elm,test\n", "duplicate class names"),
    ],
)
def test_a_csv_that_cannot_be(tmp_path: Path, text: str, reason: str) -> None:
    for name in ("1.png", "2.png"):
        picture(tmp_path / name)
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DataError, match=reason):
        read(tmp_path)


def test_an_empty_class_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture was found"):
        read(tmp_path)
    (tmp_path / "a").mkdir()
    with pytest.raises(DataError, match="class 'a' is empty"):
        read(tmp_path)


def test_a_val_folder_is_kept_apart_and_counted(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        for name in ("oak", "elm"):
            picture(tmp_path / split / name / "1.png")
    found = read(tmp_path)
    assert {i.split("/")[0] for i in found.train.ids} == {"train"}
    assert {i.split("/")[0] for i in found.test.ids} == {"test"}
    assert found.val.ids == ("val/elm/1.png", "val/oak/1.png")
    assert "'val'" in found.notes[0]
    assert found.notes[0].endswith(": 2.")
    (tmp_path / "val" / "elm" / "1.png").unlink()
    (tmp_path / "val" / "elm" / "2.png").write_bytes(b"nobody reads it")
    assert read(tmp_path).manifest == found.manifest


def test_val_can_be_the_test_where_there_is_no_other(tmp_path: Path) -> None:
    for split in ("train", "val"):
        picture(tmp_path / split / "oak" / "1.png")
    assert "no split 'test'" in read(tmp_path).notes[-1]
    assert read(tmp_path).test.ids == ()
    found = read(tmp_path, test="val")
    assert found.test.ids == ("val/oak/1.png",)
    assert found.notes == ()


def test_a_csv_with_val(tmp_path: Path) -> None:
    for name in ("1.png", "2.png", "3.png"):
        picture(tmp_path / name)
    (tmp_path / "labels.csv").write_text(
        "path,label,split\n1.png,oak,train\n2.png,oak,val\n3.png,oak,test\n"
    )
    found = read(tmp_path)
    assert (found.train.ids, found.val.ids, found.test.ids) == (("1.png",), ("2.png",), ("3.png",))


def test_val_alone_is_a_class_of_that_name(tmp_path: Path) -> None:
    picture(tmp_path / "val" / "1.png")
    assert read(tmp_path).classes == ("val",)


def test_the_manifest_sees_splits_and_groups(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        picture(tmp_path / name)
    found = set()
    for rows in ("1.png,a,train,\n2.png,a,test,", "1.png,a,test,\n2.png,a,train,",
                 "1.png,a,train,\n2.png,a,test,g"):  # fmt: skip
        (tmp_path / "labels.csv").write_text(f"path,label,split,group\n{rows}\n")
        found.add(read(tmp_path).manifest)
    assert len(found) == 3


def test_the_order_of_a_csv_decides_no_draw(tmp_path: Path) -> None:
    rows = [f"{n}.png,{'ab'[n % 2]},train" for n in range(12)] + ["12.png,a,test", "13.png,b,test"]
    for n in range(14):
        picture(tmp_path / f"{n}.png")
    found = []
    for order in (rows, rows[::-1]):
        (tmp_path / "labels.csv").write_text("\n".join(["path,label,split", *order]))
        data = read(tmp_path)
        draws = [draw_support(data, (0, 1), s, shots=2) for s in range(5)]
        draws += [draw_validation(data, (0, 1), 0, 2), draw_support(data, (0, 1), 0)]
        found.append((data.manifest, draws))
    assert found[0] == found[1]


def test_a_test_split_that_is_not_tested_is_no_validation_split(tmp_path: Path) -> None:
    root = sources.class_folders(tmp_path / "f", ("train", "test", "val"))
    official = read(root)
    assert official.val is not None
    assert len(official.val.ids) == 6
    assert read(root, test="val").val is None
