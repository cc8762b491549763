"""Pictures and clips in tar shards, read by their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from harness.core.hash_segments import item_keys
from harness.core.hashes import Progress, Unhashed
from harness.data._clip_bytes import Clip, ClipBytes
from harness.data._clips import ClipOptions, DecodedClips
from harness.data._images import open_rgb
from harness.data._own_files import OwnFiles
from harness.data._shard_files import read_range
from harness.data._shard_pass import Shard

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL import Image

    from harness.core.hashes import Digests


class ShardOptions(ClipOptions):
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
class ShardClips(DecodedClips, ShardPictures):
    """Videos in shards, decoded from their bytes."""

    options: ShardOptions = field(default_factory=ShardOptions)

    def clip(self, item: str) -> Clip:
        """The bytes of a member."""
        return ClipBytes(self._shown(item), lambda: self._bytes(item), item)

    def sha256(self, clip: Clip) -> str:
        """As of a file with the same bytes, so that both share their frames."""
        item = clip.item if isinstance(clip, ClipBytes) else clip.name
        return ShardPictures.content_hash(self, item)
