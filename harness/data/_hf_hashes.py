"""Hashes of pictures in rows of tables, remembered while the files of the tables are the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import DataError
from harness.core.hashes import Hashes, Read, read_file
from harness.core.hashing import canonical
from harness.core.identity import Identity, identity, of_stat

if TYPE_CHECKING:
    from harness.core.identity import Identities


@dataclass(frozen=True)
class Rows:
    """The pictures of one split: of each the encoded bytes, or the path of a file."""

    column: Any  # chunked array of structs
    files: tuple[str, ...]  # that the table is read from; () for one in memory

    @cached_property
    def lengths(self) -> Sequence[int | None]:
        """Bytes of every picture; None for one that is a file, or is not there."""
        import pyarrow.compute as pc

        lengths: list[int | None] = pc.binary_length(
            pc.struct_field(self.column, "bytes")
        ).to_pylist()
        return lengths

    @cached_property
    def paths(self) -> Sequence[str | None]:
        import pyarrow.compute as pc

        paths: list[str | None] = pc.struct_field(self.column, "path").to_pylist()
        return paths

    @cached_property
    def table(self) -> tuple[int, int, int] | None:
        """What says that the table is still the same, in the place of times and inode of a file."""
        if not self.files:
            return None
        state = canonical([[name, identity(name)] for name in self.files])
        one, two, three = np.frombuffer(
            hashlib.sha256(state.encode()).digest()[:24], "<u8"
        ).tolist()
        return one, two, three


def hashes_of_rows(scope: str, splits: Mapping[str, Rows], shown: str) -> Hashes:
    """The hashes of items 'train/000123'.

    Their methods raise OSError for a file that cannot be read, DataError for an empty row.
    """

    def locate(item: str) -> tuple[Rows, int]:
        split, _, row = item.rpartition("/")
        return splits[split], int(row)

    def path_of(item: str) -> str:
        rows, n = locate(item)
        path = rows.paths[n]
        if not path:
            raise DataError(f"picture {item} of {shown} is empty")
        return path

    def identity_of(item: str) -> Identity:
        rows, n = locate(item)
        length = rows.lengths[n]
        if length is None:
            return of_stat(os.stat(path_of(item)))  # noqa: PTH116
        return (length, *(rows.table or (0, 0, 0)))

    def identities_of(items: Sequence[str]) -> Identities:
        return np.array([identity_of(item) for item in items], dtype=np.uint64).reshape(-1, 4)

    def read(item: str) -> Read:
        rows, n = locate(item)
        length = rows.lengths[n]
        if length is None:
            return read_file(Path(path_of(item)))
        encoded: bytes = rows.column[n].as_py()["bytes"]
        known = None if rows.table is None else (length, *rows.table)
        return Read(hashlib.sha256(encoded).digest(), known)

    return Hashes(scope, identities_of, read)
