"""Your own pictures: `folder:PATH`, as class folders or with a labels.csv.

    PATH/labels.csv           columns path, label, split (train | test | val), optional group
    PATH/train/CLASS/*.jpg    and PATH/test/CLASS/*.jpg, and perhaps PATH/val/CLASS/*.jpg
    PATH/CLASS/*.jpg          all of it is test: for zero-shot and across data sets

The splits may be written in the usual ways (Train, TEST, training, testing, valid, validation), and
all may be in the one folder that PATH holds. A layout that may mean two things is refused.

A val split is counted and not used; `{name: folder:PATH, test: val}` tests on it instead, for data
that come with train and val alone. Underscores in folder names become spaces, for the text
encoder's sake; labels in labels.csv are not changed.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.samples import Items
from harness.data._files import file_times, folder_at
from harness.data._image_files import ImageFiles, opened_once
from harness.data._images import picture_suffixes
from harness.data._items import (
    Rows,
    items_of,
    manifest,
    refuse_duplicate_names,
    unused_split_note,
)
from harness.data._listing import counts_of, folders_in, left_out_note, listing, special
from harness.data._max_corrupt import PictureOptions, without_corrupt_pictures
from harness.data._split_folders import Wanted, found_layout, one_below, only_folder, split_folders

SPLITS = ("train", "test", "val")
_COLUMNS = ("path", "label", "split")


@dataclass
class _Split:
    """What a split holds."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)  # path, label, group or ''
    special: dict[str, str] = field(default_factory=dict)  # path of a special file -> what it is
    left_out: list[str] = field(default_factory=list)  # the kinds of files that are not read


class Options(PictureOptions):
    """test: the split that is tested. max_corrupt: as in PictureOptions."""

    test: Literal["test", "val"] = "test"


@opened_once
def open_dataset(argument: str, options: Options) -> ImageFiles:
    """The pictures below `argument`.

    Raises DataError: missing folder, a layout that is ambiguous or without a test, empty class,
    duplicate class names, a labels.csv that lacks a column or names a file that is not there, more
    corrupt pictures than max_corrupt.
    """
    reference = f"folder:{argument}"
    root = folder_at(argument, "folder", "flowers")
    splits, root, notes = _read(root, reference, options.test)
    table = root / "labels.csv"
    rows = {name: split.rows for name, split in splits.items()}
    names = tuple(sorted({label for split in rows.values() for _, label, _ in split}))
    if not names:
        raise DataError(f"dataset folder:{argument}: no picture was found in {root}")
    refuse_duplicate_names(names, table if table.is_file() else root)
    unused = "val" if options.test == "test" else "test"
    if not rows[options.test] and not splits[options.test].special:
        other = f"; to test on '{unused}': {{name: {reference}, test: {unused}}}"
        raise DataError(
            f"dataset {reference} has no split '{options.test}'{other if rows[unused] else ''}; "
            f"found: {found_layout(root)}"
        )
    # A split that is not used changes no result, so it is not in the manifest.
    used = [("train", *row) for row in rows["train"]]
    used += [("test", *row) for row in rows[options.test]]
    try:
        content = manifest(root, used)
        address = file_times(root, [path for _, path, _, _ in used]) if options.max_corrupt else []
    except OSError as error:
        raise DataError(f"picture {error.filename} cannot be read: {error.strerror}") from error
    val = _items(rows[unused], names)
    both = (splits["train"], splits[options.test])
    notes += unused_split_note(val, reference, unused)
    notes += left_out_note([kind for split in both for kind in split.left_out], reference)
    data = ImageFiles(
        root, names, _items(rows["train"], names), _items(rows[options.test], names), content, {},
        val=val, notes=notes, reference=reference,
    )  # fmt: skip
    return without_corrupt_pictures(
        data, options.max_corrupt, address, both[0].special | both[1].special
    )


def _read(
    root: Path, reference: str, tested: str
) -> tuple[dict[str, _Split], Path, tuple[str, ...]]:
    """The splits, the folder that paths are relative to, and notes on the layout."""
    if (root / "labels.csv").is_file():
        return _from_csv(root, root / "labels.csv"), root, ()
    only = only_folder(root)
    if only is not None and (only / "labels.csv").is_file():
        return _from_csv(only, only / "labels.csv"), only, (one_below(reference, only),)
    layout = split_folders(
        root, Wanted(picture_suffixes(), "pictures", reference), ("train", tested)
    )
    splits = {
        split: _class_folders(layout.root, layout.folders[split]) if split in layout.folders
        else _Split()
        for split in SPLITS
    }  # fmt: skip
    return splits, layout.root, tuple(layout.notes)


def _from_csv(root: Path, table: Path) -> dict[str, _Split]:
    """The splits that a labels.csv names."""
    splits = {split: _Split() for split in SPLITS}
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
                split, path = splits[row["split"]], row["path"]
                kind = special(root / path)
                if kind:
                    split.special[path] = kind
                else:
                    split.rows.append((path, row["label"], row.get("group") or ""))
    except UnicodeDecodeError as error:
        raise DataError(f"{table} is not UTF-8 (byte {error.start})") from error
    except csv.Error as error:
        raise DataError(f"{table}, line {reader.line_num + 1}: {error}") from error
    except OSError as error:
        raise DataError(f"{table} cannot be read: {error.strerror}") from error
    for split in splits.values():
        split.rows.sort()  # no draw depends on the order of the lines
    return splits


def _check_row(root: Path, table: Path, line: int, row: dict[str, str], seen: set[str]) -> None:
    """Raises DataError, naming table and line."""
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
    path = root / row["path"]
    if not row["path"] or not (path.is_file() or special(path)):
        raise DataError(f"{table}, line {line}: there is no file {root / row['path']}")
    seen.add(row["path"])


def _class_folders(root: Path, parent: Path) -> _Split:
    """Every picture in or below the class folders of `parent`."""
    split = _Split()
    labels: dict[str, Path] = {}
    for folder in folders_in(parent):
        label = folder.name.replace("_", " ")
        if label in labels:
            raise DataError(f"two folders mean one class '{label}': {labels[label]} and {folder}")
        labels[label] = folder
        content = listing(folder, picture_suffixes())
        if not content.files:
            kinds = counts_of([*content.special.values(), *content.other.values()])
            raise DataError(
                f"class '{label}' is empty: no picture in {folder}"
                + (f", which holds {kinds}" if kinds else "")
            )
        for path in (folder, *content.files):
            shown = str(path).encode(errors="backslashreplace").decode()
            if shown != str(path):
                raise DataError(f"the name of {shown} is not UTF-8; rename it")
        split.rows += [(p.relative_to(root).as_posix(), label, "") for p in content.files]
        split.special |= {p.relative_to(root).as_posix(): k for p, k in content.special.items()}
        split.left_out += content.other.values()
    return split


def _items(rows: Sequence[tuple[str, str, str]], names: tuple[str, ...]) -> Items:
    index = {name: i for i, name in enumerate(names)}
    numbered: Rows = [(path, index[label], group) for path, label, group in rows]
    return items_of(numbered)
