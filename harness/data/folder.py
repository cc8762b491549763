"""Your own pictures: `folder:PATH`, as class folders or with a labels.csv.

    PATH/labels.csv           columns path, label, split (train | test), optional group
    PATH/train/CLASS/*.jpg    and PATH/test/CLASS/*.jpg
    PATH/CLASS/*.jpg          all of it is test: for zero-shot and across data sets

Underscores in folder names become spaces, for the text encoder's sake; labels in labels.csv stay
as they are written.
"""

from __future__ import annotations

import csv
import unicodedata
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from harness.data._base import ImageFiles, manifest
from harness.data._images import EXTENSIONS
from harness.errors import DataError, did_you_mean, nearest
from harness.types import Items

MODALITY = "image"
SPLITS = ("train", "test")
_COLUMNS = ("path", "label", "split")

#: (relative path, label, group) of every item of a split
_Rows = list[tuple[str, str, str]]


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


@cache
def open_dataset(argument: str, options: Options) -> ImageFiles:
    """The pictures below `argument`.

    Raises DataError: missing folder, empty class, duplicate class names, a labels.csv that lacks
    a column or names a file that is not there.
    """
    root = _root(argument)
    table = root / "labels.csv"
    rows = _from_csv(root, table) if table.is_file() else _from_folders(root)
    names = tuple(sorted({label for split in rows.values() for _, label, _ in split}))
    if not names:
        raise DataError(f"dataset folder:{argument}: no picture was found in {root}")
    _refuse_twins(names, table if table.is_file() else root)
    labelled = [(path, label) for split in rows.values() for path, label, _ in split]
    train, test = (_items(rows[split], names) for split in SPLITS)
    try:
        content = manifest(root, labelled)
    except OSError as error:
        raise DataError(f"picture {error.filename} cannot be read: {error.strerror}") from error
    return ImageFiles(root, names, train, test, content, {})


def _root(argument: str) -> Path:
    if not argument:
        raise DataError("dataset 'folder' needs a path, as in folder:flowers")
    try:
        root = Path(argument).expanduser()
        found = root.is_dir()
    except (OSError, RuntimeError) as error:  # a name too long, a user that is not
        short = argument if len(argument) < 200 else f"{argument[:200]}..."
        raise DataError(f"dataset folder:{short} cannot be read: {_plain(error)}") from error
    if not found:
        raise DataError(f"dataset folder:{argument}: there is no folder {root}")
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
    if any((root / split).is_dir() for split in SPLITS):
        return {split: _class_folders(root, root / split) for split in SPLITS}
    return {"train": [], "test": _class_folders(root, root)}


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


def _refuse_twins(names: tuple[str, ...], where: Path) -> None:
    """Names that a text encoder would read as one are almost always a slip."""
    seen: dict[str, str] = {}
    for name in names:
        one_form = unicodedata.normalize("NFKC", name).casefold()
        plain = " ".join(one_form.replace("_", " ").split())
        if plain in seen:
            raise DataError(f"duplicate class names in {where}: '{seen[plain]}' and '{name}'")
        seen[plain] = name


def _items(rows: _Rows, names: tuple[str, ...]) -> Items:
    index = {name: i for i, name in enumerate(names)}
    labels = np.array([index[label] for _, label, _ in rows], dtype=np.int64)
    groups: dict[str, int] = {}
    numbers = [groups.setdefault(group or path, len(groups)) for path, _, group in rows]
    return Items(tuple(path for path, _, _ in rows), labels, np.array(numbers, dtype=np.int64))
