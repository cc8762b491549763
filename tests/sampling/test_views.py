"""Frames of a clip and crops of a frame, in training and in evaluation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from harness.core.cells import Cell, Choice
from harness.sampling.views import (
    FrameView,
    Views,
    cropped,
    evaluation_frames,
    frame_views,
    short_side,
    training_frames,
    views,
    views_of,
)


def test_centres_and_firsts_of_segments() -> None:
    assert evaluation_frames(24, 8) == (1, 4, 7, 10, 13, 16, 19, 22)
    assert evaluation_frames(24, 8, "first") == (0, 3, 6, 9, 12, 15, 18, 21)
    assert evaluation_frames(10, 1) == (5,)


def test_a_short_video_shows_frames_twice_and_never_one_that_it_does_not_have() -> None:
    assert evaluation_frames(3, 8) == (0, 0, 0, 1, 1, 2, 2, 2)
    assert evaluation_frames(1, 4, "first") == (0, 0, 0, 0)
    stream = np.random.default_rng(0)
    assert all(0 <= f < 3 for _ in range(50) for f in training_frames(3, 8, stream))


@pytest.mark.parametrize(
    ("resolution", "crop_share", "side"),
    [
        (64, 1.0, 256), (160, 0.875, 256), (224, 1.0, 256), (224, 0.8, 256), (240, 1.0, 256),
        (240, 0.875, 275), (288, 1.0, 288), (336, 1.0, 336), (336, 0.875, 384), (384, 1.0, 384),
    ],
)  # fmt: skip
def test_frames_are_large_enough_for_the_pictures(
    resolution: int, crop_share: float, side: int
) -> None:
    assert short_side(resolution, crop_share) == side


def test_clips_read_different_frames() -> None:
    found = [evaluation_frames(96, 8, clip=c, clips=4) for c in range(4)]
    assert len({frame for clip in found for frame in clip}) == 32
    assert found[0] == tuple(12 * t + 1 for t in range(8))


def test_training_takes_one_frame_of_every_segment() -> None:
    drawn = np.array([training_frames(40, 8, np.random.default_rng(s)) for s in range(200)])
    assert (drawn // 5 == np.arange(8)).all()
    assert all(set(drawn[:, t] % 5) == set(range(5)) for t in range(8)), "every frame is drawn"


def test_views_of_a_clip() -> None:
    found = frame_views("a.mp4", length=40, frames=8, view=Views(*views("2x3")))
    assert len(found) == 6
    assert all(len(clip) == 8 for clip in found)
    assert [clip[0].crop for clip in found] == [(0, 3), (1, 3), (2, 3)] * 2
    assert len({frame_view for clip in found for frame_view in clip}) == 48
    assert frame_views("a.png", length=None, frames=None) == [[FrameView("a.png")]]


def test_an_address_names_frame_and_crop() -> None:
    whole = FrameView("a").address("print")
    assert whole == "print", "features of pictures keep the address that they had"
    several = [
        FrameView("a", 3),
        FrameView("a", 4),
        FrameView("a", 3, (0, 3)),
        FrameView("a", 3, (1, 3)),
        FrameView("a"),
    ]
    assert len({frame_view.address("print") for frame_view in several}) == 5


@pytest.mark.parametrize("length", [3, 8, 24, 25, 97, 300])
@pytest.mark.parametrize("clips", [1, 2, 4, 10])
@pytest.mark.parametrize("frames", [8, 16])
def test_clips_of_the_public_code(length: int, clips: int, frames: int) -> None:
    """From linspace(0, L / T - 1, clips) cut to integers: floor(start + x L / T) mod L."""
    starts = [int(s) for s in np.linspace(0, length / frames - 1, num=clips)]
    for clip, start in enumerate(starts):
        expected = tuple(math.floor(start + x * length / frames) % length for x in range(frames))
        found = evaluation_frames(length, frames, "first", clip, clips, "linspace")
        assert found == expected
        assert all(0 <= f < length for f in found)


def test_one_clip_of_the_public_code_reads_first_frames() -> None:
    assert evaluation_frames(100, 8, "first", starts="linspace") == (0, 12, 25, 37, 50, 62, 75, 87)


@pytest.mark.parametrize(("length", "frames"), [(1, 8), (3, 8), (5, 6), (8, 8)])
def test_short_videos_in_training_as_in_the_public_code(length: int, frames: int) -> None:
    """Every frame once, T - L at random, in order."""
    drawn = [training_frames(length, frames, np.random.default_rng(s), "random") for s in range(60)]
    for found in drawn:
        assert len(found) == frames
        assert list(found) == sorted(found)
        assert set(found) == set(range(length))
    extra = {(f, found.count(f)) for found in drawn for f in set(found) if found.count(f) > 1}
    if 1 < length < frames:
        assert {f for f, _ in extra} == set(range(length)), "any frame may repeat"
        assert len(set(drawn)) > 1


def test_longer_videos_are_read_from_ticks() -> None:
    """One frame of floor(i L / T) to floor((i + 1) L / T), whatever repeats says."""
    for length in (9, 20, 61):
        ticks = [math.floor(i * length / 8) for i in range(9)]
        drawn = [training_frames(length, 8, np.random.default_rng(s), "random") for s in range(300)]
        assert drawn == [training_frames(length, 8, np.random.default_rng(s)) for s in range(300)]
        for t, of_segment in enumerate(zip(*drawn, strict=True)):
            assert set(of_segment) == set(range(ticks[t], ticks[t + 1]))


def test_views_of_a_cell() -> None:
    cell = Cell(Choice("a"), "full", Choice("b"), views="4x3")
    assert views_of(cell) == Views(4, 3)
    public = replace(cell, clip_starts="linspace", crops="full_resolution")
    assert views_of(public) == Views(4, 3, "linspace", "full_resolution")
    assert views_of(public).count == 12


def test_one_view_at_full_resolution_is_a_crop_with_an_address_of_its_own() -> None:
    ((shown,),) = frame_views("a", length=None, frames=None, view=Views(geometry="full_resolution"))
    assert shown == FrameView("a", None, (0, 1), "full_resolution")
    addresses = {FrameView("a").address("print"), shown.address("print"),
                 FrameView("a", None, (0, 3)).address("print"),
                 FrameView("a", None, (0, 3), "full_resolution").address("print")}  # fmt: skip
    assert len(addresses) == 4


@pytest.mark.parametrize(("size", "axis"), [((90, 30), 0), ((30, 90), 1)])
def test_crops_are_squares_along_the_long_side(size: tuple[int, int], axis: int) -> None:
    image = Image.new("L", size)
    for x in range(90):
        image.paste(x, (x, 0, x + 1, 30) if axis == 0 else (0, x, 30, x + 1))
    first = [np.asarray(cropped(image, FrameView("a", None, (n, 3)), 30))[0, 0] for n in range(3)]
    assert first == [0, 30, 60]
    assert cropped(image, FrameView("a", None, (1, 3)), 30).size == (30, 30)
    assert cropped(image, FrameView("a"), 30) is image
