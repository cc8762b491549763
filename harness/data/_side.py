"""How large the frames of a video are kept."""

from __future__ import annotations

from harness.core.errors import DataError


def kept_side(asked: int | None, resolution: int, short_side: int, reference: str) -> int:
    """The short side at most of frames: what the option `side` asks for, else what is needed.

    Raises DataError if the option asks for less than the resolution.
    """
    if asked is None:
        return short_side
    if asked < resolution:
        raise DataError(
            f"{reference}: option side: {asked} is smaller than the resolution {resolution}, so "
            f"frames would be enlarged; allowed: {resolution} and above, or leave it out"
        )
    return asked
