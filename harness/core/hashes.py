"""Hashes of file contents, remembered in the cache folder by the identity of each file.

hash_segments.py has how they lie on disk.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.core.cache import keep
from harness.core.files import cache_folder
from harness.core.hash_segments import (
    ENTRY,
    item_keys,
    load_segments,
    merge_segments,
    newest,
    segment_paths,
    write_segment,
)
from harness.core.hashing import digest_text
from harness.core.identity import (
    COARSE_TICK_NS,
    Identity,
    identities,
    identity,
    seconds_to_settle,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.core.hash_segments import Segment
    from harness.core.identity import Identities

    #: (N, 32): a sha256 a row.
    Digests = npt.NDArray[np.uint8]

#: Entries and seconds after which what was hashed is written.
FLUSH, FLUSH_SECONDS = 65_536, 30.0
MOST_SEGMENTS = 8
#: Files that are read at once: reading waits for the disk, or for the network.
READERS = 16
AT_ONCE = 512
#: Bytes that are read of a file at first: of most pictures all.
FIRST = 2**18
#: How often progress is told.
TOLD_SECONDS = 0.1

#: Called with (done, total) items: those that have to be read.
Progress = Callable[[int, int], object]


class Unhashed(NamedTuple):
    """What has to be read before keys are known."""

    items: int = 0
    bytes: int = 0


class Read(NamedTuple):
    """The sha256 of an item, and the identity that it may be remembered under."""

    sha256: bytes
    identity: Identity | None


@dataclass
class Hashes:
    """sha256 of the items of one scope. An item is read if it has no hash under its identity."""

    scope: str
    identities: Callable[[Sequence[str]], Identities]
    read: Callable[[str], Read]
    _segments: list[Segment] | None = field(default=None, repr=False)

    @property
    def folder(self) -> Path:
        return cache_folder() / "hashes" / digest_text(self.scope, 32)

    def of(self, items: Sequence[str], progress: Progress | None = None) -> Digests:
        """(N, 32): the sha256 of every item. What was hashed is kept if this is interrupted.

        Raises OSError for an item that cannot be read.
        """
        identities_N4 = self.identities(items)
        found_N, sha_N32 = self._find(items, identities_N4)
        missing = np.flatnonzero(~found_N).tolist()
        if missing:
            _let_settle(identities_N4[missing])
            sha_N32[missing] = self._read_all([items[n] for n in missing], progress)
        return sha_N32

    def unhashed(self, items: Sequence[str]) -> Unhashed:
        """How many of the items have no hash yet, and their bytes. Nothing is read."""
        identities_N4 = self.identities(items)
        found_N, _ = self._find(items, identities_N4)
        return Unhashed(int((~found_N).sum()), int(identities_N4[~found_N, 0].sum()))

    def _find(
        self, items: Sequence[str], identities_N4: Identities
    ) -> tuple[npt.NDArray[np.bool_], Digests]:
        """Which items have a hash under their identity, and the hashes."""
        keys_N = item_keys(items)
        found_N = np.zeros(len(items), dtype=np.bool_)
        sha_N32 = np.zeros((len(items), 32), dtype=np.uint8)
        for segment in reversed(self._loaded()):
            missing = np.flatnonzero(~found_N)
            for start in range(0, len(missing), FLUSH):  # of a million at once 300 MB are copied
                rows = missing[start : start + FLUSH]
                at = np.searchsorted(segment["item"], keys_N[rows])
                at[at == len(segment)] = 0
                entries = segment[at]
                same = (entries["item"] == keys_N[rows]) & (
                    entries["identity"] == identities_N4[rows]
                ).all(axis=1)
                found_N[rows[same]] = True
                sha_N32[rows[same]] = entries["sha256"][same]
        return found_N, sha_N32

    def _loaded(self) -> list[Segment]:
        if self._segments is None:
            self._segments = load_segments(self.folder)
        return self._segments

    def _read_all(self, items: Sequence[str], progress: Progress | None) -> Digests:
        tell = progress or (lambda done, total: None)
        tell(0, len(items))
        # What was read and kept is a row of numbers: a million tuples would take 400 MB.
        sha_N32 = np.zeros((len(items), 32), dtype=np.uint8)
        pending: list[Read] = []
        kept, kept_at, told = 0, time.monotonic(), time.monotonic()
        pool = ThreadPoolExecutor(min(READERS, len(items)))
        try:
            for start in range(0, len(items), AT_ONCE):
                for value in pool.map(self.read, items[start : start + AT_ONCE]):
                    sha_N32[kept + len(pending)] = np.frombuffer(value.sha256, dtype=np.uint8)
                    pending.append(value)
                    done = kept + len(pending)
                    now = time.monotonic()
                    if now - told >= TOLD_SECONDS and done < len(items):
                        tell(done, len(items))
                        told = now
                    if len(pending) >= FLUSH or now - kept_at > FLUSH_SECONDS:
                        self._keep(items[kept:done], pending)
                        kept, kept_at, pending = done, now, []
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            self._keep(items[kept : kept + len(pending)], pending)
        tell(len(items), len(items))
        self._merge()
        return sha_N32

    def _keep(self, items: Sequence[str], values: Sequence[Read]) -> None:
        """Add a segment; also in memory, for a cache folder that cannot be written."""
        known = [n for n, value in enumerate(values) if value.identity is not None]
        if not known:
            return
        segment = np.zeros(len(known), dtype=ENTRY)
        segment["item"] = item_keys([items[n] for n in known])
        segment["identity"] = np.array([values[n].identity for n in known], dtype=np.uint64)
        digests = b"".join(values[n].sha256 for n in known)
        segment["sha256"] = np.frombuffer(digests, np.uint8).reshape(-1, 32)
        segment = newest([segment])
        self._loaded().append(segment)
        if write_segment(self.folder, segment):
            note = self.folder / "scope.json"
            if not note.is_file():
                text = json.dumps({"scope": self.scope}).encode()
                keep(note, lambda f: f.write(text))

    def _merge(self) -> None:
        """Put many segments into one."""
        paths = segment_paths(self.folder)
        if len(paths) <= MOST_SEGMENTS:
            return
        merge_segments(self.folder)
        self._segments = None


def hashes_below(root: Path) -> Hashes:
    """The hashes of files below a folder; items are relative paths."""
    root = root.resolve()
    return Hashes(str(root), lambda items: identities(root, items), lambda i: read_file(root / i))


def file_hash(path: Path) -> str:
    """sha256 of a file, remembered by its identity: in this process, and in the cache folder.

    Raises OSError.
    """
    path = path.resolve()
    found = identity(path)
    known, value = _in_process.get(path, (None, ""))
    if known != found:
        value = hashes_below(path.parent).of([path.name])[0].tobytes().hex()
        _in_process[path] = (found, value)
    return value


def file_hash_in_process(path: Path) -> str:
    """Like `file_hash`, but kept in this process alone: for files that many programs share.

    Raises OSError.
    """
    found = identity(path)
    known, value = _in_process.get(path, (None, ""))
    if known != found:
        value = read_file(path).sha256.hex()
        _in_process[path] = (found, value)
    return value


_in_process: dict[Path, tuple[Identity, str]] = {}


def read_file(path: Path) -> Read:
    """The sha256 of a file. It may not be remembered if it changed while it was read, or a moment
    before.

    Raises OSError.
    """
    with open(path, "rb", buffering=0) as handle:  # noqa: PTH123 - faster, for a million files
        before, began = identity(handle.fileno()), time.time_ns()
        first = handle.read(FIRST)
        sha256 = hashlib.sha256(first)
        if len(first) == FIRST or len(first) < before[0]:
            # Not of small files: it makes a buffer, which costs more than all the rest.
            hashlib.file_digest(handle, lambda: sha256)
        value = sha256.digest()
        same = identity(handle.fileno()) == before and not seconds_to_settle(before, began)
    return Read(value, before if same else None)


def _let_settle(identities_N4: Identities) -> None:
    """Wait a moment where the newest file was written a moment ago: then it can be remembered."""
    now = time.time_ns()
    newest = identities_N4[identities_N4[:, 1:3].max(axis=1).argmax()]
    size, modified, changed, inode = newest.tolist()
    left = seconds_to_settle((size, modified, changed, inode), now)
    if left * 1e9 <= COARSE_TICK_NS:  # else the clocks of two machines differ
        time.sleep(left)
