"""Pictures and videos that cannot be read: counted, named, left out where that is declared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import DataError
from harness.data import _decode, _max_corrupt, folder
from harness.sampling.sets import draw_support

from .pictures import picture, read
from .videos import put, spoiled
from .videos import read as video_at


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


def test_the_outcome_is_kept_until_a_file_changes(
    spoilt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans: list[int] = []
    scan = _max_corrupt.scan
    monkeypatch.setattr(
        _max_corrupt, "scan", lambda read, items: scans.append(1) or scan(read, items)
    )
    assert read(spoilt, max_corrupt=3).notes == read(spoilt, max_corrupt=3).notes
    assert len(scans) == 1
    picture(spoilt / "train" / "oak" / "3.png", (1, 2, 3))
    assert "2 of the 40" in read(spoilt, max_corrupt=3).notes[0]
    assert len(scans) == 2


def test_what_is_kept_can_be_damaged(spoilt: Path, cache: Path) -> None:
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


@pytest.mark.parametrize(
    ("limit", "items", "allowed"), [(3, 100, 3), (0.29, 100, 29), (0.05, 40, 2), (0.9, 1, 0)]
)
def test_a_share_is_rounded_down(limit: float, items: int, allowed: int) -> None:
    assert _max_corrupt._allowed(limit, items) == allowed


# --- videos --------------------------------------------------------------------------------------


def test_bad_videos_are_left_out_and_told(tmp_path: Path, short: bytes) -> None:
    root = spoiled(tmp_path, short)
    data = video_at(root, max_corrupt=0.25)
    assert len(data.train.ids) == 8
    assert data.test.ids == ("test/run/a.mp4",)
    note = data.notes[0]
    assert "3 of the 12 videos" in note
    assert "train/run/3.mp4, train/run/7.mp4, test/run/b.mp4" in note
    assert "0 not there and 3 damaged or shorter than 8 frames" in note
    assert data.manifest != video_at(root).manifest
    with pytest.raises(DataError, match=r"3 of the 12 videos .* more than max_corrupt: 2 allows"):
        video_at(root, max_corrupt=2)


def test_videos_that_are_not_there_count_as_well(tmp_path: Path, short: bytes) -> None:
    put(tmp_path, ["videos/a.mp4", "videos/b.mp4"], short)
    (tmp_path / "train.txt").write_text("a.mp4 run\ngone.mp4 run\n")
    (tmp_path / "test.txt").write_text("b.mp4 run\n")
    data = video_at(tmp_path, max_corrupt=1)
    assert data.train.ids == ("a.mp4",)
    assert "1 not there and 0 damaged" in data.notes[0]


def test_the_outcome_for_videos_is_kept(
    tmp_path: Path, short: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    root = spoiled(tmp_path / "data", short)
    first = video_at(root, max_corrupt=3)

    def never(*_: object) -> None:
        raise AssertionError("a video was opened")

    monkeypatch.setattr(_decode, "_opened", never)
    assert video_at(root, max_corrupt=3).notes == first.notes
