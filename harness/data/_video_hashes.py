"""Hashes of videos: of a file its sha256; of a folder of extracted frames one over its frames."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.hashes import Hashes, Progress, Read, read_file
from harness.core.identity import identities, identity
from harness.data._images import refuse_cut

if TYPE_CHECKING:
    from harness.core.hashes import Digests

#: The files of the frames of a video in order, relative to the root; None for a file of its own.
FramesOf = Callable[[str], Sequence[str] | None]


def video_hashes(
    remembered: Hashes, items: Sequence[str], frames_of: FramesOf, progress: Progress | None = None
) -> Digests:
    """(N, 32): a hash over the bytes of every video.

    Raises OSError for a file that cannot be read.
    """
    frames = [frames_of(item) for item in items]
    sha_M32 = remembered.of(_flat(items, frames), progress)
    values, start = [], 0
    for files in frames:
        count = 1 if files is None else len(files)
        part = sha_M32[start : start + count].tobytes()
        values.append(part if files is None else hashlib.sha256(part).digest())
        start += count
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, 32)


def whole_frames(root: Path) -> Hashes:
    """The hashes of extracted frames below a folder. A frame that is cut short has none: a study
    reads a few frames of each video, and would not notice the others.

    Reading raises DataError for such a frame.
    """
    root = root.resolve()

    def read(item: str) -> Read:
        refuse_cut(root / item, (root / item).read_bytes())
        return read_file(root / item)

    return Hashes(f"{root}|whole frames", lambda items: identities(root, items), read)


def _flat(items: Sequence[str], frames: Sequence[Sequence[str] | None]) -> list[str]:
    """The files of all videos."""
    pairs = zip(items, frames, strict=True)
    return [file for item, files in pairs for file in (files if files is not None else [item])]


def files_of_videos(items: Sequence[str], frames_of: FramesOf) -> list[str]:
    """The files that `video_hashes` reads, relative to the root."""
    return _flat(items, [frames_of(item) for item in items])


def states_of(root: Path, items: Sequence[str]) -> list[Any]:
    """All that says whether videos are still the same: of a folder, of every file in it.

    Raises OSError for a video that is not there.
    """
    states: list[Any] = [str(root.resolve())]
    for item in items:
        path = root / item
        if path.is_dir():
            with os.scandir(path) as found:
                files = sorted((entry.name, identity(entry.path)) for entry in found)
            states.append([item, files])
        else:
            states.append([item, identity(path)])
    return states
