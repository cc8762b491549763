"""Pictures and clips in tar shards, read by their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.core.errors import DataError
from harness.core.hash_segments import item_keys
from harness.core.hashes import Progress, Unhashed
from harness.core.hashing import digest
from harness.core.protocols.dataset import Kind, Used
from harness.data import _decode
from harness.data._clip_bytes import Clip, ClipBytes
from harness.data._frame_cache import FrameCache, Keeps
from harness.data._images import open_rgb
from harness.data._max_corrupt import PictureOptions
from harness.data._own_files import OwnFiles
from harness.data._shard_files import read_range
from harness.data._shard_pass import Shard
from harness.data._side import kept_side
from harness.sampling.crops import SHORT_SIDE

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL import Image

    from harness.core.hashes import Digests


class ShardOptions(PictureOptions):
    """train, test: shards, relative to the name, or the name of a split that is used as such;
    classes: a file of class names, one a line; label: a field of the json, in place of .cls;
    member: which picture or video of a sample, as in seg.png. Of clips, position: the frame of a
    segment that evaluation reads; min_frames: a shorter one cannot be read; side: frames are kept
    at a short side of at most this. max_corrupt: as in PictureOptions.
    """

    train: str | None = None
    test: str | None = None
    classes: str | None = None
    label: str | None = None
    member: str | None = None
    position: Literal["centre", "first"] = "centre"
    min_frames: int = Field(default=8, ge=1)
    side: int | None = Field(default=None, ge=16)


@dataclass(frozen=True, eq=False)
class Members:
    """Where the N items are: arrays, as a dict of a million takes 200 MB."""

    places: Sequence[str]
    key_N: npt.NDArray[np.uint64]  # sorted
    shard_N: npt.NDArray[np.int32]  # index into places
    start_N: npt.NDArray[np.int64]
    size_N: npt.NDArray[np.int64]
    sha_N32: npt.NDArray[np.uint8]

    def rows(self, items: Sequence[str]) -> npt.NDArray[np.int64]:
        return np.searchsorted(self.key_N, item_keys(items)).astype(np.int64)

    def content(self, item: str) -> bytes:
        """The bytes of an item. Raises DataError."""
        row = int(self.rows([item])[0])
        place = self.places[int(self.shard_N[row])]
        return read_range(place, int(self.start_N[row]), int(self.size_N[row]))


def members_of(shards: Sequence[Shard], ids: Sequence[str]) -> Members:
    """`ids` are those of the samples of all shards in order."""
    key_N = item_keys(ids)
    order = np.argsort(key_N, kind="stable")
    number_N = np.repeat(np.arange(len(shards), dtype=np.int32), [len(s.keys) for s in shards])
    return Members(
        [shard.place for shard in shards], key_N[order], number_N[order],
        np.concatenate([shard.start_N for shard in shards])[order],
        np.concatenate([shard.size_N for shard in shards])[order],
        np.concatenate([shard.sha_N32 for shard in shards])[order],
    )  # fmt: skip


@dataclass(frozen=True)
class ShardPictures(OwnFiles):
    """Pictures in shards; an item's id is that of its shard and its key."""

    members: Members | None = None
    options: ShardOptions = field(default_factory=ShardOptions)

    def read(self, item: str) -> Image.Image:
        """Raises DataError, naming item and data set, if it cannot be read."""
        return open_rgb(BytesIO(self._bytes(item)), self._shown(item))

    def item_hashes(self, items: Sequence[str], progress: Progress | None = None) -> Digests:
        """(N, 32): sha256 of the bytes of every item, which opening has found."""
        return self._members.sha_N32[self._members.rows(items)]

    def items_unhashed(self, items: Sequence[str]) -> Unhashed:
        """Nothing: opening has read every shard."""
        return Unhashed()

    @property
    def _members(self) -> Members:
        assert self.members is not None
        return self.members

    def _bytes(self, item: str) -> bytes:
        return self._members.content(item)

    def _shown(self, item: str) -> str:
        return f"{item} of {self.reference}"


@dataclass(frozen=True)
class ShardClips(ShardPictures):
    """Videos in shards, decoded from their bytes."""

    kind: ClassVar[Kind] = "clips"
    noun: ClassVar[str] = "videos"
    trained: frozenset[str] = frozenset()  # of which training reads other frames in every epoch
    keeps: Keeps = "whole"  # what the cache keeps of them
    side: int = SHORT_SIDE  # frames are kept at a short side of at most this

    @property
    def position(self) -> str:
        """Centre | first, as the option says."""
        return self.options.position

    def for_pictures(self, resolution: int, short_side: int) -> ShardClips:
        """Raises DataError if the option side is smaller than the resolution."""
        side = kept_side(self.options.side, resolution, short_side, self.reference)
        if side == self.side:
            return self
        manifest_of = lambda: digest([self.manifest, "side", side], 64)  # noqa: E731
        return replace(self, side=side, manifest_of=manifest_of)

    def for_training(self, items: Sequence[str]) -> ShardClips:
        """Frames of these videos are kept whole if the budget of the cache has room for all."""
        has_room = self._store.has_room([self._clip(item) for item in items])
        return replace(self, trained=frozenset(items), keeps="whole" if has_room else "nothing")

    def content(self, used: Used, progress: Progress | None = None) -> str:
        """Over the bytes, and the side where it is not the usual one."""
        content = super().content(used, progress)
        return content if self.side == SHORT_SIDE else digest([content, "side", self.side], 64)

    def content_hash(self, item: str) -> str:
        """Of the bytes, and of the side that frames are kept at: as of a file of its own."""
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
        index = self._store.index(self._clip(item))
        if index.times:  # else the index pass has decoded the video
            for _ in _decode.read_all(self._clip(item), index):
                pass
        return self.read(item)

    def _length(self, item: str) -> int:
        length = self._store.length(self._clip(item), self._keeps(item))
        if length < self.options.min_frames:
            raise DataError(
                f"video {self._shown(item)} is too short: {length} frames, and min_frames is "
                f"{self.options.min_frames}"
            )
        return length

    def _frames(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        length = self._length(item)
        for index in indices:
            if not 0 <= index < length:
                raise DataError(f"video {self._shown(item)} has no frame {index}: it has {length}")
        return self._store.get(self._clip(item), indices, self._keeps(item))

    def _keeps(self, item: str) -> Keeps:
        return self.keeps if item in self.trained else "used"

    def _clip(self, item: str) -> ClipBytes:
        return ClipBytes(self._shown(item), lambda: self._bytes(item), item)

    @cached_property
    def _store(self) -> FrameCache:
        return FrameCache(self.side, self._sha256)

    def _sha256(self, clip: Clip) -> str:
        """As of a file with the same bytes, so that both share their frames."""
        return super().content_hash(clip.item if isinstance(clip, ClipBytes) else clip.name)
