"""All official splits as one test, and videos that lists say are too short."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from harness.core.errors import DataError

from .videos import put, read, ucf101


def test_every_listed_video_is_tested(tmp_path: Path, short: bytes) -> None:
    root = ucf101(tmp_path, short, splits=3)
    every, first = read(root, split="all"), read(root, split=1)
    assert len(every.train.ids) == 0
    assert set(every.test.ids) == {*first.train.ids, *first.test.ids}
    assert len(every.test.ids) == len(set(every.test.ids)) == 24
    label = dict(zip(first.train.ids, first.train.labels.tolist(), strict=True))
    found = dict(zip(every.test.ids, every.test.labels.tolist(), strict=True))
    assert label.items() <= found.items()
    assert every.classes == first.classes
    assert len(set(every.test.groups.tolist())) == 12
    assert every.manifest != first.manifest


def test_clips_of_no_split_are_tested_where_another_has_them(tmp_path: Path, short: bytes) -> None:
    """HMDB-51 leaves some clips (0) out of a split."""
    for split, use in ((1, "012"), (2, "120"), (3, "201")):
        lines = [f"film{n}_run_x{n}.avi {u}" for n, u in enumerate(use)]
        (tmp_path / f"run_test_split{split}.txt").write_text("\n".join(lines))
    put(tmp_path, [f"hmdb51_org/run/film{n}_run_x{n}.avi" for n in range(3)], short)
    assert len(read(tmp_path, split=1).test.ids) == 1
    assert len(read(tmp_path, split="all").test.ids) == 3


def test_all_splits_must_be_there(tmp_path: Path, short: bytes) -> None:
    with pytest.raises(DataError, match="03"):
        read(ucf101(tmp_path, short, splits=2), split="all")


def frames(root: Path, counts: dict[str, int]) -> Path:
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (32, 24)).save(root / name / f"img_{number + 1:05d}.png")
    for use in ("train", "test"):
        names = [name for name in counts if name.startswith(use)]
        (root / f"{use}.txt").write_text("".join(f"{n} {counts[n]} 0\n" for n in names))
    (root / "labels.csv").write_text("id,name\n0,walk\n")
    return root


def test_videos_that_lists_say_are_short_are_left_out(tmp_path: Path) -> None:
    root = frames(tmp_path, {"train1": 8, "train2": 7, "train3": 3, "test1": 9, "test2": 1})
    data = read(root, leave_out_below=8)
    assert (data.train.ids, data.test.ids) == (("train1",), ("test1",))
    (note,) = data.notes
    assert "fewer than 8 frames: 2 training videos and 1 test videos" in note
    every = read(root)
    assert len(every.train.ids) == 3
    assert not every.notes
    with pytest.raises(DataError, match="train2 is too short: 7 frames"):
        every.length("train2")
    assert read(root, min_frames=1).length("train2") == 7
    assert not read(root, leave_out_below=1).notes


def test_without_counts_nothing_is_left_out(tmp_path: Path, short: bytes) -> None:
    put(tmp_path, ["train/run/1.mp4", "test/run/2.mp4"], short)
    data = read(tmp_path, leave_out_below=100)
    assert (len(data.train.ids), len(data.test.ids)) == (1, 1)
