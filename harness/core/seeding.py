"""Named random streams: the same seed and names give the same numbers in every process.

A stream is named by its purpose, not by how often it was used before, so a new draw changes no
other draw.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def stream_seed(seed: int | None, *names: object) -> int:
    """A 63-bit seed for the stream `names` under `seed`."""
    text = "/".join(str(n) for n in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_stream(seed: int | None, *names: object) -> np.random.Generator:
    return np.random.default_rng(stream_seed(seed, *names))


def torch_stream(seed: int | None, *names: object) -> torch.Generator:
    """A generator on the CPU, whatever the training device, so that all devices draw the same."""
    import torch

    return torch.Generator().manual_seed(stream_seed(seed, *names))
