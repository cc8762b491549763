"""Tar shards: what they hold, what is refused, and that they equal the same data as files."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from harness.core import progress
from harness.core.errors import DataError
from harness.core.protocols.dataset import as_clips
from harness.data import _shard_pass, folder, video, webdataset
from harness.data._shard_data import ShardClips
from harness.data._shard_pass import Shard, Wanted

from . import clips, shards
from .shards import data_set, png, read, samples, write

EVERY = {"train": (0, 1), "test": (0, 1)}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "own_cache"))
    return tmp_path / "own_cache"


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every shard that is read from its beginning."""
    seen: list[str] = []
    plain = _shard_pass.pass_over

    def counted(place: str, wanted: Wanted) -> Shard:
        seen.append(place)
        return plain(place, wanted)

    monkeypatch.setattr("harness.data._shard_index.pass_over", counted)
    return seen


# --- what they hold ------------------------------------------------------------------------------


def test_a_folder_of_shards(tmp_path: Path) -> None:
    data = read(data_set(tmp_path / "d"))
    assert data.kind == "pictures"
    assert data.classes == ("red cat", "red dog")
    assert data.train.ids == (
        *(f"train/0/s{n:04}" for n in range(6)), *(f"train/1/s{n:04}" for n in range(6, 10)),
    )  # fmt: skip
    assert data.train.labels.tolist() == [0, 1] * 5
    assert data.test.ids == tuple(f"test/0/s{n:04}" for n in range(100, 104))
    assert len(set(data.train.groups.tolist())) == 10
    for item, number in (("train/0/s0003", 3), ("train/1/s0009", 9), ("test/0/s0101", 101)):
        expected = (number * 37 % 256, number * 91 % 256, number % 256)
        assert data.image(item).getpixel((0, 0)) == expected


@pytest.mark.parametrize("argument", [
    "x-{train-{0..1},val-0}.tar", "x-{train-0,train-1,val-0}.tar", "x-*.tar", "x-{train,val}-?.tar",
    "",
])  # fmt: skip
def test_splits_by_the_names_of_files(tmp_path: Path, argument: str) -> None:
    for name, first in (("x-train-0", 0), ("x-train-1", 4), ("x-val-0", 8)):
        write(tmp_path / "d" / f"{name}.tar", samples(first, 4))
    (tmp_path / "d" / "classnames.txt").write_text("cat\ndog\n")
    data = read(os.path.join(tmp_path / "d", argument))  # noqa: PTH118 - keeps the last slash
    assert len(data.train.ids) == 8
    assert data.train.ids[4] == "x-train-1/s0004"
    assert data.test.ids == tuple(f"x-val-0/s{n:04}" for n in range(8, 12))
    assert data.val is None


def test_leading_zeros_and_shards_without_a_split(tmp_path: Path) -> None:
    for n in range(9, 12):
        write(tmp_path / f"{n:03}.tar", samples(n, 1))
    (tmp_path / "classnames.txt").write_text("cat\ndog\n")
    data = read(f"{tmp_path}/{{009..011}}.tar")
    assert data.test.ids == ("009/s0009", "010/s0010", "011/s0011")
    assert data.train.ids == ()


def test_the_options_name_shards_or_splits(tmp_path: Path) -> None:
    data_set(tmp_path / "d")
    write(tmp_path / "d" / "val" / "0.tar", samples(50, 2))
    (tmp_path / "names.txt").write_text("A\nB\n")
    assert read(tmp_path / "d").val is not None
    data = read(tmp_path / "d", test="val", classes=str(tmp_path / "names.txt"))
    assert (data.test.ids, data.classes) == (("val/0/s0050", "val/0/s0051"), ("A", "B"))
    data = read(tmp_path / "d", train="train/{1..1}.tar", test="test/*.tar")
    assert len(data.train.ids) == 4
    elsewhere = write(tmp_path / "other.tar", samples(70, 2))
    data = read(tmp_path / "d", test=str(elsewhere))
    assert len(data.train.ids) == 10
    assert len(data.test.ids) == 2


def test_labels_as_texts_and_in_json(tmp_path: Path) -> None:
    def label(key: str, **fields: Any) -> tuple[str, bytes]:
        return f"{key}.json", json.dumps(fields).encode()

    members = [("a.png", png(1)), ("a.cls", b"oak \n"), ("a.txt", b"a caption"), ("b.png", png(2)),
               label("b", label="elm", kind="tree"), ("deep/b.png", png(3)),
               label("deep/b", label="oak", kind="shrub")]  # fmt: skip
    write(tmp_path / "t.tar", members)
    data = read(tmp_path)
    assert data.classes == ("elm", "oak")
    assert dict(zip(data.test.ids, data.test.labels.tolist(), strict=True)) == {
        "t/a": 1, "t/b": 0, "t/deep/b": 1,
    }  # fmt: skip
    write(tmp_path / "t.tar", [m for m in members if m[0][:2] != "a."])
    assert read(tmp_path, label="kind").classes == ("shrub", "tree")


def test_one_of_several_pictures_of_a_sample(tmp_path: Path) -> None:
    write(tmp_path / "t.tar", {"a.JPG": png(1), "a.seg.png": png(2), "a.cls": b"x",
                               "b.jpg": png(3), "b.seg.png": png(4), "b.cls": b"y"})  # fmt: skip
    assert read(tmp_path, member="seg.png").image("t/a").getpixel((0, 0)) == (74, 182, 2)
    with pytest.raises(DataError, match=r"sample a of .* several .*\(jpg, seg.png\).*option mem"):
        read(tmp_path)
    with pytest.raises(DataError, match=r"sample a of .* has no mask.png"):
        read(tmp_path, member="mask.png")


def test_what_systems_leave_behind_is_no_sample(tmp_path: Path) -> None:
    write(tmp_path / "t.tar", {"./a.png": png(1), "./._a.png": b"x", "__MACOSX/a.png": b"x",
                               "./a.cls": b"x", "b.png": png(2), "b.cls": b"y"})  # fmt: skip
    assert read(tmp_path).test.ids == ("t/a", "t/b")


# --- as the same data in files -------------------------------------------------------------------


def in_files(data: Any, root: Path) -> Path:
    """The samples of shards as class folders."""
    for split in ("train", "test"):
        items = getattr(data, split)
        for item, label in zip(items.ids, items.labels.tolist(), strict=True):
            path = root / split / data.classes[label] / f"{item.replace('/', '_')}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data._bytes(item))
    return root


def test_pictures_equal_those_of_a_folder(tmp_path: Path) -> None:
    data = read(data_set(tmp_path / "d"))
    files = folder.open_dataset(str(in_files(data, tmp_path / "f")), folder.Options())
    assert data.classes == files.classes
    by_name = {Path(i).stem: i for i in (*files.train.ids, *files.test.ids)}
    for item in (*data.train.ids, *data.test.ids):
        other = by_name[item.replace("/", "_")]
        assert data.fingerprint(item) == files.fingerprint(other)
        assert data.image(item).tobytes() == files.image(other).tobytes()


def test_records_equal_those_of_a_folder(tmp_path: Path) -> None:
    root = data_set(tmp_path / "d")
    in_files(read(root), tmp_path / "f")
    found = []
    for dataset in (f"webdataset:{root}", f"folder:{tmp_path / 'f'}"):
        study = harness.open_study(
            {"name": "same", "dataset": dataset, "regime": "full", "encoder": "embedded/lit-emoji",
             "classifier": "text", "tuning": "none", "seeds": 1},
            runs=tmp_path / "runs",
        )  # fmt: skip
        (cell,) = study.run().plan().cells
        record = study.store.read(cell.key)
        assert record is not None
        assert record.status == "done", record.error
        found.append(
            (record.top1, record.mean_class, record.n, record.measures, record.diagnostics)
        )
    assert found[0] == found[1]


def test_clips_equal_those_of_files(tmp_path: Path, videos: dict[str, Path]) -> None:
    names = ("h264.mp4", "h264.mkv", "mpeg4_b.avi", "vp9.webm")
    members: dict[str, bytes] = {}
    for n, name in enumerate(names):
        content = videos[name].read_bytes()
        members |= {f"{n}.{name.split('.')[1]}": content, f"{n}.cls": f"c{n % 2}".encode()}
        path = tmp_path / "f" / "test" / f"c{n % 2}" / f"{n}_{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    write(tmp_path / "d" / "test.tar", members)
    data, files = read(tmp_path / "d"), video.open_dataset(str(tmp_path / "f"), video.Options())
    assert isinstance(data, ShardClips)
    assert as_clips(data) is not None
    assert data.classes == files.classes
    for item in data.test.ids:
        (other,) = (o for o in files.test.ids if Path(o).name.startswith(item.rpartition("/")[2]))
        assert data.length(item) == files.length(other) == 40
        assert data.fingerprint(item) == files.fingerprint(other)
        assert [clips.number_of(f) for f in data.frames(item, [7, 39, 7])] == [7, 39, 7]
        assert data.read_whole(item).tobytes() == files.read_whole(other).tobytes()
    larger = data.for_pictures(336, 384)
    assert larger.side == 384
    assert larger.content({"test": (0,)}) != data.content({"test": (0,)})


def test_a_clip_that_is_cut_or_too_short_is_named(tmp_path: Path, videos: dict[str, Path]) -> None:
    content = videos["h264.mkv"].read_bytes()
    short = clips.write(tmp_path / "short.mp4", 5).read_bytes()
    write(tmp_path / "d" / "test.tar", {"a.mkv": content[:-1], "a.cls": b"x", "b.mp4": short,
                                        "b.cls": b"y", "c.mp4": b"", "c.cls": b"y",
                                        "e.mkv": content, "e.cls": b"x"})  # fmt: skip
    data = read(tmp_path / "d")
    assert isinstance(data, ShardClips)
    for item, why in (("a", "cut short"), ("b", "too short: 5 frames"), ("c", "is empty")):
        with pytest.raises(DataError, match=f"video test/{item} of webdataset:.*{why}"):
            data.length(f"test/{item}")
    with pytest.raises(DataError, match="has no frame 40: it has 40"):
        data.frames("test/e", [40])
    left = read(tmp_path / "d", max_corrupt=3)
    assert left.test.ids == ("test/e",)
    with pytest.raises(DataError, match="3 of the 4 videos"):
        read(tmp_path / "d", max_corrupt=2)


# --- keys ----------------------------------------------------------------------------------------


def test_every_byte_is_read_once(tmp_path: Path, passes: list[str]) -> None:
    root = data_set(tmp_path / "d")
    first = read(root).content(EVERY)
    assert len(passes) == 3
    assert read(root).content(EVERY) == first
    assert read(f"{root}/").content(EVERY) == first
    assert len(passes) == 3
    assert read(root).unhashed(EVERY).items == 0


def test_the_content_is_that_of_the_bytes_wherever_they_are(tmp_path: Path) -> None:
    one, two = (read(data_set(tmp_path / name)) for name in ("one", "two"))
    assert one.content(EVERY) == two.content(EVERY)
    assert one.manifest == two.manifest
    changed = samples(0, 6) | {"s0000.png": png(77)}
    state = os.stat(tmp_path / "two" / "train" / "0.tar")  # noqa: PTH116
    write(tmp_path / "two" / "train" / "0.tar", changed)
    os.utime(tmp_path / "two" / "train" / "0.tar", ns=(state.st_atime_ns, state.st_mtime_ns))
    again = read(tmp_path / "two")
    assert again.content(EVERY) != one.content(EVERY)
    assert again.content({"train": (1,)}) == one.content({"train": (1,)}), "another class"
    assert again.content({"test": (0, 1)}) == one.content({"test": (0, 1)})


def test_a_changed_label_changes_the_content(tmp_path: Path) -> None:
    before = read(data_set(tmp_path / "d")).content(EVERY)
    write(tmp_path / "d" / "test" / "0.tar", samples(100, 4) | {"s0100.cls": b"1"})
    assert read(tmp_path / "d").content(EVERY) != before


def test_only_a_changed_shard_is_read_again(tmp_path: Path, passes: list[str]) -> None:
    root = data_set(tmp_path / "d")
    read(root)
    passes.clear()
    write(root / "train" / "1.tar", samples(6, 2))
    assert len(read(root).train.ids) == 8
    assert passes == [str(root / "train" / "1.tar")]


def test_an_interrupted_pass_goes_on_with_the_next_shard(
    tmp_path: Path, passes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, told = data_set(tmp_path / "d"), list[tuple[int, int]]()

    def interrupt(_: str, done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with progress.shown_by(interrupt), pytest.raises(KeyboardInterrupt):
        read(root)
    assert (told, len(passes)) == ([(0, 3), (1, 3), (2, 3)], 2)
    with progress.shown_by(lambda _, *at: told.append(at)):
        read(root)
    assert told[3:] == [(0, 1), (1, 1)]
    assert len(passes) == 3


def test_what_is_kept_of_a_shard_may_be_damaged(
    tmp_path: Path, own_cache: Path, passes: list[str]
) -> None:
    root = data_set(tmp_path / "d")
    content = read(root).content(EVERY)
    kept = sorted((own_cache / "shards").iterdir())
    assert len(kept) == 3
    kept[0].write_bytes(kept[0].read_bytes()[:-40])
    kept[1].write_bytes(b"")
    assert read(root).content(EVERY) == content
    assert len(passes) == 5


# --- through fsspec ------------------------------------------------------------------------------


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[str]:
    """The data set on a server that keeps it in memory."""
    import fsspec

    server = fsspec.filesystem("memory")
    data_set(tmp_path / "d")
    for path in (tmp_path / "d").rglob("*.*"):
        server.pipe_file(
            f"/bucket/{path.relative_to(tmp_path / 'd').as_posix()}", path.read_bytes()
        )
    yield "memory://bucket"
    server.rm("/bucket", recursive=True)


@pytest.mark.parametrize("below", ["", "/{train/{0..1},test/0}.tar"])
def test_shards_behind_a_url(bucket: str, below: str, tmp_path: Path, passes: list[str]) -> None:
    data, local = read(bucket + below), read(tmp_path / "d")
    assert data.classes == local.classes
    assert [data.image(i).tobytes() for i in data.train.ids] == [
        local.image(i).tobytes() for i in local.train.ids
    ]
    if not below:
        assert data.train.ids == local.train.ids
        assert data.content(EVERY) == local.content(EVERY)
    passes.clear()
    read(bucket + below)
    assert passes == []


def test_a_changed_shard_behind_a_url_is_read_again(bucket: str, passes: list[str]) -> None:
    import fsspec

    read(bucket)
    passes.clear()
    path = write(Path(os.environ["HARNESS_CACHE"]) / "new.tar", samples(100, 3))
    fsspec.filesystem("memory").pipe_file("/bucket/test/0.tar", path.read_bytes())
    assert len(read(bucket).test.ids) == 3
    assert len(passes) == 1


# --- what is refused -----------------------------------------------------------------------------


def one(place: Path, *members: tuple[str, bytes]) -> Path:
    return write(place / "t.tar", members)


def cut(size: int) -> Callable[[Path], object]:
    def write_cut(root: Path) -> None:
        path = one(root, ("a.png", png(1)), ("a.cls", b"x"), ("b.png", png(2)), ("b.cls", b"y"))
        path.write_bytes(path.read_bytes()[:size])

    return write_cut


def compressed(name: str) -> Callable[[Path], object]:
    def write_compressed(root: Path) -> None:
        content = one(root, ("a.png", png(1)), ("a.cls", b"x")).read_bytes()
        (root / "t.tar").unlink()
        (root / name).write_bytes(gzip.compress(content))

    return write_compressed


def linked(root: Path) -> None:
    with tarfile.open(root / "t.tar", "w") as tar:
        info = tarfile.TarInfo("a.png")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(info)


BAD: Sequence[tuple[str, Callable[[Path], object], str]] = [
    ("no folder", lambda r: r.rmdir(), "there is no shard, a file .*tar"),
    ("no shard", lambda r: (r / "x.txt").write_text("x"), "there is no shard, a file .*tar"),
    ("empty file", lambda r: (r / "t.tar").write_bytes(b""), "t.tar is empty"),
    ("no tar", lambda r: (r / "t.tar").write_bytes(b"x" * 2000), "t.tar is no whole tar archive"),
    ("empty tar", one, "t.tar holds no picture and no video"),
    ("cut in a member", cut(600), "t.tar is .*cut short|t.tar is no whole tar archive"),
    ("cut between members", cut(1024), "t.tar is damaged or cut short"),
    ("cut in a header", cut(1100), "t.tar is damaged or cut short"),
    ("cut before the end", cut(4096), "t.tar is damaged or cut short"),
    ("tar.gz", compressed("t.tar.gz"), "t.tar.gz is compressed.*decompress it to .tar .gunzip"),
    ("gz in tar", compressed("t.tar"), r"t.tar is compressed \(gzip\).*decompress it"),
    ("link", linked, "a.png is a link"),
    ("no label", lambda r: one(r, ("a.png", png(1))), "sample a of .*t.tar has no label"),
    ("empty label", lambda r: one(r, ("a.png", png(1)), ("a.cls", b" ")), "has no label"),
    ("no picture", lambda r: one(r, ("a.cls", b"1")), "sample a of .* a label and no picture"),
    ("two labels", lambda r: one(r, ("a.png", png(1)), ("a.cls", b"x"),
                                 ("a.json", b'{"label": "y"}')),
     "sample a of .* has two labels: 'x' and 'y'"),
    ("label twice", lambda r: one(r, ("a.png", png(1)), ("a.cls", b"x"), ("a.cls", b"x")),
     "t.tar holds a.cls twice"),
    ("key twice", lambda r: one(r, ("a.png", png(1)), ("a.cls", b"x"), ("a.png", png(2))),
     "t.tar holds a.png twice"),
    ("label of bytes", lambda r: one(r, ("a.png", png(1)), ("a.cls", b"\xff\xfe")), "is not UTF-8"),
    ("bad json", lambda r: one(r, ("a.png", png(1)), ("a.json", b"{")), "json cannot be read"),
    ("list", lambda r: one(r, ("a.png", png(1)), ("a.json", b'{"label": [1]}')),
     r"its label \[1\] is neither a number nor a text"),
    ("numbers alone", lambda r: one(r, ("a.png", png(1)), ("a.cls", b"0")),
     "labels are numbers, and there is no classnames.txt.*option classes"),
    ("unknown number", lambda r: (one(r, ("a.png", png(1)), ("a.cls", b"2")),
                                  (r / "classnames.txt").write_text("a\nb\n")),
     "sample t/a of .* has the label '2'; the class names have the numbers 0 to 1"),
    ("unknown name", lambda r: (one(r, ("a.png", png(1)), ("a.cls", b"elk")),
                                (r / "classnames.txt").write_text("elm\noak\n")),
     "sample t/a .* label 'elk'; .* no such name. Did you mean 'elm'"),
    ("empty name", lambda r: (one(r, ("a.png", png(1)), ("a.cls", b"0")),
                              (r / "classnames.txt").write_text("a\n\nb\n")),
     "classnames.txt, line 2 is empty"),
    ("equal names", lambda r: (one(r, ("a.png", png(1)), ("a.cls", b"0")),
                               (r / "classnames.txt").write_text("crane\nCrane\n")),
     "duplicate class names"),
    ("both kinds", lambda r: one(r, ("a.png", png(1)), ("a.cls", b"x"), ("b.mp4", b"v"),
                                 ("b.cls", b"y")),
     r"a video \(b.mp4 in .*\) and a picture \(a.png in .*\): it must be of one kind"),
    ("two splits", lambda r: write(r / "train-and-val-0.tar", samples(0, 1)),
     "has the names of two splits"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_messy_input_is_refused_in_one_sentence(
    make: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    root = tmp_path / "d"
    root.mkdir()
    make(root)
    with pytest.raises(DataError, match=message) as caught:
        read(root)
    assert "\n" not in str(caught.value)


def test_a_wrong_number_blames_no_other(tmp_path: Path) -> None:
    root = data_set(tmp_path / "d")
    write(root / "test" / "1.tar", [("a.png", png(1)), ("a.cls", b"-1")])
    with pytest.raises(DataError) as caught:
        read(root)
    assert str(caught.value) == (
        f"sample test/1/a of webdataset:{root} has the label '-1'; the class names have the "
        "numbers 0 to 1"
    )


def test_damaged_shards_are_told_in_one_go(tmp_path: Path) -> None:
    root = data_set(tmp_path / "d")
    (root / "train" / "1.tar").write_bytes(b"")
    (root / "test" / "0.tar").write_bytes(b"<html>" * 200)
    with pytest.raises(DataError, match="2 problems") as caught:
        read(root)
    assert f"shard {root}/train/1.tar is empty" in str(caught.value)
    assert f"shard {root}/test/0.tar is no whole tar archive" in str(caught.value)


@pytest.mark.parametrize(("argument", "message"), [
    ("", "needs shards, as in webdataset:"),
    ("pipe:cat x.tar", "commands are not run"),
    ("{root}/train/{0..3}.tar", r"no shard .*train/2.tar: 2 of the 4 shards of .* missing"),
    ("{root}/train/{0}.tar", "neither {FIRST..LAST} nor {a,b}"),
    ("{root}/train/{0..99999999}.tar", "means 100000000 shards"),
    ("{root}/x*.tar", r"there is no shard .*x\*.tar"),
    ("nowhere://x/a.tar", "cannot be read"),
    ("memory://nowhere/a.tar", "there is no shard memory://nowhere/a.tar"),
])  # fmt: skip
def test_shards_that_cannot_be_found(argument: str, message: str, tmp_path: Path) -> None:
    root = data_set(tmp_path / "d")
    with pytest.raises(DataError, match=message):
        read(argument.replace("{root}", str(root)))


@pytest.mark.parametrize(("options", "message"), [
    ({"test": "val"}, "there are no shards of 'val'"),
    ({"test": "nothing-{0..2}.tar"}, "there is no shard .*nothing-0.tar"),
    ({"test": "train/0.tar"}, "shard .*train/0.tar is of two splits"),
    ({"classes": "nowhere.txt"}, "option classes: there is no file .*nowhere.txt"),
    ({"label": "colour"}, "has no label: no a field 'colour' in its json"),
])  # fmt: skip
def test_options_that_fit_nothing(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read(data_set(tmp_path / "d"), **options)


def test_a_shard_that_shrinks_under_a_reader(tmp_path: Path) -> None:
    data = read(data_set(tmp_path / "d"))
    (tmp_path / "d" / "test" / "0.tar").write_bytes(b"x")
    with pytest.raises(DataError, match="is shorter than it was"):
        data.image(data.test.ids[0])


def test_pictures_that_cannot_be_read(tmp_path: Path) -> None:
    members = samples(100, 4) | {"s0101.png": png(101)[:40]}
    root = data_set(tmp_path / "d")
    write(root / "test" / "0.tar", members)
    data = read(root)
    with pytest.raises(
        DataError, match=r"picture test/0/s0101 of webdataset:.* is not a picture .*; 1 of the 14"
    ):
        data.image("test/0/s0101")
    assert len(read(root, max_corrupt=1).test.ids) == 3


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    for n in range(3):
        write(tmp_path / f"{n}.tar", {"a.png": png(n), "a.cls": str(n + 5).encode()})
    (tmp_path / "classnames.txt").write_text("a\nb\n")
    data, missing = webdataset.open_incomplete(str(tmp_path), webdataset.Options())
    assert (len(data.problems), missing) == (3, [])
    assert data.test.ids == ()


def test_members_are_found_by_their_place_alone(tmp_path: Path) -> None:
    data = read(data_set(tmp_path / "d"))
    assert data.members is not None
    assert np.all(np.diff(data.members.key_N.astype(object)) > 0)
    everything = [*data.train.ids, *data.test.ids]
    hashes = data.item_hashes(everything[::-1])
    assert [bytes(h).hex() for h in hashes] == [data.content_hash(i) for i in everything[::-1]]
    assert shards.png(3) == data.members.content("train/0/s0003")
    assert io.BytesIO(data.members.content("test/0/s0103")).read(4) == b"\x89PNG"
