"""Segments: arrays of remembered hashes on disk, of which writers only ever add more.

Every scope (the folder of a data set, or of a file of weights) has a folder below hashes/ of the
cache. It holds segments: arrays of (item, identity, sha256), sorted by item, each written whole
under a name that is a hash of its content. A writer only adds segments; when there are many, it
writes one that holds them all and then removes them. So no lock is needed, also on NFS: of two
writers at once both are kept, and what is lost costs only reading the file again.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.cache import keep

if TYPE_CHECKING:
    import numpy.typing as npt

    Segment = np.ndarray[Any, np.dtype[Any]]

ENTRY = np.dtype([("item", "<u8"), ("identity", "<u8", (4,)), ("sha256", "u1", (32,))])


def item_keys(items: Sequence[str]) -> npt.NDArray[np.uint64]:
    """(N,): 64 bits that stand for the name of an item."""
    return np.frombuffer(
        b"".join(
            hashlib.blake2b(item.encode("utf-8", "surrogateescape"), digest_size=8).digest()
            for item in items
        ),
        dtype="<u8",
    )


def segment_paths(folder: Path) -> list[Path]:
    """The oldest first."""
    timed = []
    for path in folder.glob("*.npy"):
        with contextlib.suppress(OSError):  # merged into another meanwhile
            timed.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(timed)]


def load_segments(folder: Path) -> list[Segment]:
    """What is damaged, or removed meanwhile, is left out: it is hashed again."""
    segments = []
    for path in segment_paths(folder):
        with contextlib.suppress(OSError, ValueError, EOFError):
            segments.append(load_segment(path))
    return segments


def load_segment(path: Path) -> Segment:
    """Raises OSError, ValueError or EOFError for a file that is no segment."""
    # Not mapped into memory: on NFS another machine may remove it meanwhile.
    segment: Segment = np.load(path, allow_pickle=False)
    if segment.dtype != ENTRY or segment.ndim != 1 or segment_name(segment) != path.name:
        raise ValueError(f"{path} is no segment of hashes, or is damaged")
    return segment


def segment_name(segment: Segment) -> str:
    return f"{hashlib.sha256(segment.tobytes()).hexdigest()[:32]}.npy"


def write_segment(folder: Path, segment: Segment) -> bool:
    """False where the cache folder cannot be written."""
    return keep(folder / segment_name(segment), lambda f: np.save(f, segment))


def merge_segments(folder: Path) -> None:
    """All segments become one, in which the newest entry of every item is kept."""
    paths, segments = [], []
    for path in segment_paths(folder):
        with contextlib.suppress(OSError, ValueError, EOFError):
            segments.append(load_segment(path))
            paths.append(path)
    if len(segments) < 2:
        return
    merged = newest(segments)
    if write_segment(folder, merged):
        for path in paths:
            if path.name != segment_name(merged):
                path.unlink(missing_ok=True)


def newest(segments: Sequence[Segment]) -> Segment:
    """One segment, sorted by item; of several entries of an item the last."""
    together = np.concatenate(segments)[::-1]
    _, first = np.unique(together["item"], return_index=True)
    return together[first]
