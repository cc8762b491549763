"""Lists of videos as train.txt and test.txt, one `path label` or `path num_frames label` a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.problems import Problems
from harness.core.text_files import is_text_file
from harness.data._tables import csv_rows, numbered_lines
from harness.data._video_rows import VIDEOS, ListOptions, Row, VideoLists, tell_empty

LISTS = (".txt", ".csv")
#: `path num_frames label`, and `path label`
COUNTED, PLAIN = 3, 2


def path_lists(root: Path, options: ListOptions, problems: Problems) -> VideoLists:
    """train.txt, test.txt (or val.txt; or .csv), and labels.csv (id,name).

    Raises DataError for a file that is missing or cannot be read.
    """
    trained = options.train or _list_file(root, "train")
    tested = options.test or _list_file(root, "test", "val")
    files = [root / name for name in (trained, tested)]
    if options.train is None and not is_text_file(files[0]):
        files = files[1:]  # nothing to train on: for zero-shot
    rows = {path.name: _rows(path, problems) for path in files}
    train, test = (rows.get(Path(name).name, []) for name in (trained, tested))
    names = _names(root, options, [*train, *test], problems)
    train, test = (
        [row._replace(label=names[row.label]) for row in split if row.label in names]
        for split in (train, test)
    )
    return VideoLists(files[-1], list(names.values()), train, test, folders=("", "videos"))


def _list_file(root: Path, *splits: str) -> str:
    """The list of the first of `splits` that has one, else the name that it should have."""
    names = [f"{split}{end}" for split in splits for end in LISTS]
    return next((name for name in names if is_text_file(root / name)), names[0])


def _rows(path: Path, problems: Problems) -> list[Row]:
    """The lines of a list, all of one form; a path may hold spaces."""
    lines = list(numbered_lines(path))
    # One line alone may be a path that ends in a number; most of them are not.
    form = COUNTED if sum(_is_counted(line) for _, line in lines) * 2 > len(lines) else PLAIN
    here = Problems(str(path))
    rows = [row for number, line in lines if (row := _row(path, number, line, form, here))]
    tell_empty(path, rows, here)
    error = here.error()
    if error is not None:
        problems.add_error(f"lines of {path}", error)
    return rows


def _is_counted(line: str) -> bool:
    """Whether a line is `path num_frames label`, and no `path label` whose path has a space."""
    parts = line.rsplit(maxsplit=2)
    path = line.rsplit(maxsplit=1)[0]
    numbers = len(parts) == COUNTED and all(part.isdecimal() for part in parts[1:])
    return numbers and Path(path).suffix.lower() not in VIDEOS


def _row(path: Path, number: int, line: str, form: int, problems: Problems) -> Row | None:
    parts = line.rsplit(maxsplit=form - 1)
    where = f"{path.name}, line {number}"
    if form == COUNTED and not _is_counted(line):
        problem = "is not 'path num_frames label', as most lines are"
    elif len(parts) < form:
        problem = "is neither 'path label' nor 'path num_frames label'"
    elif form == COUNTED and int(parts[1]) == 0:
        problem = "says that there are 0 frames"
    else:
        count = int(parts[1]) if form == COUNTED else None
        return Row(parts[0], parts[-1], frames=count, line=where)
    problems.add("line", f"{path}, line {number} {problem}: {line[:100]!r}")
    return None


def _names(
    root: Path, options: ListOptions, rows: Sequence[Row], problems: Problems
) -> dict[str, str]:
    """Label -> class name, in the order of the classes; numbers are looked up in labels.csv."""
    file = root / (options.labels or "labels.csv")
    labels = {row.label: row for row in reversed(rows)}
    if not is_text_file(file) and not options.labels:
        if any(label.isdecimal() for label in labels):
            raise DataError(
                f"the lists in {root} have numbers for labels, and there is no {file} with the "
                "columns id,name"
            )
        return {label: label for label in sorted(labels)}
    names: dict[str, str] = {}
    for line, row in csv_rows(file, ("id", "name"), problems):
        if row["id"] in names:
            problems.add("id", f"{file}, line {line}: the id {row['id']} is there twice")
        names.setdefault(row["id"], row["name"])
    if set(names) != {str(i) for i in range(len(names))}:
        problems.add("ids", f"{file}: the ids must be 0 to {len(names) - 1}, each once")
        return names
    for label, listed in labels.items():
        if label not in names:
            close = did_you_mean(nearest(label, names))
            problems.add("label", f"{file} has no id {label}, which {listed.line} names{close}")
    return {label: names[label] for label in sorted(names, key=int)}
