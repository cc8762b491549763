"""Frames that are kept: what is decoded again, and that the budget holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.core.errors import BadInput
from harness.data import _decode, _frame_cache

from . import clips


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Every pass of the decoder over a video, in an empty cache."""
    passes: list[Path] = []
    plain = _decode._decoded

    def counted(container, stream, path):  # type: ignore[no-untyped-def]
        passes.append(path)
        return plain(container, stream, path)

    monkeypatch.setattr(_decode, "_decoded", counted)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "frames_cache"))
    return passes


@pytest.mark.parametrize("name", ["h264.mp4", "mpeg4_b.avi", "vp9.webm"])
def test_a_video_that_is_trained_on_is_decoded_once(
    videos: dict[str, Path], decoded: list[Path], name: str
) -> None:
    for epoch in range(5):
        store = _frame_cache.FrameCache(256)  # as another process would begin
        assert store.length(videos[name], "whole") == 40
        found = store.get(videos[name], [epoch, 39 - epoch], "whole")
        assert [clips.number_of(f) for f in found] == [epoch, 39 - epoch]
    assert len(decoded) == 1


def test_of_a_video_that_is_tested_only_what_is_asked_for_is_kept(
    videos: dict[str, Path], decoded: list[Path], tmp_path: Path
) -> None:
    store = _frame_cache.FrameCache(256)
    for wanted in ([30, 2], [2, 30, 30], [5, 2]):
        found = store.get(videos["h264.mp4"], wanted)
        assert [clips.number_of(f) for f in found] == wanted
    assert len(decoded) == 3  # from two key frames, nothing, from one
    kept = next((tmp_path / "frames_cache" / "frames").glob("*/*.npz"))
    with np.load(kept) as saved:
        assert set(saved.files) == {"2", "5", "30"}


def test_frames_are_those_of_the_content(
    videos: dict[str, Path], decoded: list[Path], tmp_path: Path
) -> None:
    copy = tmp_path / "renamed.mp4"
    copy.write_bytes(videos["h264.mp4"].read_bytes())
    _frame_cache.FrameCache(256).get(videos["h264.mp4"], [3], "whole")
    _frame_cache.FrameCache(256).get(copy, [4], "whole")
    assert len(decoded) == 1
    clips.write(copy, 20)
    assert _frame_cache.FrameCache(256).length(copy, "whole") == 20


def test_damage_in_the_cache_is_decoded_again(
    videos: dict[str, Path], decoded: list[Path], tmp_path: Path
) -> None:
    path = videos["h264.mp4"]
    good = _frame_cache.FrameCache(256).get(path, [7], "whole")[0]
    kept = next((tmp_path / "frames_cache" / "frames").glob("*/*.npz"))
    content = bytearray(kept.read_bytes())
    content[content.index(good.tobytes()[:60]) + 20] ^= 1
    for damage in (bytes(content), kept.read_bytes()[:1000], b""):
        kept.write_bytes(damage)
        assert _frame_cache.FrameCache(256).get(path, [7], "whole")[0].tobytes() == good.tobytes()
    assert len(decoded) == 4


def test_the_budget_holds(
    videos: dict[str, Path], decoded: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing more is kept beyond it, and the frames are right all the same."""
    monkeypatch.setenv("HARNESS_FRAMES_GB", "0.0004")  # 400 kB: one of these videos
    store = _frame_cache.FrameCache(256)
    for name in ("h264.mp4", "vp9.webm", "vp9.webm"):
        assert clips.number_of(store.get(videos[name], [9], "whole")[0]) == 9
    assert len(list((tmp_path / "frames_cache" / "frames").glob("*/*.npz"))) == 1
    assert len(decoded) == 3
    monkeypatch.setenv("HARNESS_FRAMES_GB", "plenty")
    with pytest.raises(BadInput, match="HARNESS_FRAMES_GB: 'plenty' is not a number"):
        store.get(videos["mpeg4.mp4"], [0], "whole")


def test_long_videos_are_not_kept_whole(
    videos: dict[str, Path], decoded: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_frame_cache, "WHOLE", 39)
    for name in ("h264.mp4", "mpeg4.avi"):
        _frame_cache.FrameCache(256).get(videos[name], [3], "whole")
    sizes = []
    for kept in (tmp_path / "frames_cache" / "frames").glob("*/*.npz"):
        with np.load(kept) as saved:
            sizes.append(len(saved.files))
    assert sizes == [1, 1]


def test_large_frames_are_kept_small(tmp_path: Path, decoded: list[Path]) -> None:
    path = clips.write(tmp_path / "a.mp4", 8, size=(160, 96))
    assert _frame_cache.FrameCache(48).get(path, [7], "whole")[0].size == (80, 48)
    assert _frame_cache.FrameCache(48).get(path, [7], "whole")[0].size == (80, 48)
    assert _frame_cache.FrameCache(256).get(path, [7], "whole")[0].size == (160, 96)
    assert len(decoded) == 2
    assert _frame_cache.shrunk(Image.new("RGB", (90, 300)), 64).size == (64, 213)


def test_the_index_passes_of_all_videos_are_in_one_file(
    videos: dict[str, Path], decoded: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, passes = _decode.index, list[Path]()

    def counted(path: Path, *more: Any) -> _decode.Index:
        passes.append(path)
        return plain(path, *more)

    monkeypatch.setattr(_decode, "index", counted)
    for _ in range(2):
        for name in ("h264.mp4", "h264.mkv", "mpeg4_b.avi"):
            assert _frame_cache.FrameCache(256).length(videos[name]) == 40
    assert len(passes) == 3
    kept = tmp_path / "frames_cache"
    assert len(list((kept / "clips").iterdir())) == 1
    assert not (kept / "videos").exists()
