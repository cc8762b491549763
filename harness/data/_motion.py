"""Drawing one frame of a moving picture, in whole numbers: the same bits on every machine.

Lengths are in 1/65536 of a pixel, angles in 1/65536 of a turn. Legend: N height and width of the
drawing, S of the canvas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from harness.core.errors import DataError

if TYPE_CHECKING:
    from harness.core.samples import IntArray

ONE = 1 << 16
OPAQUE = 255 * 255


@dataclass(frozen=True)
class Pose:
    """Where a drawing is: its centre, the length of a side, and how far it is turned clockwise."""

    x: int
    y: int
    side: int
    turn: int = 0


@lru_cache(maxsize=128)
def drawing(path: Path) -> IntArray:
    """(N + 2, N + 2, 4): colour times opacity, and opacity times 255, inside a clear border.

    Raises DataError if it cannot be read, or is not square.
    """
    try:
        with Image.open(path) as image:
            art_NN4 = np.asarray(image.convert("RGBA")).astype(np.int64)
    except Exception as error:  # on damaged bytes Pillow raises errors of any kind
        raise DataError(f"picture {path} cannot be read: {error}") from error
    if art_NN4.shape[0] != art_NN4.shape[1]:
        raise DataError(f"picture {path} is not square")
    opacity_NN1 = art_NN4[..., 3:]
    premultiplied = np.concatenate([art_NN4[..., :3] * opacity_NN1, opacity_NN1 * 255], axis=-1)
    return np.pad(premultiplied, ((1, 1), (1, 1), (0, 0)))


def draw(art: IntArray, pose: Pose, canvas: int, background: tuple[int, int, int]) -> Image.Image:
    """`art` (a `drawing`) on a plain canvas of `canvas` x `canvas`, interpolated bilinearly."""
    # Whole pixels in the upper bits, and the upper 8 bits of the fraction as weights of 0 to 256.
    u_SS, v_SS = _drawing_coordinates(pose, canvas, art.shape[0] - 2)
    i, u = u_SS >> 16, (u_SS >> 8 & 255)[..., None]
    j, v = v_SS >> 16, (v_SS >> 8 & 255)[..., None]
    above = art[j, i] * (256 - u) + art[j, i + 1] * u
    below = art[j + 1, i] * (256 - u) + art[j + 1, i + 1] * u
    ink_SS4 = (above * (256 - v) + below * v + ONE // 2) >> 16
    paper_SS3 = np.array(background) * (OPAQUE - ink_SS4[..., 3:])
    seen_SS3 = (ink_SS4[..., :3] * 255 + paper_SS3 + OPAQUE // 2) // OPAQUE
    return Image.fromarray(seen_SS3.astype(np.uint8))


def _drawing_coordinates(pose: Pose, canvas: int, n: int) -> tuple[IntArray, IntArray]:
    """Where in the bordered drawing each pixel of the canvas looks, (S, S), clipped into it."""
    angle = 2 * math.pi * pose.turn / ONE
    cos, sin = round(math.cos(angle) * ONE), round(math.sin(angle) * ONE)
    centres = np.arange(canvas, dtype=np.int64) * ONE + ONE // 2
    dx, dy = (centres - pose.x)[None, :], (centres - pose.y)[:, None]
    middle = (n + 1) * ONE // 2
    u_SS = (cos * dx + sin * dy) // pose.side * n + middle
    v_SS = (cos * dy - sin * dx) // pose.side * n + middle
    last = (n + 1) * ONE - 1
    return np.clip(u_SS, 0, last), np.clip(v_SS, 0, last)
