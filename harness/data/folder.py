"""Your own pictures: `folder:PATH`, as class folders or with a labels.csv.

    PATH/labels.csv           columns path, label, split (train | test | val), optional group
    PATH/train/CLASS/*.jpg    and PATH/test/CLASS/*.jpg, and perhaps PATH/val/CLASS/*.jpg
    PATH/CLASS/*.jpg          all of it is test: for zero-shot and across data sets

A val split is kept apart and counted; `{name: folder:PATH, test: val}` tests on it instead, for
data that come with train and val alone. Underscores in folder names become spaces, for the text
encoder's sake; labels in labels.csv stay as they are written.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.samples import Items
from harness.data._base import ImageFiles, Rows, apart_note, items_of, manifest, refuse_twins
from harness.data._checked import PictureOptions, without_corrupt
from harness.data._images import EXTENSIONS

SPLITS = ("train", "test", "val")
_COLUMNS = ("path", "label", "split")

#: (relative path, label, group) of every item of a split
_Rows = list[tuple[str, str, str]]


class Options(PictureOptions):
    test: Literal["test", "val"] = "test"


@cache
def open_dataset(argument: str, options: Options) -> ImageFiles:
    """The pictures below `argument`.

    Raises DataError: missing folder, empty class, duplicate class names, a labels.csv that lacks
    a column or names a file that is not there, more corrupt pictures than max_corrupt.
    """
    root = folder_at(argument, "folder", "flowers")
    table = root / "labels.csv"
    rows = _from_csv(root, table) if table.is_file() else _from_folders(root)
    names = tuple(sorted({label for split in rows.values() for _, label, _ in split}))
    if not names:
        raise DataError(f"dataset folder:{argument}: no picture was found in {root}")
    refuse_twins(names, table if table.is_file() else root)
    apart = "val" if options.test == "test" else "test"
    if not rows[options.test] and rows[apart]:
        raise DataError(
            f"dataset folder:{argument} has no split '{options.test}'; to test on '{apart}': "
            f"{{name: folder:{argument}, test: {apart}}}"
        )
    used = [*rows["train"], *rows[options.test]]
    try:
        # What is kept apart changes no result, so it is not in the manifest.
        uses = {"train": rows["train"], "test": rows[options.test]}
        content = manifest(root, [(use, *row) for use, found in uses.items() for row in found])
        address = file_times(root, [path for path, _, _ in used]) if options.max_corrupt else []
    except OSError as error:
        raise DataError(f"picture {error.filename} cannot be read: {error.strerror}") from error
    val = _items(rows[apart], names)
    data = ImageFiles(
        root, names, _items(rows["train"], names), _items(rows[options.test], names), content, {},
        val=val, notes=apart_note(val, f"folder:{argument}", apart),
        reference=f"folder:{argument}",
    )  # fmt: skip
    return without_corrupt(data, options.max_corrupt, address)


def folder_at(argument: str, family: str, example: str) -> Path:
    """The folder that a data set names.

    Raises DataError if there is none.
    """
    if not argument:
        raise DataError(f"dataset '{family}' needs a path, as in {family}:{example}")
    try:
        root = Path(argument).expanduser()
        found = root.is_dir()
    except (OSError, RuntimeError) as error:  # a name too long, a user that is not
        short = argument if len(argument) < 200 else f"{argument[:200]}..."
        raise DataError(f"dataset {family}:{short} cannot be read: {_plain(error)}") from error
    if not found:
        raise DataError(f"dataset {family}:{argument}: there is no folder {root}")
    return root


def _plain(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _from_csv(root: Path, table: Path) -> dict[str, _Rows]:
    rows: dict[str, _Rows] = {split: [] for split in SPLITS}
    seen: set[str] = set()
    try:
        with table.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            missing = [c for c in _COLUMNS if c not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{table}: there is no column '{missing[0]}'; needed: "
                                + ", ".join(_COLUMNS))  # fmt: skip
            for line, row in enumerate(reader, start=2):
                _check_row(root, table, line, row, seen)
                rows[row["split"]].append((row["path"], row["label"], row.get("group") or ""))
    except UnicodeDecodeError as error:
        raise DataError(f"{table} is not UTF-8 (byte {error.start})") from error
    except csv.Error as error:
        raise DataError(f"{table}, line {reader.line_num + 1}: {error}") from error
    except OSError as error:
        raise DataError(f"{table} cannot be read: {error.strerror}") from error
    for split in rows.values():
        split.sort()  # the order of lines decides nothing
    return rows


def _check_row(root: Path, table: Path, line: int, row: dict[str, str], seen: set[str]) -> None:
    if None in row or None in row.values():
        raise DataError(f"{table}, line {line}: more or fewer fields than the first line names")
    if row["split"] not in SPLITS:
        close = did_you_mean(nearest(row["split"], SPLITS))
        raise DataError(
            f"{table}, line {line}: split '{row['split']}'; allowed: {', '.join(SPLITS)}{close}"
        )
    if not row["label"]:
        raise DataError(f"{table}, line {line}: the label is empty")
    if row["path"] in seen:
        raise DataError(f"{table}, line {line}: {row['path']} is listed twice")
    if not (root / row["path"]).is_file():
        raise DataError(f"{table}, line {line}: there is no file {root / row['path']}")
    seen.add(row["path"])


def _from_folders(root: Path) -> dict[str, _Rows]:
    # A folder `val` alone may be a class of that name; beside train or test it is a split.
    if any((root / split).is_dir() for split in ("train", "test")):
        return {split: _class_folders(root, root / split) for split in SPLITS}
    return {"train": [], "test": _class_folders(root, root), "val": []}


def _class_folders(root: Path, parent: Path) -> _Rows:
    rows: _Rows = []
    folders = sorted(p for p in parent.glob("*") if p.is_dir() and p.name[0] != ".")
    labels: dict[str, Path] = {}
    for folder in folders:
        label = folder.name.replace("_", " ")
        if label in labels:
            raise DataError(f"two folders mean one class '{label}': {labels[label]} and {folder}")
        labels[label] = folder
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in EXTENSIONS)
        if not files:
            raise DataError(f"class '{label}' is empty: no picture in {folder}")
        for path in (folder, *files):
            shown = str(path).encode(errors="backslashreplace").decode()
            if shown != str(path):
                raise DataError(f"the name of {shown} is not UTF-8; rename it")
        rows += [(p.relative_to(root).as_posix(), label, "") for p in files]
    return rows


def _items(rows: _Rows, names: tuple[str, ...]) -> Items:
    index = {name: i for i, name in enumerate(names)}
    numbered: Rows = [(path, index[label], group) for path, label, group in rows]
    return items_of(numbered)


def file_times(root: Path, paths: Iterable[str]) -> list[tuple[str, int, int]]:
    """Path, size and time of files: what is remembered of them holds as long as these do."""
    stats = [(path, (root / path).stat()) for path in sorted(paths)]
    return [(str(root.resolve() / path), s.st_size, s.st_mtime_ns) for path, s in stats]
