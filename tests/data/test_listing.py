"""What a folder holds; and junk, ignored alike by every kind of data set."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.data import coop
from harness.data._listing import entries, folders_in, is_junk, listing, suffix_of

from . import hub_images, sources, videos
from .pictures import picture, read

JUNK = ("__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "._x.png", ".x.jpg", "@eaDir",
        "desktop.ini", "THUMBS.DB")  # fmt: skip
DATA = ("x.png", "x", "_x.png", "__x", "thumbs.png", "macosx")


def add_junk(root: Path, suffix: str, content: bytes = b"no data") -> None:
    """Hidden files, and folders with what may be read by mistake: at every depth of `root`."""
    for folder in [root, *(p for p in root.rglob("*") if p.is_dir())]:
        for name in (".DS_Store", "Thumbs.db", f"._x{suffix}", f".hidden{suffix}"):
            (folder / name).write_bytes(content)
        for name in ("__MACOSX", ".ipynb_checkpoints", ".hidden"):
            (folder / name / "deep").mkdir(parents=True)
            (folder / name / f"x{suffix}").write_bytes(content)
            (folder / name / "deep" / f"x{suffix}").write_bytes(content)


def test_junk_by_name() -> None:
    assert all(is_junk(name) for name in JUNK)
    assert not any(is_junk(name) for name in DATA)


def test_the_content_of_a_folder(tmp_path: Path) -> None:
    for name in ("b/2.PNG", "b/deep/1.png", "a.png", "b/notes.txt", "b/no_suffix"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    add_junk(tmp_path, ".png")
    assert [p.name for p in entries(tmp_path)] == ["a.png", "b"]
    assert [p.name for p in folders_in(tmp_path)] == ["b"]
    every = listing(tmp_path, {".png"})
    assert every.files == [tmp_path / name for name in ("a.png", "b/2.PNG", "b/deep/1.png")]
    assert every.other == {tmp_path / "b/no_suffix": "without a suffix"}
    assert listing(tmp_path / "b", {".png"}, deep=False).files == [tmp_path / "b/2.PNG"]
    with pytest.raises(DataError, match="nowhere cannot be read: No such file"):
        entries(tmp_path / "nowhere")


def test_links_below_a_folder_are_not_followed(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "x.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert [p.name for p in folders_in(tmp_path)] == ["a", "b"]
    assert listing(tmp_path / "b", {".png"}).files == [tmp_path / "b" / "x.png"]


def test_files_are_in_the_order_of_paths(tmp_path: Path) -> None:
    """Folder by folder: '-' and ' ' are before the slash."""
    names = ("a/x.png", "a-b/x.png", "a b/x.png", "a.png", "a/b/x.png", "a/b-c/1.PNG", "é/1.png")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = listing(tmp_path, {".png"})
    assert found.files == sorted(tmp_path / name for name in names)
    assert [tmp_path / name for name in found.names] == found.files


def test_links_that_lead_to_themselves_or_nowhere(tmp_path: Path) -> None:
    for name in ("loop", "loop.png"):
        (tmp_path / name).symlink_to(name)
    (tmp_path / "lost").symlink_to("nothing")
    found = listing(tmp_path, {".png"})
    assert (found.names, folders_in(tmp_path)) == ([], [])
    assert found.special == {tmp_path / "loop.png": "a link that leads nowhere"}
    assert sorted(found.other) == [tmp_path / "loop", tmp_path / "lost"]


def test_suffixes_are_those_of_paths() -> None:
    names = (
        "a.png",
        "a.PNG",
        "a",
        "a.",
        "a..",
        "a.b.png",
        "a.tar.",
        ".png",
        "..png",
        "a b.c d",
        "É.É",
    )
    assert [suffix_of(name) for name in names] == [Path(name).suffix.lower() for name in names]


def test_junk_in_class_folders(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name in ("oak", "elm"):
            picture(tmp_path / split / name / "deep" / "1.png")
            picture(tmp_path / split / name / "2.png")
    before = read(tmp_path)
    add_junk(tmp_path, ".png")
    after = read(tmp_path)
    assert (after.manifest, after.train.ids, after.classes) == (
        before.manifest, before.train.ids, before.classes
    )  # fmt: skip


def test_junk_in_class_folders_without_splits(tmp_path: Path) -> None:
    for name in ("oak", "elm"):
        picture(tmp_path / name / "1.png")
    before = read(tmp_path)
    add_junk(tmp_path, ".png")
    assert (read(tmp_path).manifest, read(tmp_path).classes) == (before.manifest, ("elm", "oak"))


def test_junk_in_an_imagefolder(tmp_path: Path) -> None:
    data = sources.class_folders(tmp_path / "data")
    before = hub_images.read(data)
    add_junk(data, ".png")
    after = hub_images.read(data)
    assert (after.manifest, len(after.train.ids)) == (before.manifest, len(before.train.ids))
    assert after.classes == before.classes


def test_junk_in_the_imagenet_of_coop(tmp_path: Path) -> None:
    root = tmp_path / "imagenet"
    root.mkdir()
    (root / "classnames.txt").write_text("n01 tench\nn02 goldfish\n")
    for split in ("train", "val"):
        for name in ("n01", "n02"):
            picture(root / "images" / split / name / "1.png")
    before = coop.open_dataset(str(root), coop.Options())
    add_junk(root, ".png")
    after = coop.open_dataset(str(root), coop.Options())
    assert (after.manifest, after.test.ids) == (before.manifest, before.test.ids)


def test_junk_among_videos(tmp_path: Path, short: bytes) -> None:
    videos.put(
        tmp_path, [f"{s}/{c}/1.mp4" for s in ("train", "test") for c in ("run", "hop")], short
    )
    before = videos.read(tmp_path)
    add_junk(tmp_path, ".mp4", short)
    after = videos.read(tmp_path)
    assert (after.manifest, after.classes) == (before.manifest, ("hop", "run"))


def test_junk_among_lists_of_videos(tmp_path: Path, short: bytes) -> None:
    root = videos.ucf101(tmp_path / "ucf", short)
    before = videos.read(root)
    for folder in (root, root / "ucfTrainTestlist", root / "__MACOSX"):
        folder.mkdir(exist_ok=True)
        for name in ("._classInd.txt", "._a_test_split1.txt", "._train.csv"):
            (folder / name).write_bytes(b"\x00\x05\x16\x07")
    (root / "__MACOSX" / "a_test_split1.txt").write_bytes(b"\x00\x05\x16\x07")
    assert videos.read(root).manifest == before.manifest


def test_junk_among_extracted_frames(tmp_path: Path) -> None:
    for number in range(8):
        picture(tmp_path / "clip" / f"img_{number:05}.png", (10 * number, 0, 0))
    add_junk(tmp_path, "_00001.png")
    (tmp_path / "test.txt").write_text("clip 8 0\n")
    (tmp_path / "labels.csv").write_text("id,name\n0,run\n")
    data = videos.read(tmp_path)
    assert [f.getpixel((0, 0))[0] for f in data.frames("clip", [1, 7])] == [10, 70]
