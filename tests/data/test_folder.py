from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.core.errors import DataError
from harness.data import _checked, folder
from harness.sampling.sets import draw_support, draw_validation


def picture(path: Path, colour: tuple[int, ...] = (200, 10, 10), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (20, 12), colour).save(path)


def read(root: Path, **options: Any):  # type: ignore[no-untyped-def]
    return folder.open_dataset.__wrapped__(str(root), folder.Options(**options))


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
    with pytest.raises(DataError, match=r"no split 'test'.*test: val"):
        read(tmp_path)
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


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """Two classes of ten training pictures, of which two and one test picture are none."""
    for label, name in enumerate(("oak", "elm")):
        for split in ("train", "test"):
            for n in range(10):
                picture(tmp_path / "p" / split / name / f"{n}.png", (90 * label, 9 * n, 50))
    for item in ("train/oak/3.png", "train/elm/0.png", "test/oak/9.png"):
        (tmp_path / "p" / item).write_bytes(b"no picture")
    return tmp_path / "p"


def test_a_corrupt_picture_is_told_with_all_others(spoilt: Path) -> None:
    data = read(spoilt)
    with pytest.raises(DataError, match=r"elm/0.png.*3 of the 40 pictures .*oak/3.png.*oak/9.png"):
        data.image("train/elm/0.png")


def test_corrupt_pictures_are_left_out_before_anything_is_drawn(spoilt: Path) -> None:
    data = read(spoilt, max_corrupt=3)
    assert (len(data.train.ids), len(data.test.ids)) == (18, 19)
    assert "train/oak/3.png" not in data.train.ids
    assert "3 of the 40 pictures" in data.notes[0]
    assert "test/oak/9.png" in data.notes[0]
    assert data.manifest != read(spoilt).manifest
    for seed in range(3):
        support = draw_support(data, (0, 1), seed, shots=9)
        assert np.bincount(support.labels).tolist() == [9, 9]
    with pytest.raises(DataError, match=r"3 of the 40 .*max_corrupt: 0.05 allows"):
        read(spoilt, max_corrupt=0.05)


def test_the_check_is_remembered_until_a_file_changes(spoilt: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    looked: list[int] = []
    really = _checked.look
    monkeypatch.setattr(
        _checked, "look", lambda read, items: looked.append(1) or really(read, items)
    )
    assert read(spoilt, max_corrupt=3).notes == read(spoilt, max_corrupt=3).notes
    assert len(looked) == 1
    picture(spoilt / "train" / "oak" / "3.png", (1, 2, 3))
    assert "2 of the 40" in read(spoilt, max_corrupt=3).notes[0]
    assert len(looked) == 2


def test_what_is_remembered_can_be_damaged(spoilt: Path, cache: Path) -> None:
    before = read(spoilt, max_corrupt=3)
    for path in (cache / "corrupt").glob("*.json"):
        path.write_text('{"corrupt": ')
    assert read(spoilt, max_corrupt=3).notes == before.notes


def test_pictures_in_training_and_test_are_noted(tmp_path: Path) -> None:
    for split in ("train", "test"):
        picture(tmp_path / split / "oak" / "1.png")
        picture(tmp_path / split / "elm" / "1.png", (10, 10 * len(split), 10))
    (note,) = read(tmp_path, max_corrupt=1).notes
    assert "1 (test/oak/1.png = train/oak/1.png)" in note


@pytest.mark.parametrize("value", [-1, 1.0, 1.5, float("nan"), "3", None, True])
def test_a_max_corrupt_that_cannot_be(value: object) -> None:
    with pytest.raises(ValueError, match="share below 1"):
        folder.Options(max_corrupt=value)  # type: ignore[arg-type]


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


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "a").mkdir()
    values = np.array([[0, 257, 25700, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "a" / f"x.{suffix}")
    found = np.asarray(read(tmp_path).image(f"a/x.{suffix}"))
    assert found.shape == (1, 4, 3)
    assert found[0, :, 1].tolist() == [0, 1, 100, 255]


def test_whole_numbers_of_32_bits_are_scaled_or_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name, most in (("x", 65535), ("y", 65536)):
        values = np.array([[0, most]], dtype=np.int32)
        Image.fromarray(values).save(tmp_path / "a" / f"{name}.tif")
    assert np.asarray(read(tmp_path).image("a/x.tif"))[0, :, 0].tolist() == [0, 255]
    with pytest.raises(DataError, match=r"a/y\.tif .*65536"):
        read(tmp_path).image("a/y.tif")


def test_floating_point_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.fromarray(np.array([[0.0, 0.5]], dtype=np.float32)).save(tmp_path / "a" / "x.tif")
    with pytest.raises(DataError, match=r"a/x\.tif .*floating"):
        read(tmp_path).image("a/x.tif")
