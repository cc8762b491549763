"""Videos of which every frame is known, written once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import clips


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a video of 12 frames."""
    return clips.write(tmp_path_factory.mktemp("short") / "a.mp4", 12).read_bytes()


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One video of every kind, of 40 frames."""
    folder = tmp_path_factory.mktemp("videos")
    return {name: clips.write_kind(folder, name) for name in clips.KINDS}
