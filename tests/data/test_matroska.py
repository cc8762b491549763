"""The size that mkv and webm files declare."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.data._matroska import declared_size


def declared(path: Path) -> int | None:
    with path.open("rb") as handle:
        return declared_size(handle)


@pytest.mark.parametrize("name", ["h264.mkv", "vp9.webm"])
def test_a_whole_file_has_the_size_that_it_declares(videos: dict[str, Path], name: str) -> None:
    assert declared(videos[name]) == videos[name].stat().st_size


def test_a_file_that_was_cut_declares_more(videos: dict[str, Path], tmp_path: Path) -> None:
    content = videos["h264.mkv"].read_bytes()
    (tmp_path / "cut.mkv").write_bytes(content[:-100])
    assert declared(tmp_path / "cut.mkv") == len(content)


def test_a_recording_without_an_end_declares_nothing(
    videos: dict[str, Path], tmp_path: Path
) -> None:
    content = videos["h264.mkv"].read_bytes()
    place = content.index(bytes.fromhex("18538067")) + 4
    endless = content[:place] + b"\x01" + b"\xff" * 7 + content[place + 8 :]
    (tmp_path / "endless.mkv").write_bytes(endless)
    assert declared(tmp_path / "endless.mkv") is None


@pytest.mark.parametrize("content", [b"", b"\x1a\x45", b"no Matroska at all", b"\x00" * 20])
def test_other_files_declare_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert declared(tmp_path / "x") is None
