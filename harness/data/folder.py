"""Your own pictures: `folder:PATH`, as class folders or with a labels.csv.

    PATH/labels.csv           columns path, label, split (train | test | val), optional group
    PATH/labels.csv           columns id, name, beside class folders: their names by folder
    PATH/train/CLASS/*.jpg    and PATH/test/CLASS/*.jpg, and perhaps PATH/val/CLASS/*.jpg
    PATH/CLASS/*.jpg          all of it is test: for zero-shot and across data sets

The splits may be written in the usual ways (Train, TEST, training, testing, valid, validation), and
all may be in the one folder that PATH holds. A layout that may mean two things is refused.

A val split is counted and not used; `{name: folder:PATH, test: val}` tests on it instead, for data
that come with train and val alone. Underscores in folder names become spaces, for the text
encoder's sake; labels in labels.csv are not changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.core.errors import DataError
from harness.core.problems import Problems
from harness.core.progress import counted
from harness.core.samples import Items
from harness.core.text_files import is_text_file
from harness.data._files import file_identities, folder_at
from harness.data._images import picture_suffixes
from harness.data._items import (
    Rows,
    items_of,
    manifest,
    shared_groups_note,
    tell_duplicate_names,
    unused_split_note,
)
from harness.data._labels_csv import SPLITS, Split, class_names, labels_csv, names_classes
from harness.data._listing import (
    counts_of,
    folders_in,
    has_text_name,
    left_out_note,
    listing,
    printable,
)
from harness.data._max_corrupt import PictureOptions, usable_pictures
from harness.data._own_files import OwnFiles
from harness.data._split_folders import Wanted, found_layout, one_below, only_folder, split_folders


class Options(PictureOptions):
    """test: the split that is tested. max_corrupt: as in PictureOptions."""

    test: Literal["test", "val"] = "test"


def open_dataset(argument: str, options: Options) -> OwnFiles:
    """The pictures below `argument`.

    Raises DataError: missing folder, an ambiguous layout, and all that is wrong below it at once:
    empty classes, duplicate class names, lines of a labels.csv that are wrong or name files that
    are not there, more corrupt pictures than max_corrupt.
    """
    data, problems = _opened(argument, options)
    problems.refuse()
    return data


def open_incomplete(argument: str, options: Options) -> tuple[OwnFiles, list[str]]:
    """The pictures that can be read, with the problems of the others. Nothing is missing, as what
    is not there is a problem.
    """
    data, problems = _opened(argument, options)
    return replace(data, problems=tuple(problems.lines())), []


def _opened(argument: str, options: Options) -> tuple[OwnFiles, Problems]:
    reference = f"folder:{argument}"
    problems = Problems(f"dataset {reference}")
    found = _read(folder_at(argument, "folder", "flowers"), reference, options.test, problems)
    root, splits, tested = found.root, found.splits, options.test
    rows = {name: split.rows for name, split in splits.items()}
    names = tuple(sorted({label for split in rows.values() for _, label, _ in split}))
    if not names:
        problems.refuse()
        raise DataError(f"dataset {reference}: no picture was found in {root}")
    table = root / "labels.csv"
    tell_duplicate_names(names, table if table.is_file() else root, problems)
    unused = "val" if tested == "test" else "test"
    # A split that is not used changes no result, so it is not in the manifest.
    used = (("train", rows["train"]), ("test", rows[tested]))
    try:
        address = (
            file_identities(root, [path for _, of_split in used for path, _, _ in of_split])
            if options.max_corrupt else []
        )  # fmt: skip
    except OSError as error:
        raise DataError(f"picture {error.filename} cannot be read: {error.strerror}") from error
    val = _items(rows[unused], names)
    notes = [*found.notes, *unused_split_note(val, reference, unused)]
    both = (splits["train"], splits[tested])
    notes += left_out_note([kind for split in both for kind in split.left_out], reference)
    in_train, in_test = ([group for _, _, group in split.rows] for split in both)
    notes += shared_groups_note(in_train, in_test, reference)
    special = both[0].special | both[1].special
    if not rows[tested] and not splits[tested].special:
        notes.append(_no_test_note(reference, root, tested, unused if rows[unused] else None))
    data = OwnFiles(
        root, names, _items(rows["train"], names), _items(rows[tested], names),
        lambda: manifest(root, ((split, *row) for split, of in used for row in of)), {},
        val=val if unused == "val" else None, notes=tuple(notes), reference=reference,
    )  # fmt: skip
    return usable_pictures(data, options.max_corrupt, address, special, problems), problems


def _no_test_note(reference: str, root: Path, tested: str, other: str | None) -> str:
    """The note on a data set that can be trained on, and be tested with another (test_dataset)."""
    hint = f"; to test on '{other}': {{name: {reference}, test: {other}}}" if other else ""
    return f"{reference} has no split '{tested}'; found: {found_layout(root)}{hint}."


@dataclass(frozen=True)
class _Found:
    """The splits, the folder that paths are relative to, and notes on the layout."""

    root: Path
    splits: Mapping[str, Split]
    notes: Sequence[str] = ()


def _read(root: Path, reference: str, tested: str, problems: Problems) -> _Found:
    """Raises DataError for a layout or a table that cannot be read at all."""
    notes: list[str] = []
    only = only_folder(root)
    if only is not None and is_text_file(only / "labels.csv"):
        root, notes = only, [one_below(reference, only)]
    table = root / "labels.csv"
    named = names_classes(table)
    if not named and is_text_file(table):
        return _Found(root, labels_csv(table, problems), notes)
    layout = split_folders(
        root, Wanted(picture_suffixes(), "pictures", reference), ("train", tested)
    )
    names = class_names(table, problems) if named else None
    splits = {
        split: _class_folders(layout.root, layout.folders[split], names, problems)
        if split in layout.folders else Split()
        for split in SPLITS
    }  # fmt: skip
    if names:
        notes.append(f"The class names of {reference} are those of {table.name} (id,name).")
    return _Found(layout.root, splits, [*notes, *layout.notes])


def _class_folders(
    root: Path, parent: Path, names: Mapping[str, str] | None, problems: Problems
) -> Split:
    """Every picture in or below the class folders of `parent`; `names` are those of the classes by
    folder, where a table has them.
    """
    split = Split()
    labels: dict[str, Path] = {}
    for folder in counted(f"folders of {parent.name}", folders_in(parent)):
        label = folder.name.replace("_", " ") if names is None else names.get(folder.name)
        content = listing(folder, picture_suffixes())
        if not has_text_name(folder):
            problems.add("text", f"the name of {printable(folder)} is not UTF-8; rename it")
        elif label is None:
            problems.add("id", f"{root / 'labels.csv'} has no id {folder.name}, which is a folder "
                         f"of {parent}")  # fmt: skip
        elif label in labels:
            both = f"{labels[label]} and {folder}"
            problems.add("folders", f"two folders mean one class '{label}': {both}")
        elif not content.names:
            kinds = counts_of([*content.special.values(), *content.other.values()])
            problems.add("empty", f"class '{label}' is empty: no picture in {folder}"
                         + (f", which holds {kinds}" if kinds else ""))  # fmt: skip
        else:
            labels[label] = folder
            below = folder.relative_to(root).as_posix()
            split.rows += [(f"{below}/{name}", label, "") for name in content.names]
        if has_text_name(folder):
            split.special |= {
                printable(p.relative_to(root).as_posix()): k for p, k in content.special.items()
            }
        split.left_out += content.other.values()
    return split


def _items(rows: Sequence[tuple[str, str, str]], names: tuple[str, ...]) -> Items:
    index = {name: i for i, name in enumerate(names)}
    numbered: Rows = [(path, index[label], group) for path, label, group in rows]
    return items_of(numbered)
