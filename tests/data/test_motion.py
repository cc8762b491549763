"""Drawing a frame in whole numbers: turned clockwise, and unchanged in its own size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.core.errors import DataError
from harness.data import emoji
from harness.data._images import open_rgb
from harness.data._motion import ONE, Pose, draw, drawing


def test_a_quarter_turn_takes_what_is_at_the_top_to_the_right(tmp_path: Path) -> None:
    art = np.zeros((64, 64, 4), np.uint8)
    art[:16, :, :] = (255, 0, 0, 255)
    Image.fromarray(art).save(tmp_path / "x.png")
    middle = 32 * ONE
    pose = Pose(middle, middle, 64 * ONE, ONE // 4)
    turned = draw(drawing(tmp_path / "x.png"), pose, 64, (9,) * 3)
    y, x = np.argwhere(np.asarray(turned)[..., 0] > 200).mean(axis=0)
    assert x > 48
    assert abs(y - 31.5) < 1


def test_a_drawing_in_its_own_size_is_unchanged() -> None:
    path = emoji.art_folder() / "Twtr" / emoji.split()["classes"][0]["file"]
    own = draw(drawing(path), Pose(36 * ONE, 36 * ONE, 72 * ONE), 72, (255, 255, 255))
    difference = np.asarray(own).astype(int) - np.asarray(open_rgb(path))
    assert abs(difference).max() <= 1


def test_what_is_outside_the_canvas_does_not_show(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 255)).save(tmp_path / "x.png")
    away = draw(drawing(tmp_path / "x.png"), Pose(-9 * ONE, 0, 8 * ONE), 16, (1, 2, 3))
    # The 256th part of the drawing's edge: a level of a channel at most.
    assert abs(np.asarray(away).astype(int) - (1, 2, 3)).max() <= 1


def test_a_damaged_drawing_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match=r"x\.png cannot be read"):
        drawing(tmp_path / "x.png")
    Image.new("RGBA", (4, 5)).save(tmp_path / "y.png")
    with pytest.raises(DataError, match=r"y\.png is not square"):
        drawing(tmp_path / "y.png")
