"""Which folders of a data set are its splits, and which its classes.

    train/CLASS/   test/CLASS/   val/CLASS/     splits, in the usual spellings: Train, TEST, valid
    CLASS/                                      classes: all of it is tested

A folder is never read as what it might be: where two readings are possible it is refused, with the
layout that was found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.core.errors import DataError
from harness.data._listing import entries, folders_in, printable, suffix_of, visible

#: Spellings of the names of splits, in lower case; the first is the name itself.
SPELLINGS = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "val": ("val", "valid", "validation"),
}
#: How many entries of a folder, and of each folder in it, a message shows.
SHOWN, SHOWN_BELOW = 6, 3
EXPECTED = "expected are train/CLASS/ and test/CLASS/, or CLASS/ alone, with files in every CLASS"


@dataclass(frozen=True)
class Wanted:
    """What is looked for in folders."""

    suffixes: Collection[str]  # of files that are read, in lower case
    noun: str  # what messages call these files
    reference: str  # the data set, as a task names it


@dataclass(frozen=True)
class SplitFolders:
    """The folder of each split, whose folders are classes. `root` is what paths are relative to."""

    root: Path
    folders: Mapping[str, Path]  # split -> folder; only test, which is `root`, without splits
    notes: list[str] = field(default_factory=list)


def split_folders(root: Path, wanted: Wanted, used: Collection[str]) -> SplitFolders:
    """The folders of the splits in `root`, or in the one folder that `root` holds.

    `used` are the splits that are trained on or tested.

    Raises DataError if a layout is ambiguous or not one that is read.
    """
    only = only_folder(root)
    if only is not None and split_names(only, wanted):
        inner = split_folders(only, wanted, used)
        return replace(inner, notes=[one_below(wanted.reference, only), *inner.notes])
    splits = split_names(root, wanted)
    if not splits:
        _refuse_nested(root, root, wanted)
        return SplitFolders(root, {"test": root}, _stray(root, root, wanted))
    notes = unread_note(root, splits.values(), wanted)
    for folder in (folder for split, folder in splits.items() if split in used):
        if _wanted_files(folder, wanted) and not folders_in(folder):
            raise DataError(
                f"dataset {wanted.reference}: {folder.name}/ holds {wanted.noun} and no class "
                f"folders; found: {found_layout(root)}; {EXPECTED}"
            )
        _refuse_nested(root, folder, wanted)
        notes += _stray(root, folder, wanted)
    return SplitFolders(root, splits, notes)


def unread_note(root: Path, splits: Collection[Path], wanted: Wanted) -> list[str]:
    """The notes on files and folders beside the splits, which are not read; [] without any."""
    notes = _stray(root, root, wanted)
    unread = [printable(p.name) for p in folders_in(root) if p not in splits]
    if unread:
        names = ", ".join(unread[:SHOWN]) + (", ..." if len(unread) > SHOWN else "")
        notes.append(
            f"Folders of {wanted.reference} beside its splits, which are not read: {names}."
        )
    return notes


def one_below(reference: str, folder: Path) -> str:
    """The note of a report on a data set that is one folder deeper than the name says."""
    return f"{reference} holds one folder, {folder.name}/, whose content is read."


def _stray(root: Path, folder: Path, wanted: Wanted) -> list[str]:
    """The note on pictures beside the class folders or splits in `folder`; [] without any."""
    count = _wanted_files(folder, wanted)
    where = "" if folder == root else f" in {folder.name}/"
    what = f"{wanted.noun.capitalize()} of {wanted.reference}{where} outside of class folders"
    return [f"{what}, which are not read: {count}."] if count else []


def only_folder(root: Path) -> Path | None:
    """The folder that is the only visible entry of `root`; None if there is another, or none."""
    inside = entries(root)
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else None


def found_layout(root: Path) -> str:
    """What `root` holds, in short, for a message: 'Train/ (elm/, oak/), notes.txt'."""

    def shown(paths: Iterable[Path], most: int, *, inside: bool) -> str:
        listed = list(paths)
        texts = []
        for path in listed[:most]:
            text = path.name + "/" * path.is_dir()
            if inside and path.is_dir():
                text += f" ({shown(entries(path), SHOWN_BELOW, inside=False) or 'empty'})"
            texts.append(text)
        return ", ".join(texts + ["..."] * (len(listed) > most))

    return printable(shown(entries(root), SHOWN, inside=True))


def split_names(
    root: Path, wanted: Wanted, spellings: Mapping[str, Collection[str]] = SPELLINGS
) -> dict[str, Path]:
    """The folder of each split in `root`; {} if its folders are classes. `spellings` are the names
    of every split in lower case.

    Raises DataError for two folders of one split.
    """
    folders = folders_in(root)
    named = {
        split: [folder for folder in folders if folder.name.lower() in those]
        for split, those in spellings.items()
    }
    known = {name for those in spellings.values() for name in those}
    others = [folder for folder in folders if folder.name.lower() not in known]
    if not _are_splits(others, [*named["train"], *named["test"]], wanted):
        return {}
    for split, several in named.items():
        if len(several) > 1:
            both = " and ".join(f"{folder.name}/" for folder in several)
            raise DataError(
                f"dataset {wanted.reference}: two folders are the split '{split}': {both}; rename "
                f"or remove one of them; found: {found_layout(root)}"
            )
    return {split: several[0] for split, several in named.items() if several}


def _are_splits(others: Collection[Path], candidates: Collection[Path], wanted: Wanted) -> bool:
    """Whether the folders of a data set are its splits. `candidates` are named train or test, and
    `others` like no split.

    A class may have such a name: of vehicles `train`, of sports `training`. Then pictures are
    directly in it, as in the class folders beside it. A folder `val` alone is a class.
    """
    nested = [folder for folder in candidates if folders_in(folder)]
    if any(folder.name in SPELLINGS for folder in nested):
        return True
    if not nested:
        return bool(candidates) and not others
    return not others or (len(nested) > 1 and not any(_wanted_files(f, wanted) for f in nested))


def _wanted_files(folder: Path, wanted: Wanted) -> int:
    """How many files that are read are directly in the folder."""
    return sum(suffix_of(entry.name) in wanted.suffixes for entry in visible(folder))


def _refuse_nested(root: Path, parent: Path, wanted: Wanted) -> None:
    """Raises DataError if the class folders in `parent` hold folders in place of pictures.

    One folder of the same name in each of several, as CLASS/images/, is no other level of classes.
    """
    classes = folders_in(parent)
    inner = [folders_in(folder) for folder in classes]
    if not any(inner) or any(_wanted_files(folder, wanted) for folder in classes):
        return
    names = {tuple(folder.name for folder in below) for below in inner}
    if len(classes) > 1 and len(names) == 1 and len(inner[0]) == 1:
        return
    deeper = f"; perhaps {wanted.reference}/{classes[0].name} is meant"
    hint = deeper if len(classes) == 1 and classes == entries(root) else ""
    raise DataError(
        f"dataset {wanted.reference}: its class folders hold folders in place of {wanted.noun}; "
        f"found: {found_layout(root)}; {EXPECTED}{hint}"
    )
