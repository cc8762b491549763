"""labels.csv of a data set of pictures: a table of pictures, or the names of class folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import did_you_mean, nearest
from harness.core.problems import Problems
from harness.core.text_files import is_text_file, special
from harness.data._listing import printable
from harness.data._tables import columns_of, csv_rows

SPLITS = ("train", "test", "val")
COLUMNS = ("path", "label", "split")
NAMES = ("id", "name")


@dataclass
class Split:
    """What a split holds."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)  # path, label, group or ''
    special: dict[str, str] = field(default_factory=dict)  # path of a special file -> what it is
    left_out: list[str] = field(default_factory=list)  # the kinds of files that are not read


def names_classes(table: Path) -> bool:
    """Whether a labels.csv that is there has the names of class folders (id,name), and no pictures.

    Raises DataError if it cannot be read.
    """
    if not is_text_file(table):
        return False
    columns = columns_of(table)
    return columns >= {*NAMES} and not columns & {*COLUMNS}


def class_names(table: Path, problems: Problems) -> dict[str, str]:
    """Folder -> name of the class, of a table `id,name`. Underscores in names become spaces."""
    names: dict[str, str] = {}
    for line, row in csv_rows(table, NAMES, problems):
        if row["id"] in names:
            problems.add("id", f"{table}, line {line}: the id {row['id']} is there twice")
        names[row["id"]] = row["name"].replace("_", " ")
    return names


def labels_csv(table: Path, problems: Problems) -> dict[str, Split]:
    """The splits of a table `path,label,split` with perhaps `group`, whose paths are relative to
    the folder of the table. Lines that are wrong are told as `problems`.

    Raises DataError if the table cannot be read, or lacks a column.
    """
    splits = {split: Split() for split in SPLITS}
    seen: dict[str, int] = {}
    prefix = os.path.join(table.parent, "")  # noqa: PTH118 - a million Path objects take long
    for line, row in csv_rows(table, COLUMNS, problems):
        path, where = row["path"], f"{table}, line {line}"
        if _is_wrong(where, row, seen, table.parent, problems):
            continue
        seen[os.path.normpath(path)] = line
        split = splits[row["split"]]
        kind = special(prefix + path)
        if kind:
            split.special[path] = kind
        else:
            split.rows.append((path, row["label"], row.get("group") or ""))
    for split in splits.values():
        split.rows.sort()  # no draw depends on the order of the lines
    return splits


def _is_wrong(
    where: str, row: Mapping[str, str], seen: Mapping[str, int], root: Path, problems: Problems
) -> bool:
    """Whether a row is wrong, which is told as a problem."""
    path, split = row["path"], row["split"]
    before = seen.get(os.path.normpath(path))  # ./x.png and x.png are one file
    if split not in SPLITS:
        close = did_you_mean(nearest(split, SPLITS))
        problems.add("split", f"{where}: split '{split}'; allowed: {', '.join(SPLITS)}{close}")
    elif path.startswith("/"):
        problems.add("absolute", f"{where}: the path {path} must be relative to the folder {root}")
    elif before is not None:
        problems.add("twice", f"{where}: {path} is listed twice, first in line {before}")
    elif not ((root / path).is_file() or special(root / path)):
        slashes = "; folders are separated by /" if "\\" in path else ""
        problems.add("file", f"{where}: there is no file {printable(root / path)}{slashes}")
    else:
        return False
    return True
