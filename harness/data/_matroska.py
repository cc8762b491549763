"""The size that an mkv or webm file declares: what is missing of a truncated one, to the byte.

EBML (RFC 8794): an element is an id, a size and its content, id and size of variable length; the
file is an EBML header and one Segment (RFC 9559).
"""

from __future__ import annotations

from os import SEEK_CUR
from typing import IO

HEADER, SEGMENT = 0x1A45DFA3, 0x18538067


def declared_size(handle: IO[bytes]) -> int | None:
    """In bytes, of an open file; None if it does not say (a recording that was never finished) or
    is no Matroska.
    """
    if _number(handle, keep_marker=True) != HEADER:
        return None
    header = _number(handle)
    if header is None:
        return None
    handle.seek(header, SEEK_CUR)
    if _number(handle, keep_marker=True) != SEGMENT:
        return None
    segment = _number(handle)
    return None if segment is None else handle.tell() + segment


def _number(handle: IO[bytes], *, keep_marker: bool = False) -> int | None:
    """A number of variable length: as many leading zero bits as bytes follow the first.

    None at the end of the file, and for a size that says 'unknown' (all bits set).
    """
    first = handle.read(1)
    if not first or first[0] == 0:
        return None
    length = 9 - first[0].bit_length()
    rest = handle.read(length - 1)
    if len(rest) < length - 1:
        return None
    value = int.from_bytes(first + rest, "big")
    if keep_marker:
        return value
    unmarked = value & ((1 << 7 * length) - 1)
    return None if unmarked == (1 << 7 * length) - 1 else unmarked
