"""How a view of a support picture is drawn (see harness/sampling/support_views.py)."""

from __future__ import annotations

from harness.core.seeding import numpy_stream
from harness.sampling.support_views import RandomCrop
from harness.training.augmentation import FLIPPED, Augmentation, random_box


def crop_of(view: RandomCrop, fingerprint: str, size: tuple[int, int]) -> Augmentation:
    """The box of a view of the picture with this fingerprint and (width, height), and whether it is
    flipped. The aspect ratio is that of every random crop, from 3/4 to 4/3.
    """
    low, high = view.scale
    stream = numpy_stream(None, "support view", fingerprint, view.number, low, high, view.flip)
    box = random_box(size, stream, view.scale)
    return Augmentation(box, flip=view.flip and bool(stream.random() < FLIPPED))
