"""One pass over a tar shard: key, place, label and sha256 of every sample."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import DataError
from harness.data._listing import is_junk, printable
from harness.data._shard_files import open_shard

if TYPE_CHECKING:
    import numpy.typing as npt

#: What is read at once.
PIECE = 2**20
#: Of a member with labels, at most: a picture under the name of a label is not read.
MOST_LABEL_BYTES = 2**24
#: How files begin that are compressed.
MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"(\xb5/\xfd": "zstd",
         b"\x04\x22M\x18": "lz4"}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which members of samples are read. `media` are suffixes of pictures and videos."""

    media: frozenset[str]
    member: str | None = None  # the ending of the picture, where samples have several
    label: str | None = None  # a field of the json


@dataclass(frozen=True, eq=False)
class Shard:
    """The N samples of a shard in its order."""

    place: str
    keys: Sequence[str]
    suffixes: Sequence[str]  # of each, as '.jpg'
    labels: Sequence[str]  # as they are written
    start_N: npt.NDArray[np.int64]
    size_N: npt.NDArray[np.int64]
    sha_N32: npt.NDArray[np.uint8]


@dataclass
class _Sample:
    """The members of one key."""

    media: dict[str, tuple[int, int, bytes]] = field(default_factory=dict)  # ending -> place, hash
    labels: dict[str, bytes] = field(default_factory=dict)  # ending -> content


def pass_over(place: str, wanted: Wanted) -> Shard:
    """What the shard holds. Every byte of it is read.

    Raises DataError: not a whole tar, a sample without a picture or video, with several, without a
    label or with two.
    """
    samples: dict[str, _Sample] = {}
    for key, ending, start, read in _members(place):
        sample = samples.setdefault(key, _Sample())
        if ending in sample.media or ending in sample.labels:
            raise DataError(f"shard {place} holds {key}.{ending} twice")
        if f".{ending.rpartition('.')[2]}" in wanted.media:
            sample.media[ending] = start, *_hashed(read)
        elif ending in ("cls", "json"):
            sample.labels[ending] = b"".join(read)[:MOST_LABEL_BYTES]
    found = [
        (k, s, _chosen(place, k, s, wanted)) for k, s in samples.items() if s.media or s.labels
    ]
    if not found:
        raise DataError(f"shard {place} holds no picture and no video")
    places = [sample.media[ending] for _, sample, ending in found]
    return Shard(
        place,
        keys=[key for key, _, _ in found],
        suffixes=["." + ending.rpartition(".")[2] for _, _, ending in found],
        labels=[_label(place, key, sample, wanted) for key, sample, _ in found],
        start_N=np.array([start for start, _, _ in places], dtype=np.int64),
        size_N=np.array([size for _, size, _ in places], dtype=np.int64),
        sha_N32=np.frombuffer(b"".join(sha for _, _, sha in places), np.uint8).reshape(-1, 32),
    )


def _members(place: str) -> Iterator[tuple[str, str, int, Iterator[bytes]]]:
    """(key, ending, first byte, content) of every file. Raises DataError."""
    with open_shard(place) as handle:
        _refuse_compressed(place, handle)
        try:
            with tarfile.open(fileobj=handle, mode="r:") as tar:
                end = 0
                while (member := tar.next()) is not None:
                    tar.members = []  # type: ignore[attr-defined]  # it would remember a million of them
                    end = member.offset_data + -(-member.size // 512) * 512 * member.isreg()
                    key, ending = _key(member.name)
                    if member.isreg() and ending:
                        yield key, ending, member.offset_data, _pieces(place, handle, member)
                    elif member.islnk() or member.issym():
                        raise DataError(f"shard {place}: {member.name} is a link, which has no "
                                        "content: write the file itself")  # fmt: skip
                handle.seek(end)
                if handle.read(512) != bytes(512):
                    raise DataError(f"shard {place} is damaged or cut short: it has no end")
        except tarfile.TarError as error:
            raise DataError(f"shard {place} is no whole tar archive: {error}") from error
        except OSError as error:
            raise DataError(f"shard {place} cannot be read: {error.strerror or error}") from error


def _key(name: str) -> tuple[str, str]:
    """'a/x.seg.png' to ('a/x', 'seg.png'), as WebDataset has it; no ending for what is no data."""
    folder, slash, base = name.removeprefix("./").rpartition("/")
    stem, _, ending = base.partition(".")
    if is_junk(base) or any(is_junk(part) for part in folder.split("/") if part):
        return name, ""
    if printable(name) != name:
        raise DataError(f"the name {printable(name)} in a shard is not UTF-8")
    return folder + slash + stem, ending.lower()


def _pieces(place: str, handle: IO[bytes], member: tarfile.TarInfo) -> Iterator[bytes]:
    handle.seek(member.offset_data)
    left = member.size
    while left:
        piece = handle.read(min(PIECE, left))
        if not piece:
            raise DataError(f"shard {place} is cut short: {member.name} has {left} bytes less")
        left -= len(piece)
        yield piece


def _hashed(pieces: Iterator[bytes]) -> tuple[int, bytes]:
    sha256, size = hashlib.sha256(), 0
    for piece in pieces:
        sha256.update(piece)
        size += len(piece)
    return size, sha256.digest()


def _refuse_compressed(place: str, handle: IO[bytes]) -> None:
    first = handle.read(8)
    handle.seek(0)
    kind = next((kind for magic, kind in MAGIC.items() if first.startswith(magic)), None)
    if kind:
        raise DataError(f"shard {place} is compressed ({kind}), and single samples cannot be read "
                        "from it: decompress it to .tar")  # fmt: skip
    if not first:
        raise DataError(f"shard {place} is empty")


def _chosen(place: str, key: str, sample: _Sample, wanted: Wanted) -> str:
    """The ending of the picture or video of a sample."""
    if wanted.member is not None:
        if wanted.member not in sample.media:
            raise DataError(f"sample {key} of {place} has no {wanted.member}")
        return wanted.member
    if len(sample.media) == 1:
        return next(iter(sample.media))
    if not sample.media:
        raise DataError(f"sample {key} of {place} has a label and no picture or video")
    named = ", ".join(sorted(sample.media))
    raise DataError(f"sample {key} of {place} has several pictures or videos ({named}): name one "
                    "with the option member")  # fmt: skip


def _label(place: str, key: str, sample: _Sample, wanted: Wanted) -> str:
    """As it is written: text, or the digits of a number."""
    name, found = f"sample {key} of {place}", dict[str, str]()
    if "cls" in sample.labels and wanted.label is None:
        found["cls"] = _text(name, sample.labels["cls"])
    if "json" in sample.labels:
        value = _fields(name, sample.labels["json"]).get(wanted.label or "label")
        if isinstance(value, str | int) and not isinstance(value, bool):
            found["json"] = str(value).strip()
        elif value is not None:
            raise DataError(f"{name}: its label {value!r} is neither a number nor a text")
    labels = {label for label in found.values() if label}
    if len(labels) > 1:
        raise DataError(f"{name} has two labels: {' and '.join(repr(x) for x in found.values())}")
    if not labels:
        field_name = f"a field '{wanted.label or 'label'}' in its json"
        raise DataError(
            f"{name} has no label: neither {key}.cls nor {field_name}"
            if wanted.label is None
            else f"{name} has no label: no {field_name}"
        )
    return labels.pop()


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode().strip()
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: its label is not UTF-8") from error


def _fields(name: str, content: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(content)
    except ValueError as error:
        raise DataError(f"{name}: its json cannot be read: {error}") from error
    return fields if isinstance(fields, dict) else {}
