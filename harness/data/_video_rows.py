"""What the lists of a data set of videos say, whatever their format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from harness.core.problems import Problems
from harness.core.text_files import is_text_file
from harness.data._listing import is_junk
from harness.data._tables import csv_rows

VIDEOS = frozenset({".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi"})


class Row(NamedTuple):
    """One video, as a list names it. A tuple, as there may be hundreds of thousands."""

    path: str
    label: str  # as it is written
    group: str = ""  # '': a group of its own
    frames: int | None = None  # of a folder of extracted frames
    line: str = ""  # where it is listed, as in 'train.txt, line 7'
    wrong: str = ""  # why it cannot be used, if that is known before it is looked up


@dataclass(frozen=True)
class VideoLists:
    """What the lists of a data set say. `names` are the labels in the order of their classes;
    `folders` are where the videos may be, relative to the data set, and `layouts` how a path may be
    written below it, the likelier first.
    """

    source: Path
    names: Sequence[str]
    train: Sequence[Row]
    test: Sequence[Row]
    folders: Sequence[str] = ("",)
    layouts: Sequence[Callable[[str], str]] = (str,)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class ListOptions:
    """Those of the options of `video` that lists depend on."""

    format: str | None = None
    split: int = 1
    train: str | None = None
    test: str | None = None
    labels: str | None = None


#: Reads the lists of one format; lines that are wrong are left out and told as problems.
Reader = Callable[[Path, ListOptions, Problems], VideoLists]


def in_or_below(root: Path, pattern: str) -> list[Path]:
    """Files of a name in the folder, or else in one directly below it."""
    # `pattern` may match a hidden file: macOS adds ._classInd.txt to archives.
    for each in (pattern, f"*/{pattern}"):
        files = [p for p in root.glob(each) if not any(map(is_junk, p.relative_to(root).parts))]
        if files:
            return sorted(files)
    return []


def plain_path(path: str) -> str:
    """A path as `PurePosixPath` writes it: `a/b.mp4` for `./a//b.mp4`."""
    # Most are so; a Path for each of 240,000 takes seconds.
    is_plain = path and "//" not in path and "./" not in path and not path.endswith(("/", "."))
    return path if is_plain else PurePosixPath(path).as_posix()


def tell_empty(path: Path, rows: Sequence[Row], problems: Problems) -> None:
    """Tells a list without a line, which nobody would miss; of one whose lines are all wrong the
    lines are told.
    """
    if not rows and not problems.lines():
        problems.add("empty list", f"{path} lists no video")


def safe(row: Row, source: Path, problems: Problems) -> bool:
    """Whether the path of a row stays below the folder of the videos; another is a problem."""
    if not row.path.startswith("/") and ".." not in row.path.split("/"):
        return True
    problems.add(
        "unsafe",
        f"{_place(row, source)}: the path {row.path} must be relative to the folder of the videos "
        "(option root)",
    )
    return False


def tell_repeated(rows: Sequence[Row], source: Path, problems: Problems) -> None:
    """Tells a video that is listed twice, in one split or in two."""
    first: dict[str, Row] = {}
    for row in rows:
        before = first.setdefault(row.path, row)
        if before is not row:
            where = f", first in {before.line}" if before.line else ""
            problems.add("twice", f"{_place(row, source)}: {row.path} is listed twice{where}")


def groups_of(root: Path, problems: Problems) -> dict[str, str]:
    """groups.csv (path, group) in the folder of the lists; {} if there is none."""
    file = root / "groups.csv"
    if not is_text_file(file):
        return {}
    rows = csv_rows(file, ("path", "group"), problems)
    return {plain_path(row["path"]): row["group"] for _, row in rows}


def _place(row: Row, source: Path) -> str:
    """The file and line of a row, for a message."""
    return str(source.parent / row.line) if row.line else str(source)
