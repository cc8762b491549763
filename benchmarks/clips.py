"""Clips for benchmarks: mp4 files as x264 writes them, in class folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from harness.data._video_writer import write_video

#: As x264 writes by itself: a key frame at least every 250.
ENCODED = {"crf": "23", "preset": "veryfast"}


def write_clips(root: Path, clips: int, frames: int, size: tuple[int, int]) -> None:
    """So many clips of two classes, one in 24 of them for the test; `size` is (width, height)."""
    for number in range(clips):
        folder = root / ("test" if number % 24 == 0 else "train") / f"class {number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        write_video(
            folder / f"{number}.mp4", list(_pictures(number, frames, size)), codec="libx264",
            pixels="yuv420p", options=ENCODED,
        )  # fmt: skip


def _pictures(number: int, frames: int, size: tuple[int, int]) -> Iterator[Image.Image]:
    """A square that moves over a drawn ground, as a film has still and moving parts."""
    drawn = np.random.default_rng(number).integers(0, 255, (16, 21, 3), dtype=np.uint8)
    ground = Image.fromarray(drawn).resize(size, Image.Resampling.BICUBIC)
    for t in range(frames):
        picture = ground.copy()
        picture.paste((t % 256, 255 - t % 256, number), (t, 60, t + 60, 120))
        yield picture
