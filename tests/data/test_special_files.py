"""Files that must not be opened, named like pictures or videos: named, counted, never opened.

A FIFO that is opened blocks for ever: a test that opens one does not end.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.core.text_files import read_text, special
from harness.data import coop
from harness.data._files import bytes_hash
from harness.data._images import open_rgb
from harness.data._listing import listing

from . import hub_images, sources, videos
from .pictures import picture, read


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    # The path of a socket is short: it is bound in its own folder.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def _folder(path: Path) -> None:
    path.mkdir()


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _dangling(path: Path) -> None:
    path.symlink_to("gone.png")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


SPECIAL: dict[str, Callable[[Path], None]] = {
    "a FIFO": _fifo, "a socket": _socket, "a folder": _folder, "a device": _device,
    "a link that leads nowhere": _dangling,
}  # fmt: skip
each = pytest.mark.parametrize(
    ("kind", "make"), [*SPECIAL.items(), ("a link that leads nowhere", _loop)]
)


@each
def test_none_is_opened(kind: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    make(path)
    assert special(path) == kind
    assert listing(tmp_path, {".png"}).special == {path: kind}
    for call in (open_rgb, bytes_hash):
        with pytest.raises(DataError, match=rf"picture .*x\.png cannot be read: it is {kind}"):
            call(path)


def test_regular_files_and_links_to_them_are_not_special(tmp_path: Path) -> None:
    picture(tmp_path / "x.png")
    (tmp_path / "y.png").symlink_to("x.png")
    assert [special(tmp_path / name) for name in ("x.png", "y.png", "nothing")] == ["", "", ""]
    assert open_rgb(tmp_path / "y.png").size == (20, 12)


def test_a_list_that_is_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.txt")
    with pytest.raises(DataError, match=r"x\.txt cannot be read: it is a FIFO"):
        read_text(tmp_path / "x.txt")


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    for split in ("train", "val", "test"):
        for label, name in enumerate(("oak", "elm")):
            for number in range(5):
                colour = (90 * label, 9 * number, len(split))
                picture(tmp_path / split / name / f"{number}.png", colour)
    return tmp_path


@each
def test_in_class_folders(kind: str, make: Callable[[Path], None], classes: Path) -> None:
    before = read(classes)
    make(classes / "train" / "oak" / "x.png")
    with pytest.raises(
        DataError,
        match=rf"1 of the 21 pictures of folder:.* cannot be opened: .*train/oak/x\.png \({kind}\)",
    ):
        read(classes)
    data = read(classes, max_corrupt=1)
    assert data.train.ids == before.train.ids
    assert data.manifest == before.manifest
    assert f"1 of the 21 pictures of {data.reference} (train/oak/x.png ({kind}))" in data.notes[-1]
    (classes / "test" / "elm" / "0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"2 of the 21 .* more than max_corrupt: 0.05 allows"):
        read(classes, max_corrupt=0.05)
    assert len(read(classes, max_corrupt=2).test.ids) == 9


def test_what_is_in_a_folder_that_is_named_like_a_picture_is_left_out_with_it(
    classes: Path,
) -> None:
    picture(classes / "train" / "oak" / "x.png" / "inside.png")
    assert len(read(classes, max_corrupt=1).train.ids) == 10


def test_in_a_split_that_is_not_used(classes: Path) -> None:
    os.mkfifo(classes / "val" / "oak" / "x.png")
    assert len(read(classes).val.ids) == 10


def test_in_a_labels_csv(classes: Path) -> None:
    os.mkfifo(classes / "x.png")
    rows = [f"{split}/oak/0.png,oak,{split}" for split in ("train", "test")]
    (classes / "labels.csv").write_text("\n".join(["path,label,split", *rows, "x.png,oak,test"]))
    with pytest.raises(
        DataError, match=r"1 of the 3 pictures .* cannot be opened: .*x\.png \(a FIFO\)"
    ):
        read(classes)
    assert read(classes, max_corrupt=1).test.ids == ("test/oak/0.png",)


@each
def test_in_coop(kind: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    root = sources.coop(tmp_path)
    lists = json.loads((root / coop._layout()["oxford_pets"]["split"]).read_text())
    item = root / coop._layout()["oxford_pets"]["images"] / lists["train"][0][0]
    item.unlink()
    make(item)

    def opened(limit: int) -> object:
        return coop.open_dataset(str(root), coop.Options(max_corrupt=limit))

    with pytest.raises(DataError, match=rf"1 of the 15 pictures .*\.png \({kind}\)"):
        opened(0)
    assert len(opened(1).train.ids) == 8  # type: ignore[attr-defined]


def test_in_the_imagenet_of_coop(tmp_path: Path) -> None:
    root = tmp_path / "imagenet"
    for split in ("train", "val"):
        picture(root / "images" / split / "n01" / "1.png")
    (root / "classnames.txt").write_text("n01 tench\n")
    os.mkfifo(root / "images" / "val" / "n01" / "x.JPEG")
    with pytest.raises(DataError, match=r"1 of the 3 pictures .*n01/x\.JPEG \(a FIFO\)"):
        coop.open_dataset(str(root), coop.Options())


@each
def test_in_an_imagefolder(kind: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    root = sources.class_folders(tmp_path / "data")
    before = hub_images.read(root)
    make(root / "train" / sources.NAMES[0] / "x.png")
    with pytest.raises(DataError, match=rf"1 of the 16 pictures .*/x\.png \({kind}\)"):
        hub_images.read(root)
    data = hub_images.read(root, max_corrupt=1)
    assert data.train.ids == before.train.ids


def test_in_a_split_of_an_imagefolder_that_is_not_used(tmp_path: Path) -> None:
    root = sources.class_folders(tmp_path / "data", ("train", "test"))
    picture(root / "validation" / sources.NAMES[0] / "1.png")
    os.mkfifo(root / "validation" / sources.NAMES[0] / "x.png")
    assert len(hub_images.read(root).test.ids) == 6


@each
def test_among_videos(
    kind: str, make: Callable[[Path], None], tmp_path: Path, short: bytes
) -> None:
    videos.put(tmp_path, [f"{s}/run/{n}.mp4" for s in ("train", "test") for n in (1, 2)], short)
    make(tmp_path / "train" / "run" / "x.mp4")
    with pytest.raises(
        DataError, match=rf"1 of the 5 videos .* cannot be opened: .*run/x\.mp4 \({kind}\)"
    ):
        videos.read(tmp_path)
    data = videos.read(tmp_path, max_corrupt=1)
    assert data.train.ids == ("train/run/1.mp4", "train/run/2.mp4")
    assert (
        f"1 that cannot be opened and 0 damaged or shorter than 8 frames (train/run/x.mp4 ({kind}))"
        in (data.notes[0])
    )


def test_among_listed_videos(tmp_path: Path, short: bytes) -> None:
    videos.put(tmp_path, ["videos/a.mp4"], short)
    os.mkfifo(tmp_path / "videos" / "x.mp4")
    (tmp_path / "test.txt").write_text("a.mp4 run\nx.mp4 run\ngone.mp4 run\n")
    with pytest.raises(DataError, match=r"2 of the 3 videos .* are not there or cannot be opened"):
        videos.read(tmp_path)
    data = videos.read(tmp_path, max_corrupt=2)
    assert data.test.ids == ("a.mp4",)
    assert "1 not there, 1 that cannot be opened and 0 damaged" in data.notes[0]
    whole = videos.video.open_incomplete(str(tmp_path), videos.video.Options())[0]
    for call in (whole.length, whole.content_hash, whole.read_whole):
        with pytest.raises(DataError, match=r"x\.mp4 cannot be read: it is a FIFO"):
            call("x.mp4")


def test_among_extracted_frames(tmp_path: Path) -> None:
    for number in range(8):
        picture(tmp_path / "clip" / f"{number}.png")
    (tmp_path / "clip" / "3.png").unlink()
    os.mkfifo(tmp_path / "clip" / "3.png")
    (tmp_path / "test.txt").write_text("clip 8 0\n")
    (tmp_path / "labels.csv").write_text("id,name\n0,run\n")
    data = videos.read(tmp_path)
    with pytest.raises(DataError, match=r"3\.png cannot be read: it is a FIFO"):
        data.frames("clip", [3])
    with pytest.raises(DataError, match=r"more than max_corrupt: 0\.5 allows"):
        videos.read(tmp_path, max_corrupt=0.5)
