"""Where the frames of videos are: the outcome of index passes, all in one folder of the cache.

The folder clips/ has a few files, in place of one for each of 240,000 videos. A process adds
records to a file of its own, each with one write and a checksum, so no lock is needed, also on NFS.
Readers take the records of all files; what another process adds is seen a little later. When there
are many files, a process writes one with all records of those that nobody has written to for an
hour, and then removes them. What is lost or damaged costs only another index pass.

What earlier versions kept, videos/XX/ADDRESS.json, is read, and added to the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.cache import append
from harness.core.cache import keep as keep_file
from harness.core.files import cache_folder
from harness.data._clip_records import packed, record, records, unpacked
from harness.data._decode import Index

if TYPE_CHECKING:
    #: Sorted by address: where the newest record of each is.
    Known = np.ndarray[Any, np.dtype[Any]]

ENTRY = np.dtype([("address", "S16"), ("file", "<u4"), ("start", "<u8"), ("size", "<u4")])
SUFFIX = ".clips"
#: More files than these become one, of those that were quiet for so long.
MOST_FILES, QUIET_SECONDS = 64, 3600.0
#: Records of others are looked for at most so often, and in at most this share of the time.
LOOK_SECONDS, LOOK_SHARE = 1.0, 0.05
#: Records of its own that a process has in memory before it looks for them in its file.
MOST_RECENT = 1024


def index_of(address: str) -> Index | None:
    """The index that is kept under an address of 32 hex digits; None if there is none."""
    return _store().get(address)


def keep(address: str, index: Index) -> None:
    """Keep an index for this process and for others, unless the cache folder cannot be written.

    Raises DiskFull.
    """
    _store().add(address, index)


def _store() -> ClipStore:
    return _of_process(cache_folder() / "clips", os.getpid())


@lru_cache(maxsize=4)
def _of_process(folder: Path, _pid: int) -> ClipStore:
    """A process that was forked has a lock and a file of its own."""
    return ClipStore(folder, folder.with_name("videos"))


@dataclass
class ClipStore:
    """The records in `folder`, for all threads of one process."""

    folder: Path
    earlier: Path  # the folder of an earlier version
    _known: Known = field(default_factory=lambda: np.zeros(0, dtype=ENTRY))
    _files: list[Path] = field(default_factory=list)  # by the number that entries have
    _numbers: dict[str, int] = field(default_factory=dict)  # name of a file -> its number
    _ends: dict[str, int] = field(default_factory=dict)  # name of a file -> bytes that were read
    _recent: dict[str, bytes] = field(default_factory=dict)  # added here, and not yet looked for
    _own: Path | None = None
    _next_look: float = 0.0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def get(self, address: str) -> Index | None:
        """None if there is no record that is whole."""
        with self._lock:
            found = self._payload(address)
            if found is None and time.monotonic() >= self._next_look:
                self._look()
                found = self._payload(address)
        index = None if found is None else unpacked(found)
        return self._of_earlier_version(address) if index is None else index

    def add(self, address: str, index: Index) -> None:
        """One record at the end of the file of this process. Raises DiskFull."""
        payload = packed(index)
        with self._lock:
            if self._own is None or not self._own.exists():  # removed, or merged into another
                self._own = self.folder / f"{os.urandom(16).hex()}{SUFFIX}"
            written = append(self._own, record(bytes.fromhex(address), payload))
            self._recent[address] = payload
            if written and len(self._recent) >= MOST_RECENT:
                self._look()

    def _payload(self, address: str) -> bytes | None:
        if address in self._recent:
            return self._recent[address]
        wanted = np.array(bytes.fromhex(address), dtype="S16")
        at = int(np.searchsorted(self._known["address"], wanted))
        if at == len(self._known) or self._known["address"][at] != wanted:
            return None
        _, file, start, size = self._known[at].item()
        try:
            with self._files[file].open("rb", buffering=0) as handle:
                return os.pread(handle.fileno(), size, start)
        except OSError:  # merged into another meanwhile
            self._next_look = 0.0
            return None

    def _look(self) -> None:
        """Read what all processes have added since the last time."""
        began = time.monotonic()
        paths = _paths(self.folder)
        if len(paths) > MOST_FILES:
            merge(paths)
            paths = _paths(self.folder)
        new = [entry for path in paths for entry in self._added(path)]
        if new:
            together = np.concatenate([self._known, np.array(new, dtype=ENTRY)])[::-1]
            _, first = np.unique(together["address"], return_index=True)
            self._known = together[first]  # of several the last
            for address, *_ in new:
                self._recent.pop(address.hex(), None)
        now = time.monotonic()
        self._next_look = now + max(LOOK_SECONDS, (now - began) / LOOK_SHARE)

    def _added(self, path: Path) -> list[tuple[bytes, int, int, int]]:
        """Entries of the records at the end of a file that were not read yet."""
        before = self._ends.get(path.name, 0)
        try:
            if path.stat().st_size == before:
                return []
            with path.open("rb") as handle:
                handle.seek(before)
                found, end = records(handle.read())
        except OSError:  # removed meanwhile
            return []
        self._ends[path.name] = before + end
        number = self._numbers.setdefault(path.name, len(self._files))
        if number == len(self._files):
            self._files.append(path)
        return [(r.address, number, before + r.start, r.size) for r in found]

    def _of_earlier_version(self, address: str) -> Index | None:
        # Not there, or damaged.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            saved = json.loads((self.earlier / address[:2] / f"{address}.json").read_bytes())
            index = Index(saved["length"], tuple(saved["times"]), tuple(saved["keys"]))
            self.add(address, index)
            return index
        return None


def merge(paths: Sequence[Path]) -> None:
    """One file with the records of all that are quiet, which are then removed."""
    before = time.time() - QUIET_SECONDS
    merged: dict[bytes, bytes] = {}
    quiet = []
    for path in paths:
        with contextlib.suppress(OSError):  # another process merges them as well
            if path.stat().st_mtime < before:
                content = path.read_bytes()
                for address, start, size in records(content)[0]:
                    merged[address] = record(address, content[start : start + size])
                quiet.append(path)
    if len(quiet) < 2:
        return
    content = b"".join(merged.values())
    whole = paths[0].with_name(f"{hashlib.sha256(content).hexdigest()[:32]}{SUFFIX}")
    if keep_file(whole, lambda f: f.write(content)):
        for path in quiet:
            if path != whole:
                path.unlink(missing_ok=True)


def check(path: Path) -> None:
    """Raises ValueError for a file that does not hold whole records alone."""
    content = path.read_bytes()
    found, end = records(content)
    if end < len(content):
        raise ValueError("it is cut short")
    if sum(len(record(r.address, b"")) + r.size for r in found) < end or not all(
        unpacked(content[r.start : r.start + r.size]) for r in found
    ):
        raise ValueError("a record is damaged")


def _paths(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):  # not there
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    return []
