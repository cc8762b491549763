"""Videos that are decoded with PyAV, wherever their bytes lie: files, or members of archives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field

from harness.core.errors import DataError
from harness.core.hashes import Progress
from harness.core.hashing import digest
from harness.core.protocols.dataset import Kind, Used
from harness.data import _decode
from harness.data._clip_bytes import Clip
from harness.data._frame_cache import FrameCache, Keeps
from harness.data._max_corrupt import PictureOptions
from harness.data._own_files import OwnFiles
from harness.data._side import kept_side
from harness.sampling.crops import SHORT_SIDE

if TYPE_CHECKING:
    from PIL import Image


class ClipOptions(PictureOptions):
    """position: the frame of a segment that evaluation reads; min_frames: a shorter video cannot be
    read; side: frames are kept at a short side of at most this, by default what the resolution of a
    cell needs.
    """

    position: Literal["centre", "first"] = "centre"
    min_frames: int = Field(default=8, ge=1)
    side: int | None = Field(default=None, ge=16)


@dataclass(frozen=True)
class DecodedClips(OwnFiles):
    """Videos by their ids; `clip` and `sha256` say where one is, and what its bytes are."""

    kind: ClassVar[Kind] = "clips"
    noun: ClassVar[str] = "videos"

    options: ClipOptions = field(default_factory=ClipOptions)
    trained: frozenset[str] = frozenset()  # of which training reads other frames in every epoch
    keeps: Keeps = "whole"  # what the cache keeps of them
    side: int = SHORT_SIDE  # frames are kept at a short side of at most this

    @abstractmethod
    def clip(self, item: str) -> Clip:
        """What is decoded."""

    @abstractmethod
    def sha256(self, clip: Clip) -> str:
        """Of the bytes of a video: equal ones share their frames."""

    @property
    def position(self) -> str:
        """Centre | first, as the option says."""
        return self.options.position

    def for_pictures(self, resolution: int, short_side: int) -> Self:
        """Raises DataError if the option side is smaller than the resolution."""
        side = kept_side(self.options.side, resolution, short_side, self.reference)
        if side == self.side:
            return self
        manifest_of = lambda: digest([self.manifest, "side", side], 64)  # noqa: E731
        return replace(self, side=side, manifest_of=manifest_of)

    def for_training(self, items: Sequence[str]) -> Self:
        """Frames of these videos are kept whole if the budget of the cache has room for all."""
        has_room = self.store.has_room([self.clip(item) for item in items])
        return replace(self, trained=frozenset(items), keeps="whole" if has_room else "nothing")

    def content(self, used: Used, progress: Progress | None = None) -> str:
        """Over the bytes, and the side where it is not the usual one."""
        content = super().content(used, progress)
        return content if self.side == SHORT_SIDE else digest([content, "side", self.side], 64)

    def content_hash(self, item: str) -> str:
        """Of the bytes, and of the side that frames are kept at."""
        return digest([super().content_hash(item), self.side], 64)

    def length(self, item: str) -> int:
        """Frames of a video. DataError for one that cannot be read or is too short."""
        return self._counting(self._length, item)

    def frames(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        """Frames by index, from the cache or decoded. DataError if one cannot be decoded."""
        return self._counting(lambda i: self._frames(i, indices), item)

    def read(self, item: str) -> Image.Image:
        """The middle frame."""
        return self._frames(item, [self._length(item) // 2])[0]

    def read_whole(self, item: str) -> Image.Image:
        """The middle frame, after every frame was decoded. DataError if one cannot be."""
        self._length(item)
        self.decode_whole(item)
        return self.read(item)

    def frames_that_are_there(self, item: str) -> int:
        """Raises DataError for a video that cannot be read."""
        return self.store.length(self.clip(item), self.keeps_of(item))

    def frames_at(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        """Frames that there are. DataError if one cannot be decoded."""
        return self.store.get(self.clip(item), indices, self.keeps_of(item))

    def decode_whole(self, item: str) -> None:
        """Raises DataError for a frame that cannot be decoded."""
        index = self.store.index(self.clip(item))
        if index.times:  # else the index pass has decoded the video
            for _ in _decode.read_all(self.clip(item), index):
                pass

    def keeps_of(self, item: str) -> Keeps:
        return self.keeps if item in self.trained else "used"

    @cached_property
    def store(self) -> FrameCache:
        """Decoded frames."""
        return FrameCache(self.side, self.sha256)

    def _length(self, item: str) -> int:
        length = self.frames_that_are_there(item)
        if length < self.options.min_frames:
            raise DataError(
                f"video {self.clip(item)} is too short: {length} frames, and min_frames is "
                f"{self.options.min_frames}"
            )
        return length

    def _frames(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        length = self._length(item)
        for index in indices:
            if not 0 <= index < length:
                raise DataError(f"video {self.clip(item)} has no frame {index}: it has {length}")
        return self.frames_at(item, indices)
