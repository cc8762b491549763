"""What a folder of a data set holds: files to read, special files, files of other kinds.

Files and folders that operating systems and editors leave behind are ignored at every depth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
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


def entries(folder: Path) -> list[Path]:
    """The files and folders directly in `folder` that are not junk, sorted.

    Raises DataError if the folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not is_junk(path.name))
    except OSError as error:
        raise DataError(f"folder {folder} cannot be read: {error.strerror}") from error


def folders_in(folder: Path) -> list[Path]:
    """The folders directly in `folder` that are not junk, sorted; links to folders are followed."""
    return [path for path in entries(folder) if path.is_dir()]


def printable(text: object) -> str:
    """A name as a message shows it, with bytes that are not UTF-8 as escapes."""
    return str(text).encode(errors="backslashreplace").decode()


def has_text_name(path: Path) -> bool:
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

    files: list[Path] = field(default_factory=list)  # of the kinds that are read, sorted
    special: dict[Path, str] = field(default_factory=dict)  # named like these, with what it is
    other: dict[Path, str] = field(default_factory=dict)  # of kinds that are not; documents aside

    def without(self, skip: Callable[[Path], bool]) -> Listing:
        """The same content without paths that `skip` is true of."""
        return Listing(
            [path for path in self.files if not skip(path)],
            {path: kind for path, kind in self.special.items() if not skip(path)},
            {path: kind for path, kind in self.other.items() if not skip(path)},
        )


def listing(folder: Path, suffixes: Collection[str], *, deep: bool = True) -> Listing:
    """The files in `folder`, and in the folders below it if `deep`.

    `suffixes` are those of files that are read, in lower case. Links to folders below `folder` are
    not followed, as they may form a loop; they are listed as of another kind.

    Raises DataError if a folder cannot be read.
    """
    result = Listing()
    to_visit = [folder]
    while to_visit:
        for path in entries(to_visit.pop()):
            if path.suffix.lower() in suffixes:
                kind = special(path) or ("" if has_text_name(path) else NO_TEXT_NAME)
                if kind:
                    result.special[path] = kind
                else:
                    result.files.append(path)
            elif not path.is_dir():
                if not is_document(path):
                    result.other[path] = path.suffix.lower() or WITHOUT_SUFFIX
            elif deep and path.is_symlink():
                result.other[path] = LINK
            elif deep:
                to_visit.append(path)
    result.files.sort()
    return result
