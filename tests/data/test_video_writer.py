"""Clips as video files: the same frames to the bit, and the lists beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import OutputError
from harness.data import emoji_motion
from harness.data._video_writer import write_clips

from .videos import read


def test_moving_emoji_as_files(tmp_path: Path) -> None:
    """The same frames to the bit, through an encoder, a file and the decoder."""
    drawn = emoji_motion.open_dataset(
        "", emoji_motion.Options(objects=2, motions=("left", "up"), clips=1, size=40)
    )
    assert write_clips(drawn, tmp_path / "out") == 28
    data = read(tmp_path / "out")
    assert data.classes == drawn.classes
    for ours, theirs in ((data.train, drawn.train), (data.test, drawn.test)):
        assert np.array_equal(ours.labels, theirs.labels)
        assert np.array_equal(ours.groups, theirs.groups)
        for item, other in zip(ours.ids, theirs.ids, strict=True):
            assert data.length(item) == drawn.length(other)
            pairs = zip(data.frames(item, range(24)), drawn.frames(other, range(24)), strict=True)
            assert all(a.tobytes() == b.tobytes() for a, b in pairs)


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    drawn = emoji_motion.open_dataset("", emoji_motion.Options(objects=1, clips=1, size=32))
    (tmp_path / "x.txt").write_text("mine")
    with pytest.raises(OutputError, match="is not empty: name a new one"):
        write_clips(drawn, tmp_path)
