"""Decoded frames, cached on disk: a few-shot run of many epochs decodes each of its videos once.

A video is a zip of one array a frame (H, W, 3; uint8; not compressed, with the checksums of zip)
below frames/ of the cache, addressed by the video's bytes and the settings. Training draws other
frames in every epoch, so a video of at most WHOLE frames is kept whole if all that are trained on
fit into the budget; if they do not, nothing of them is kept, and each use decodes as far as its
last frame. Of videos that are evaluated the frames that were used are kept. Files are replaced
whole, so two writers at once cost time but never a wrong frame. Beyond HARNESS_FRAMES_GB gigabytes
(20) nothing more is kept. The folder can be deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.core.cache import keep
from harness.core.errors import BadInput, DataError
from harness.core.files import cache_folder
from harness.core.hashes import file_hash
from harness.core.hashing import digest
from harness.data import _clip_index, _decode
from harness.data._clip_bytes import Clip, ClipBytes

if TYPE_CHECKING:
    from PIL import Image

#: Frames of a video that is kept whole, at most.
WHOLE = 300
BUDGET_GB = 20.0
#: Attempts to write after which the folder is measured again: other processes write as well.
MEASURE_EVERY = 200
#: Videos that are looked at to know how much all of them take.
SAMPLED = 4

#: What is kept of a video: all its frames, those that were used, or nothing.
Keeps = Literal["whole", "used", "nothing"]


def shrunk(image: Image.Image, side: int) -> Image.Image:
    """With a short side of at most `side`; never enlarged."""
    from PIL import Image as Pillow

    short = min(image.size)
    if short <= side:
        return image
    width, height = (max(side, round(n * side / short)) for n in image.size)
    return image.resize((width, height), Pillow.Resampling.BICUBIC)


def budget() -> float:
    """What the cache may hold, in bytes. Raises BadInput if HARNESS_FRAMES_GB is no number."""
    text = os.environ.get("HARNESS_FRAMES_GB", str(BUDGET_GB))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value >= 0:
        raise BadInput(f"HARNESS_FRAMES_GB: {text!r} is not a number of gigabytes")
    return value * 1e9


def _hash_of_file(path: Clip) -> str:
    """Raises OSError, and DataError for what is no file of its own."""
    if isinstance(path, ClipBytes):
        raise DataError(f"video {path} is no file, and has no hash of one")
    return file_hash(path)


@dataclass
class FrameCache:
    """Frames of video files, at a short side of at most `side`. Threads and processes may share its
    folder.
    """

    side: int
    hash_of: Callable[[Clip], str] = _hash_of_file  # sha256 of the bytes of a video
    _used: float = 0.0
    _attempts: int = 0
    _lengths: dict[Clip, int] = field(default_factory=dict)

    def length(self, path: Clip, keeps: Keeps = "used") -> int:
        """How many frames there are. Raises DataError."""
        if path not in self._lengths:
            self._lengths[path] = self.index(path, keeps).length
        return self._lengths[path]

    def index(self, path: Clip, keeps: Keeps = "used") -> _decode.Index:
        """The index pass, cached by the file's bytes.

        Raises DataError.
        """
        with _decode.readable(path):
            address = digest([self.hash_of(path), "index", version("av")], 32)
        index = _clip_index.index_of(address)
        if index is None:
            # Where the pass has to decode every frame, these are kept as well.
            decoded: dict[int, Image.Image] = {}
            index = _decode.index(path, self._collect_into(decoded) if keeps == "whole" else None)
            _clip_index.keep(address, index)
            if len(decoded) == index.length:
                self._keep(self._file(path), index, decoded)
        return index

    def get(self, path: Clip, numbers: Sequence[int], keeps: Keeps = "used") -> list[Image.Image]:
        """Frames by number, in the order of `numbers`.

        Raises DataError if one cannot be decoded.
        """
        index = self.index(path, keeps)
        file = self._file(path)
        kept = _load(file, numbers)
        if set(numbers) <= set(kept):
            return [kept[n] for n in numbers]
        if keeps == "whole" and index.length <= WHOLE:
            frames = {n: shrunk(image, self.side) for n, image in _decode.read_all(path, index)}
        else:
            decoded = _decode.read(path, index, [n for n in numbers if n not in kept])
            frames = kept | {n: shrunk(image, self.side) for n, image in decoded.items()}
        if keeps != "nothing":
            self._keep(file, index, frames)
        return [frames[n] for n in numbers]

    def has_room(self, paths: Sequence[Clip]) -> bool:
        """Whether the budget has room for all these videos as a whole, by what SAMPLED of them
        take. A video that cannot be read counts as one that fills WHOLE frames.
        """
        step = max(1, len(paths) // SAMPLED)
        sizes = [self._whole_size(path) for path in paths[::step][:SAMPLED]]
        return not sizes or sum(sizes) / len(sizes) * len(paths) <= budget()

    def _whole_size(self, path: Clip) -> float:
        """Bytes of all frames of a video; 0 for a long one, which is not kept whole."""
        largest = float(WHOLE * 3 * self.side * self.side)
        try:
            length = self.length(path)
            if length > WHOLE:
                return 0.0
            (first,) = self.get(path, [0])
        except DataError:
            return largest
        return float(length * 3 * first.width * first.height)

    def _collect_into(self, frames: dict[int, Image.Image]) -> Callable[[int, Image.Image], None]:
        def collect(number: int, image: Image.Image) -> None:
            if number < WHOLE:
                frames[number] = shrunk(image, self.side)

        return collect

    def _file(self, path: Clip) -> Path:
        address = digest([self.hash_of(path), self.side, version("av")], 32)
        return cache_folder() / "frames" / address[:2] / f"{address}.npz"

    def _keep(self, file: Path, index: _decode.Index, frames: Mapping[int, Image.Image]) -> None:
        """With what others have kept meanwhile, unless the budget is used up."""
        size = sum(3 * image.width * image.height for image in frames.values())
        if self._attempts % MEASURE_EVERY == 0:
            self._used = _folder_size(cache_folder() / "frames")
        self._attempts += 1
        if self._used + size > budget():
            return
        self._used += size
        if len(frames) < index.length:
            frames = _load(file, None) | dict(frames)
        arrays = {str(number): np.asarray(image) for number, image in frames.items()}
        keep(file, lambda f: np.savez(f, allow_pickle=False, **arrays))


def _load(file: Path, numbers: Iterable[int] | None) -> dict[int, Image.Image]:
    """Those of `numbers` that a file holds (None: all); nothing of a damaged one."""
    from PIL import Image as Pillow

    damaged = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)  # or not there
    with contextlib.suppress(*damaged), file.open("rb") as handle, np.load(handle) as saved:
        names = set(saved.files)
        chosen = names if numbers is None else names & {str(n) for n in numbers}
        return {int(name): Pillow.fromarray(saved[name]) for name in chosen}
    return {}


def _folder_size(folder: Path) -> float:
    """In bytes."""
    size = 0.0
    for path in folder.glob("*/*.npz"):
        with contextlib.suppress(OSError):  # deleted meanwhile
            size += path.stat().st_size
    return size
