"""Layouts of folder: splits by the usual names, one folder too deep, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.data._split_folders import SPELLINGS, found_layout, only_folder

from . import videos
from .pictures import picture, read


def put(root: Path, *paths: str) -> Path:
    for number, path in enumerate(paths):
        picture(root / path, (number, 7 * number, 90))
    return root


def splits(root: Path, *names: str) -> Path:
    """Two classes in every split."""
    return put(root, *(f"{name}/{label}/1.png" for name in names for label in ("oak", "elm")))


@pytest.mark.parametrize("train", ["train", "Train", "TRAIN", "training", "Training"])
@pytest.mark.parametrize("test", ["test", "TEST", "Testing"])
@pytest.mark.parametrize("val", ["val", "Valid", "validation", None])
def test_the_usual_names_of_splits(train: str, test: str, val: str | None, tmp_path: Path) -> None:
    data = read(splits(tmp_path, train, test, *([val] if val else [])))
    assert data.classes == ("elm", "oak")
    assert data.train.ids == (f"{train}/elm/1.png", f"{train}/oak/1.png")
    assert data.test.ids == (f"{test}/elm/1.png", f"{test}/oak/1.png")
    assert data.val.ids == ((f"{val}/elm/1.png", f"{val}/oak/1.png") if val else ())
    assert len(data.notes) == (1 if val else 0)


def test_validation_in_place_of_a_test(tmp_path: Path) -> None:
    root = splits(tmp_path, "Train", "Valid")
    (note,) = [note for note in read(root).notes if "no split" in note]
    assert note.endswith(f"to test on 'val': {{name: folder:{root}, test: val}}.")
    assert read(root, test="val").test.ids == ("Valid/elm/1.png", "Valid/oak/1.png")


def test_spellings_are_of_one_split_each() -> None:
    every = [spelling for spellings in SPELLINGS.values() for spelling in spellings]
    assert len(set(every)) == len(every)
    assert all(name == spellings[0] for name, spellings in SPELLINGS.items())


# --- classes with the name of a split ------------------------------------------------------------


@pytest.mark.parametrize(
    "paths",
    [
        ("bus/1.png", "car/1.png", "train/1.png"),
        ("running/1.png", "training/1.png"),
        ("running/1.png", "training/gym/1.png"),
        ("oak/1.png", "Train/1.png", "Test/1.png"),
        ("val/1.png",),
        ("oak/1.png", "val/1.png", "deep/below/1.png"),
    ],
)
def test_classes_that_have_such_a_name(paths: tuple[str, ...], tmp_path: Path) -> None:
    data = read(put(tmp_path, *paths))
    assert data.train.ids == ()
    assert data.test.ids == tuple(sorted(paths))
    assert set(data.classes) == {path.partition("/")[0] for path in paths}


def test_a_folder_of_one_name_in_every_class(tmp_path: Path) -> None:
    """As in Tiny ImageNet."""
    data = read(put(tmp_path, "train/n01/images/1.png", "train/n02/images/1.png", "test/n01/1.png"))
    assert data.train.ids == ("train/n01/images/1.png", "train/n02/images/1.png")


# --- one folder too deep -------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "Testing", "valid")])
def test_one_folder_too_deep(names: tuple[str, ...], tmp_path: Path) -> None:
    inside = splits(tmp_path / "flowers", *names)
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / ".DS_Store").write_bytes(b"")
    data = read(tmp_path)
    assert data.manifest == read(inside).manifest
    assert data.root == inside
    assert data.notes[0] == f"folder:{tmp_path} holds one folder, flowers/, whose content is read."
    assert data.image(data.test.ids[0]).size == (20, 12)


def test_a_table_one_folder_too_deep(tmp_path: Path) -> None:
    inside = put(tmp_path / "flowers", "1.png", "2.png")
    (inside / "labels.csv").write_text("path,label,split\n1.png,oak,train\n2.png,oak,test\n")
    data = read(tmp_path)
    assert (data.train.ids, data.test.ids) == (("1.png",), ("2.png",))
    assert "flowers/" in data.notes[0]


def test_the_only_folder(tmp_path: Path) -> None:
    assert only_folder(tmp_path) is None
    (tmp_path / "a").mkdir()
    assert only_folder(tmp_path) == tmp_path / "a"
    (tmp_path / "x.txt").write_text("")
    assert only_folder(tmp_path) is None


# --- refused -------------------------------------------------------------------------------------

REFUSED = {
    "two names": (
        ["train/oak/1.png", "Train/oak/1.png", "test/oak/1.png"],
        ["two folders are the split 'train': Train/ and train/", "found: Train/ (oak/), test/"],
    ),
    "two names of val": (
        ["train/oak/1.png", "test/oak/1.png", "val/oak/1.png", "valid/oak/1.png"],
        ["two folders are the split 'val': val/ and valid/"],
    ),
    "classes one folder too deep": (
        ["flowers/oak/1.png", "flowers/elm/1.png"],
        ["folders in place of pictures", "found: flowers/ (elm/, oak/)", "/flowers is meant"],
    ),
    "two levels of classes": (
        ["tree/oak/1.png", "tree/elm/1.png", "herb/rue/1.png"],
        ["folders in place of pictures", "found: herb/ (rue/), tree/ (elm/, oak/)"],
    ),
    "two levels of classes in a split": (
        ["train/tree/oak/1.png", "train/tree/elm/1.png", "test/tree/oak/1.png"],
        ["folders in place of pictures", "found: test/ (tree/), train/ (tree/)"],
    ),
    "two folders too deep": (
        ["a/b/train/oak/1.png", "a/b/test/oak/1.png"], ["folders in place of pictures", "a/ (b/)"]
    ),
    "no class folders": (
        ["train/1.png", "test/1.png"], ["train/ holds pictures and no class folders", "(1.png)"]
    ),
    "Train and Test without class folders": (
        ["Train/1.png", "Test/1.png"], ["Train/ holds pictures and no class folders"]
    ),
    "a test without labels": (
        ["train/oak/1.png", "test/1.png"], ["test/ holds pictures and no class folders"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    paths, says = REFUSED[name]
    with pytest.raises(DataError) as error:
        read(put(tmp_path, *paths))
    message = str(error.value)
    assert f"folder:{tmp_path}" in message
    assert "\n" not in message
    assert len(message) < 600
    for text in says:
        assert text in message


@pytest.mark.parametrize("train", ["train", "Train"])
def test_train_alone_is_opened_for_another_test(tmp_path: Path, train: str) -> None:
    put(tmp_path, f"{train}/oak/1.png")
    data = read(tmp_path)
    assert (data.train.ids, data.test.ids) == ((f"{train}/oak/1.png",), ())
    assert data.notes == (f"folder:{tmp_path} has no split 'test'; found: {train}/ (oak/).",)


def test_a_table_without_test_is_opened_for_another_test(tmp_path: Path) -> None:
    put(tmp_path, "1.png")
    (tmp_path / "labels.csv").write_text("path,label,split\n1.png,oak,train\n")
    assert read(tmp_path).notes[0].endswith("no split 'test'; found: 1.png, labels.csv.")


def test_the_layout_of_a_large_folder_is_short(tmp_path: Path) -> None:
    put(tmp_path, *(f"c{n}/{m}.png" for n in range(9) for m in range(9)))
    (tmp_path / "a").mkdir()
    text = found_layout(tmp_path)
    assert text.startswith("a/ (empty), c0/ (0.png, 1.png, 2.png, ...), c1/")
    assert text.endswith("), ...")
    assert len(text) < 300


# --- noted ---------------------------------------------------------------------------------------


def test_what_is_beside_the_splits_is_noted(tmp_path: Path) -> None:
    root = splits(tmp_path, "train", "test")
    before = read(root)
    put(root, "extra/oak/1.png", "train/2.png", "3.png")
    after = read(root)
    assert after.manifest == before.manifest
    notes = "\n".join(after.notes)
    assert "beside its splits, which are not read: extra." in notes
    assert "in train/ outside of class folders, which are not read: 1." in notes
    assert f"Pictures of {after.reference} outside of class folders, which are not read: 1" in notes


def test_a_test_without_labels_where_val_is_tested(tmp_path: Path) -> None:
    root = put(splits(tmp_path, "train", "val"), "test/1.png")
    assert read(root, test="val").test.ids == ("val/elm/1.png", "val/oak/1.png")


# --- videos --------------------------------------------------------------------------------------


def put_videos(root: Path, content: bytes, *names: str) -> Path:
    videos.put(
        root, [f"{name}/{label}/1.mp4" for name in names for label in ("run", "hop")], content
    )
    return root


@pytest.mark.parametrize(
    ("names", "tested"),
    [(("Train", "TEST"), "TEST"), (("training", "valid"), "valid"), (("val",), "val"),
     (("train", "Test", "validation"), "Test"), (("train", "val"), "val")],
)  # fmt: skip
def test_splits_of_videos(
    names: tuple[str, ...], tested: str, tmp_path: Path, short: bytes
) -> None:
    data = videos.read(put_videos(tmp_path, short, *names))
    assert data.classes == ("hop", "run")
    assert data.test.ids == (f"{tested}/hop/1.mp4", f"{tested}/run/1.mp4")
    assert len(data.train.ids) == (2 if len(names) > 1 else 0)


def test_videos_one_folder_too_deep(tmp_path: Path, short: bytes) -> None:
    inside = put_videos(tmp_path / "clips", short, "Train", "Test")
    (inside / "groups.csv").write_text("path,group\nTest/hop/1.mp4,g\nTest/run/1.mp4,g\n")
    data = videos.read(tmp_path)
    assert data.manifest == videos.read(inside).manifest
    assert data.test.groups.tolist() == [0, 0]
    assert data.notes == (f"video:{tmp_path} holds one folder, clips/, whose content is read.",)
    assert data.length(data.test.ids[0]) == 12


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("train", "Train", "test"), "two folders are the split 'train': Train/ and train/"),
        (("a/b",), r"class folders hold folders in place of videos; found: a/ \(b/\)"),
    ],
)
def test_videos_that_are_refused(
    names: tuple[str, ...], said: str, tmp_path: Path, short: bytes
) -> None:
    with pytest.raises(DataError, match=said):
        videos.read(put_videos(tmp_path, short, *names))


def test_videos_without_a_test_are_opened_for_another(tmp_path: Path, short: bytes) -> None:
    data = videos.read(put_videos(tmp_path, short, "train"))
    assert data.test.ids == ()
    said = "has no split 'test' or 'val'; found: train/ (hop/, run/)."
    assert data.notes == (f"video:{tmp_path} {said}",)


def test_val_of_videos_may_have_other_files_beside_it(tmp_path: Path, short: bytes) -> None:
    root = put_videos(tmp_path, short, "val")
    (root / "README.md").write_text("clips")
    assert videos.read(root).test.ids == ("val/hop/1.mp4", "val/run/1.mp4")


def test_a_class_of_videos_named_like_a_split(tmp_path: Path, short: bytes) -> None:
    videos.put(tmp_path, ["bus/1.mp4", "train/1.mp4"], short)
    assert videos.read(tmp_path).classes == ("bus", "train")


def test_what_is_beside_the_splits_of_videos_is_noted(tmp_path: Path, short: bytes) -> None:
    root = put_videos(tmp_path, short, "train", "test")
    before = videos.read(root)
    videos.put(root, ["extra/run/1.mp4", "train/1.mp4"], short)
    after = videos.read(root)
    assert after.manifest == before.manifest
    assert len(after.notes) == 2
