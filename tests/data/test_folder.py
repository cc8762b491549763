from pathlib import Path

import pytest
from PIL import Image

from harness.data import folder
from harness.errors import DataError


def picture(path: Path, colour: tuple[int, ...] = (200, 10, 10), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (20, 12), colour).save(path)


def read(root: Path):  # type: ignore[no-untyped-def]
    return folder.open_dataset.__wrapped__(str(root), folder.Options())


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


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "x.png", (0, 0, 0, 0), "RGBA")
    assert read(tmp_path).image("a/x.png").getpixel((3, 3)) == (255, 255, 255)


def test_a_camera_turned_picture_is_turned_back(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees
    (tmp_path / "a").mkdir()
    Image.new("RGB", (20, 12)).save(tmp_path / "a" / "x.jpg", exif=exif)
    assert read(tmp_path).image("a/x.jpg").size == (12, 20)


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
