"""What a folder of a data set holds: files to read, special files, files of other kinds.

Files and folders that operating systems and editors leave behind are ignored at every depth.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import DataError
from harness.core.text_files import special

#: Left behind by macOS, Windows, and the Synology file server; in lower case.
JUNK = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir"})

#: Endings and names of files that go with data and are none of them.
DOCUMENTS = (".txt", ".csv", ".json", ".jsonl", ".md", ".xml", ".yaml", ".yml")
TEXTS = ("readme", "license", "licence", "copying")
WITHOUT_SUFFIX = "without a suffix"
#: The kind of a file that cannot be named in a Record.
NO_TEXT_NAME = "a file whose name is not UTF-8"
#: The kind of a link to a folder, which is not followed.
LINK = "link to a folder"


def is_junk(name: str) -> bool:
    """Whether a file or folder of this name is no data: hidden, or left behind by a system."""
    return name.startswith(".") or name.lower() in JUNK


def visible(folder: Path | str) -> list[os.DirEntry[str]]:
    """The files and folders directly in `folder` that are not junk, sorted by name.

    Raises DataError if the folder cannot be read.
    """
    try:
        with os.scandir(folder) as found:
            return sorted((e for e in found if not is_junk(e.name)), key=lambda e: e.name)
    except OSError as error:
        raise DataError(f"folder {folder} cannot be read: {error.strerror}") from error


def entries(folder: Path) -> list[Path]:
    """Like `visible`, as paths."""
    return [folder / entry.name for entry in visible(folder)]


def folders_in(folder: Path) -> list[Path]:
    """The folders directly in `folder` that are not junk, sorted; links to folders are followed."""
    return [folder / entry.name for entry in visible(folder) if is_folder(entry)]


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link to one."""
    # A path takes a link that leads to itself for no folder; an entry raises an error.
    return Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir()


def suffix_of(name: str) -> str:
    """The suffix of a file name in lower case, as that of a Path: '.png', or ''."""
    dot = name.rfind(".")
    return name[dot:].lower() if 0 < dot < len(name) - 1 else ""


def printable(text: object) -> str:
    """A name as a message shows it, with bytes that are not UTF-8 as escapes."""
    return str(text).encode(errors="backslashreplace").decode()


def has_text_name(path: Path | str) -> bool:
    """Whether a path is UTF-8; another cannot be written to a Record."""
    text = str(path)
    return text.isascii() or printable(text) == text


def is_document(path: Path) -> bool:
    """Whether a file goes with the data and is none of them: a list, a table, a readme."""
    name = path.name.lower()
    return path.suffix.lower() in DOCUMENTS or name.partition(".")[0] in TEXTS


def left_out_note(kinds: Iterable[str], reference: str) -> tuple[str, ...]:
    """The note of a report on files whose `kinds` are not read; () where there is none."""
    counted = counts_of(kinds)
    if not counted:
        return ()
    return (f"Left out of {reference}, as files of their kind are not read: {counted}.",)


def counts_of(kinds: Iterable[str]) -> str:
    """How many there are of every kind, the most frequent first: '12 .heic, 3 .svg'."""
    counted = sorted(Counter(kinds).items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{count} {kind}" for kind, count in counted)


@dataclass
class Listing:
    """The content of a folder."""

    folder: Path
    #: Of files of the kinds that are read, relative to the folder, sorted by their parts. No Paths:
    #: a million of them take half a minute.
    names: list[str] = field(default_factory=list)
    special: dict[Path, str] = field(default_factory=dict)  # named like these, with what it is
    other: dict[Path, str] = field(default_factory=dict)  # of kinds that are not; documents aside

    @property
    def files(self) -> list[Path]:
        """The paths of `names`."""
        return [self.folder / name for name in self.names]


def listing(folder: Path, suffixes: Collection[str], *, deep: bool = True) -> Listing:
    """The files in `folder`, and in the folders below it if `deep`.

    `suffixes` are those of files that are read, in lower case. Links to folders below `folder` are
    not followed, as they may form a loop; they are listed as of another kind.

    Raises DataError if a folder cannot be read.
    """
    result = Listing(folder)
    to_visit = [""]
    while to_visit:
        to_visit += _list_one(result, to_visit.pop(), suffixes, deep=deep)
    if any("/" in name for name in result.names):
        # NUL is in no name and before all that is, so folders are compared part by part.
        result.names.sort(key=lambda name: name.replace("/", "\0"))
    return result


def _list_one(result: Listing, below: str, suffixes: Collection[str], *, deep: bool) -> list[str]:
    """Add what is directly in one folder; `below` is '', or its path with a slash at the end.
    Returns the folders in it.
    """
    folder = result.folder / below
    folders = []
    as_text = has_text_name(folder)
    for entry in visible(folder):
        name = entry.name
        suffix = suffix_of(name)
        if suffix in suffixes:
            # Of an entry that is no link this needs no stat on most file systems.
            kind = "" if entry.is_file(follow_symlinks=False) else special(entry.path)
            if not kind and not (as_text and has_text_name(name)):
                kind = NO_TEXT_NAME
            if kind:
                result.special[folder / name] = kind
            else:
                result.names.append(below + name)
        elif not is_folder(entry):
            if not is_document(folder / name):
                result.other[folder / name] = suffix or WITHOUT_SUFFIX
        elif deep and entry.is_symlink():
            result.other[folder / name] = LINK
        elif deep:
            folders.append(f"{below}{name}/")
    return folders
