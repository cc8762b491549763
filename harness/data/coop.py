"""The eleven data sets of CoOp, laid out as its authors say: `coop:ROOT/DATASET`.

    coop:ROOT/oxford_pets    or    {name: coop:ROOT, dataset: oxford_pets}

Nine of the folders (coop.json lists them) hold a split_zhou_*.json: lists of [path, label, class
name] under train, val and test. fgvc_aircraft has images_variant_*.txt instead, imagenet a
classnames.txt with one folder a class, and its val is the test. val is read only where a task asks
for it (val: official).
Underscores in class names become spaces. Parts: `base` (the first half of the labels, the larger
one) and `new` (the rest).
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.problems import MOST, Problems, and_more
from harness.core.progress import counted
from harness.core.samples import Items
from harness.core.text_files import lines_of, read_text, special
from harness.data._files import file_identities, folder_at
from harness.data._images import picture_suffixes
from harness.data._items import (
    items_of,
    lines_hash,
    refuse_duplicate_names,
    unused_split_note,
)
from harness.data._listing import folders_in, left_out_note, listing
from harness.data._max_corrupt import PictureOptions, without_corrupt_pictures
from harness.data._own_files import OwnFiles

LAYOUT_FILE = Path(__file__).with_name("coop.json")
SPLITS = ("train", "val", "test")
#: What is said of a list that is missing.
DATASETS_MD = "CoOp's DATASETS.md (github.com/KaiyangZhou/CoOp)"
WHERE_LISTS_ARE = "CoOp's DATASETS.md says where it is"


class Options(PictureOptions):
    """dataset: which of the eleven, where the path does not say it. max_corrupt: as in
    PictureOptions.
    """

    dataset: str | None = None


@dataclass(frozen=True)
class _Contents:
    """What the lists of a data set say, before a picture is read."""

    source: Path
    names: Sequence[str]
    rows: Mapping[str, Sequence[tuple[str, int]]]  # split -> (path, class)
    special: Mapping[str, str] = field(default_factory=dict)  # path of a special file -> kind
    left_out: Sequence[str] = ()  # the kinds of files that are not read


def open_dataset(argument: str, options: Options) -> OwnFiles:
    """The pictures that the split file lists.

    Raises DataError: no such data set, a split file that is missing or malformed, pictures that
    are not there (how many, and the first), more corrupt pictures than max_corrupt.
    """
    root, name = _locate(argument, options)
    layout = _layout()[name]
    everything = _read(root, layout)
    contents = _without_special(root, everything)
    reference = f"coop:{name}"
    train, val, test = (_split(contents, split) for split in SPLITS)
    notes = unused_split_note(val, reference, "val") + left_out_note(contents.left_out, reference)
    half = math.ceil(len(contents.names) / 2)
    data = OwnFiles(
        root, tuple(contents.names), train, test,
        lambda: _manifest(root, contents),
        {"base": range(half), "new": range(half, len(contents.names))},
        val=val, notes=notes, reference=reference, listed_train=_split(everything, "train"),
    )  # fmt: skip
    used = [item for split in ("train", "test") for item, _ in contents.rows[split]]
    address = file_identities(root, used) if options.max_corrupt else []
    return without_corrupt_pictures(data, options.max_corrupt, address, contents.special)


@dataclass(frozen=True)
class Listing:
    """What the lists of a data set say: enough to draw from, without its pictures."""

    name: str
    classes: tuple[str, ...]
    train: Items
    val: Items

    def listed(self, split: str) -> Items:
        """The items of `train` or `val`, in the order of the lists."""
        return self.train if split == "train" else self.val


def datasets_below(root: Path) -> dict[str, Path]:
    """Name -> folder of those of the eleven that are in `root`."""
    return {name: root / name for name in _layout() if (root / name).is_dir()}


def read_listing(argument: str, options: Options) -> Listing:
    """The lists of a data set; no picture needs to be there.

    Raises DataError: no such data set, a split file that is missing or malformed.
    """
    root, name = _locate(argument, options)
    contents = _read(root, _layout()[name])
    train, val = (_split(contents, split) for split in ("train", "val"))
    return Listing(name, tuple(contents.names), train, val)


def _split(contents: _Contents, split: str) -> Items:
    return items_of([(item, label, "") for item, label in contents.rows[split]])


@cache
def _layout() -> dict[str, dict[str, str]]:
    """How the folder of each data set is laid out."""
    layout: dict[str, dict[str, str]] = json.loads(LAYOUT_FILE.read_text(encoding="utf-8"))
    return layout


def _locate(argument: str, options: Options) -> tuple[Path, str]:
    """The folder of the data set, and which of the eleven it is.

    Raises DataError for a name that is none of them, or a folder that there is not.
    """
    known = list(_layout())
    if options.dataset is None and argument:
        parent, _, name = argument.rstrip("/").rpartition("/")
        shown = f"coop:{argument}"
        folder = argument
    else:
        parent, name = argument, options.dataset or ""
        shown = f"coop:{argument}: dataset '{name}'"
        folder = f"{argument.rstrip('/')}/{name}"
    if name not in known and argument:
        raise DataError(
            f"{shown}: the folder is none of CoOp's; allowed: {', '.join(known)}"
            + did_you_mean(nearest(name, known))
        )
    # A wrong ROOT is named itself, and not the folder below it.
    _present(parent or "." if argument else "", Path(parent), "ROOT/oxford_pets")
    return _present(folder, Path(parent), ""), name


def _present(folder: str, root: Path, example: str) -> Path:
    """Raises DataError for a folder that is missing, with all that are missing in `root`."""
    if not folder or Path(folder).expanduser().is_dir():
        return folder_at(folder, "coop", example)
    missing = [str(root / name) for name in _layout() if not (root / name).expanduser().is_dir()]
    some = "the eleven" if len(missing) == len(_layout()) else f"{len(missing)} of the eleven"
    raise DataError(
        f"dataset coop:{folder}: there is no folder {folder}: download {some} as {DATASETS_MD} "
        f"says, or name other folders under 'dataset'; missing are {', '.join(missing)}"
    )


def _read(root: Path, layout: Mapping[str, str]) -> _Contents:
    if "split" in layout:
        return _split_file(root / layout["split"], layout["images"])
    if "lists" in layout:
        return _lists(root, layout)
    return _class_folders(root, layout)


def _split_file(path: Path, images: str) -> _Contents:
    """A split_zhou_*.json: under every split a list of [path, label, class name]."""
    try:
        data = json.loads(read_text(path, WHERE_LISTS_ARE))
    except ValueError as error:
        raise DataError(f"{path} is no JSON: {error}") from error
    if not isinstance(data, dict) or any(not isinstance(data.get(s), list) for s in SPLITS):
        raise DataError(f"{path}: there must be lists under {', '.join(SPLITS)}")
    names: dict[int, str] = {}
    problems = Problems(str(path))
    for split in SPLITS:
        for n, entry in enumerate(data[split]):
            where = f"{path}: {split}, entry {n}"
            try:
                item, label, name = _entry(entry, where)
            except DataError as error:
                problems.add_error("entry", error)
                continue
            if names.setdefault(label, name) != name:
                problems.add(
                    "label",
                    f"{where} ({item}): label {label} is '{name}' here and '{names[label]}' before",
                )
    problems.refuse()
    order = sorted(names)
    spaced = [names[label].replace("_", " ") for label in order]
    refuse_duplicate_names(spaced, path)
    index = {label: c for c, label in enumerate(order)}
    folder = PurePosixPath(images)
    rows = {s: [((folder / e[0]).as_posix(), index[e[1]]) for e in data[s]] for s in SPLITS}
    return _Contents(path, spaced, rows)


def _entry(entry: Any, where: str) -> tuple[str, int, str]:
    """(path, label, class name). Raises DataError for anything else."""
    match entry:
        case [str(item), bool(), _]:
            pass  # Python takes a bool for an int
        case [str(item), int(label), str(name)] if item and name:
            path = PurePosixPath(item)
            if path.is_absolute() or ".." in path.parts:
                raise DataError(f"{where}: {item} leaves the folder of the pictures")
            return item, label, name
    raise DataError(f"{where} is not [path, label, class name]: {json.dumps(entry)[:100]}")


def _lists(root: Path, layout: Mapping[str, str]) -> _Contents:
    """For every split a list of lines 'picture class name', and one of the class names in order."""
    listed: dict[str, list[tuple[str, str]]] = {}
    problems = Problems(f"the lists in {root}")
    for split in SPLITS:
        path = root / layout["lists"].format(split=split)
        listed[split] = []
        for n, line in enumerate(lines_of(read_text(path, WHERE_LISTS_ARE)), start=1):
            if not line:
                continue
            item, _, name = line.partition(" ")
            if not name or "/" in item:
                problems.add(
                    "line", f"{path}, line {n} is not 'picture class name': {line[:100]!r}"
                )
                continue
            listed[split].append((f"{layout['images']}/{item}.jpg", name))
    source = root / layout["order"]
    names = _lines(source)
    refuse_duplicate_names(names, source)
    index = {name: c for c, name in enumerate(names)}
    for name in dict.fromkeys(name for rows in listed.values() for _, name in rows):
        if name not in index:
            problems.add("class", f"{source} does not name the class '{name}' of the lists")
    problems.refuse()
    rows = {split: [(item, index[name]) for item, name in listed[split]] for split in SPLITS}
    return _Contents(path, [name.replace("_", " ") for name in names], rows)


def _class_folders(root: Path, layout: Mapping[str, str]) -> _Contents:
    """images/train and images/val with a folder a class, named in a file of 'folder name'."""
    path = root / layout["names"]
    pairs = [line.partition(" ")[::2] for line in _lines(path)]
    names = {folder: name for folder, name in pairs if name}
    if len(names) != len(pairs):
        raise DataError(f"{path}: a line is not 'folder class name', or a folder is named twice")
    # ImageNet's published names hold duplicates, so they are not refused.
    order = sorted(names)
    index = {folder: c for c, folder in enumerate(order)}
    rows: dict[str, list[tuple[str, int]]] = {split: [] for split in SPLITS}
    left_out: list[str] = []
    for split, source in (("train", "train"), ("test", "val")):
        split_folder = root / layout["images"] / source
        if not split_folder.is_dir():
            raise DataError(f"{root}: there is no folder {split_folder}")
        for folder in folders_in(split_folder):
            if folder.name not in index:
                raise DataError(f"{path} has no name for the folder {folder}")
            content = listing(folder, picture_suffixes(), deep=False)
            left_out += content.other.values()
            found = sorted((*content.names, *(path.name for path in content.special)))
            below = folder.relative_to(root).as_posix()
            rows[split] += [(f"{below}/{name}", index[folder.name]) for name in found]
    return _Contents(path, [names[f].replace("_", " ") for f in order], rows, {}, left_out)


def _without_special(root: Path, contents: _Contents) -> _Contents:
    """The contents with special files of train and test apart from the rows.

    Raises DataError for pictures that are not there, or are listed twice.
    """
    used = [item for split in ("train", "test") for item, _ in contents.rows[split]]
    if not used:
        raise DataError(f"{contents.source} lists no picture under train or test")
    prefix = os.path.join(root, "")  # noqa: PTH118 - a million Path objects take half a minute
    places = counted("files", used)
    found = {item: kind for item in places if (kind := _kind(prefix + item)) != ""}
    missing = [item for item, kind in found.items() if kind is None]
    if missing:
        which = "the first" if len(missing) > MOST else "these"
        listed = ", ".join(str(root / item) for item in missing[:MOST])
        raise DataError(
            f"{len(missing)} of the {len(used)} pictures that {contents.source} lists are not "
            f"there; {which}: {listed}"
        )
    repeated = [item for item, times in Counter(used).items() if times > 1]
    if repeated:
        raise DataError(
            f"{contents.source} lists {len(repeated)} pictures more than once: {and_more(repeated)}"
        )
    kinds = {item: kind for item, kind in found.items() if kind}
    rows = {s: [row for row in r if row[0] not in kinds] for s, r in contents.rows.items()}
    return replace(contents, rows=rows, special=kinds) if kinds else contents


def _kind(path: str) -> str | None:
    """'' for a regular file, else what it is; None where there is nothing."""
    try:
        if stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            return ""
    except (OSError, ValueError):
        pass
    return special(path) or None


def _lines(path: Path) -> list[str]:
    """The lines of a list that are not empty."""
    return [line for line in lines_of(read_text(path, WHERE_LISTS_ARE)) if line]


def _manifest(root: Path, contents: _Contents) -> str:
    """Hash over split, path, size and label of every item; val changes no result and is not in it.

    Raises DataError for pictures that are not there any more.
    """
    used = [(split, *row) for split in ("train", "test") for row in contents.rows[split]]
    try:
        return lines_hash(
            f"{split}|{item}|{(root / item).stat().st_size}|{contents.names[label]}"
            for split, item, label in used
        )
    except OSError as error:
        raise DataError(f"picture {error.filename} cannot be read: {error.strerror}") from error
