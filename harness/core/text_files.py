"""Text files of a user: one reader for lists, tables, templates and tasks.

UTF-8, with or without a byte-order mark. What is not a regular file is never opened, as a FIFO
would block.
"""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from harness.core.errors import DataError

#: What a file that is not regular is called.
KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip
#: UTF-32 first, as its mark begins like that of UTF-16.
_OTHER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16",
}  # fmt: skip


class NotText(ValueError):
    """Why bytes are no text in UTF-8, as a phrase that follows the name of the file."""


def special(path: Path | str) -> str:
    """What a path is that must not be opened, as a FIFO would block: 'a FIFO', 'a folder', ...

    '' for a regular file, for a link to one, and where there is nothing.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - no Path is made of a million strings
    except (OSError, ValueError):  # a ValueError for a NUL in the name
        return "a link that leads nowhere" if Path(path).is_symlink() else ""
    return "" if stat.S_ISREG(mode) else KINDS.get(stat.S_IFMT(mode), "no regular file")


def read_text(path: Path, missing: str = "") -> str:
    """The text of a file, its lines ended by a line feed and no byte-order mark before it.

    Raises DataError if it cannot be read; `missing` says where one that is not there comes from.
    """
    kind = special(path)
    if kind:
        raise DataError(f"{path} cannot be read: it is {kind}")
    try:
        return decoded(path.read_bytes())
    except NotText as error:
        raise DataError(f"{path} {error}") from error
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}{missing and f': {missing}'}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def is_text_file(path: Path) -> bool:
    """Whether a file is there that may be read.

    Raises DataError for a FIFO, a folder, ... of that name, which nobody would miss.
    """
    kind = special(path)
    if kind:
        raise DataError(f"{path} cannot be read: it is {kind}")
    return path.is_file()


def decoded(content: bytes) -> str:
    """The text of the content of a file, as `read_text` gives it.

    Raises NotText for another encoding.
    """
    for mark, encoding in _OTHER_MARKS.items():
        if content.startswith(mark):
            raise NotText(f"is in {encoding}; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotText(f"is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    before, nul, _ = text.partition("\0")
    if nul:  # UTF-16 without a mark is UTF-8 with many of them
        line = before.count("\n") + 1
        raise NotText(f"is no text: there is a NUL character in line {line}")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_of(text: str) -> list[str]:
    """The lines of a text, stripped. str.splitlines would also split at a form feed and others."""
    return [line.strip() for line in text.split("\n")]
