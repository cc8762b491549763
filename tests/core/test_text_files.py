"""The one reader of text files: UTF-8 with or without a mark, other encodings and files refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.core.text_files import decoded, lines_of, read_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_texts_with_or_without_a_byte_order_mark(tmp_path: Path, encoding: str, end: str) -> None:
    (tmp_path / "x.txt").write_bytes(f"Größe{end}b".encode(encoding))
    assert read_text(tmp_path / "x.txt") == "Größe\nb"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Größe".encode("latin-1"), r"is not UTF-8 \(byte 2\); save it as UTF-8"),
        ("Größe".encode("utf-16"), "is in UTF-16; save it as UTF-8"),
        ("Größe".encode("utf-32"), "is in UTF-32; save it as UTF-8"),
        ("ab".encode("utf-16-le"), "is no text: there is a NUL character in line 1"),
    ],
)
def test_other_encodings_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"x\.txt {said}$"):
        read_text(tmp_path / "x.txt")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file .*y\.txt: ask for it$"):
        read_text(tmp_path / "y.txt", "ask for it")
    with pytest.raises(DataError, match=r"there is no file .*y\.txt$"):
        read_text(tmp_path / "y.txt")
    with pytest.raises(DataError, match="cannot be read: it is a folder"):
        read_text(tmp_path)
    os.mkfifo(tmp_path / "z.txt")
    with pytest.raises(DataError, match=r"z\.txt cannot be read: it is a FIFO"):
        read_text(tmp_path / "z.txt")


def test_a_line_ends_at_a_line_feed_alone() -> None:
    assert lines_of(decoded("a \x0cb\u2028c\n d\n".encode())) == ["a \x0cb\u2028c", "d", ""]
