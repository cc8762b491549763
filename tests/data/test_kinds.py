"""Kinds of files: read where Pillow can read them, else counted and named, never passed over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from harness.core.errors import DataError
from harness.data import coop
from harness.data._images import EXTENSIONS, open_rgb, picture_suffixes
from harness.data._listing import counts_of, is_document, left_out_note

from . import hub_images, sources, videos
from .pictures import picture, read

READ = [".jfif", ".ppm", ".tga", ".JPE", ".PGM", ".dib", ".Tga"]
READ += [".avif"] if features.check("avif") else []
READ += [".jp2"] if features.check("jpg_2000") else []
NOT_READ = (".heic", ".svg", ".raw", ".eps", ".ps", ".wmf", ".mpg", ".h5", ".pfm", ".pdf", ".mp4")


def test_the_kinds_are_those_of_pillow() -> None:
    suffixes = picture_suffixes()
    assert suffixes >= EXTENSIONS
    assert all(suffix == suffix.lower() for suffix in suffixes)
    assert {suffix.lower() for suffix in READ} <= suffixes
    assert not suffixes.intersection(NOT_READ)


@pytest.mark.parametrize(("kind", "module"), [(".avif", "avif"), (".jp2", "jpg_2000")])
def test_a_kind_is_not_read_without_its_library(
    kind: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "check", lambda name: name != module)
    assert kind not in picture_suffixes.__wrapped__()


@pytest.mark.parametrize("suffix", READ)
def test_pictures_of_every_kind_are_read(suffix: str, tmp_path: Path) -> None:
    grey = suffix == ".PGM"
    for label, name in enumerate(("oak", "elm")):
        colour = (90 + 60 * label,) * 3
        image = Image.new("L" if grey else "RGB", (16, 16), colour[0] if grey else colour)
        (tmp_path / name).mkdir()
        image.save(tmp_path / name / f"1{suffix}")
    data = read(tmp_path)
    assert data.test.ids == (f"elm/1{suffix}", f"oak/1{suffix}")
    assert data.notes == ()
    means = [np.asarray(data.image(item)).mean() for item in data.test.ids]
    assert means == pytest.approx([150, 90], abs=3)


def add_kinds(folder: Path) -> None:
    for name in ("1.heic", "2.HEIC", "3.svg", "no_suffix"):
        (folder / name).write_bytes(b"no picture that is read")
    for name in ("notes.txt", "README", "labels.xml"):
        (folder / name).write_bytes(b"no data")


KINDS = "2 .heic, 1 .svg, 1 without a suffix"


def test_kinds_in_words() -> None:
    assert counts_of([".svg", ".heic", ".avif", ".heic"]) == "2 .heic, 1 .avif, 1 .svg"
    assert left_out_note([], "folder:x") == ()
    (note,) = left_out_note([".heic"], "folder:x")
    assert note == "Left out of folder:x, as files of their kind are not read: 1 .heic."
    assert [is_document(Path(n)) for n in ("a/LICENSE", "x.CSV", "x.heic")] == [True, True, False]


def test_in_class_folders(tmp_path: Path) -> None:
    for split in ("train", "test", "val"):
        picture(tmp_path / split / "oak" / "1.png")
    before = read(tmp_path)
    add_kinds(tmp_path / "train" / "oak")
    (tmp_path / "test" / "oak" / "deep").mkdir()
    (tmp_path / "test" / "oak" / "deep" / "1.heic").write_bytes(b"")
    add_kinds(tmp_path / "val" / "oak")  # not used, so not counted
    after = read(tmp_path)
    assert after.manifest == before.manifest
    assert after.notes[-1] == (
        f"Left out of {after.reference}, as files of their kind are not read: "
        "3 .heic, 1 .svg, 1 without a suffix."
    )


def test_a_class_of_such_kinds_alone_is_empty(tmp_path: Path) -> None:
    picture(tmp_path / "elm" / "1.png")
    (tmp_path / "oak").mkdir()
    add_kinds(tmp_path / "oak")
    with pytest.raises(DataError, match=rf"class 'oak' is empty: .*oak, which holds {KINDS}$"):
        read(tmp_path)


def test_a_link_to_a_folder_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "elm" / "1.png")
    (tmp_path / "elm" / "more").symlink_to(tmp_path)
    assert read(tmp_path).notes[0].endswith("not read: 1 link to a folder.")


def test_in_an_imagefolder(tmp_path: Path) -> None:
    root = sources.class_folders(tmp_path / "data")
    before = hub_images.read(root)
    add_kinds(root / "train" / sources.NAMES[0])
    after = hub_images.read(root)
    assert after.manifest == before.manifest
    assert after.notes == (left_out_note([".heic", ".heic", ".svg", "without a suffix"],
                                         after.reference))  # fmt: skip


def test_what_is_beside_parquet_files_is_not_counted(tmp_path: Path) -> None:
    root = sources.parquet(tmp_path / "data")
    (root / "1.heic").write_bytes(b"")
    assert hub_images.read(root).notes == ()


def test_in_the_imagenet_of_coop(tmp_path: Path) -> None:
    root = tmp_path / "imagenet"
    for split in ("train", "val"):
        picture(root / "images" / split / "n01" / "1.jfif")
    (root / "classnames.txt").write_text("n01 tench\n")
    add_kinds(root / "images" / "val" / "n01")
    data = coop.open_dataset(str(root), coop.Options())
    assert data.test.ids == ("images/val/n01/1.jfif",)
    assert data.notes[-1].endswith(f"not read: {KINDS}.")


def test_frames_of_rarer_kinds_where_there_are_no_others(tmp_path: Path) -> None:
    for number in range(8):
        picture(tmp_path / "clip" / f"{number}.ppm", (10 * number, 0, 0))
    (tmp_path / "test.txt").write_text("clip 8 0\n")
    (tmp_path / "labels.csv").write_text("id,name\n0,run\n")
    assert videos.read(tmp_path).frames("clip", [3])[0].getpixel((0, 0)) == (30, 0, 0)
    for number in range(8):
        picture(tmp_path / "both" / f"{number}.png", (9 * number, 0, 0))
        picture(tmp_path / "both" / f"{number}.ppm")
    (tmp_path / "test.txt").write_text("both 8 0\n")
    assert videos.read(tmp_path).frames("both", [3])[0].getpixel((0, 0)) == (27, 0, 0)


def test_a_picture_of_a_kind_that_is_read_may_still_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "x.tga").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"x\.tga"):
        open_rgb(tmp_path / "x.tga")
