"""The eleven data sets of CoOp, laid out as its authors say: `coop:ROOT/DATASET`.

    coop:ROOT/oxford_pets    or    {name: coop:ROOT, dataset: oxford_pets}

Nine of the folders (coop.json lists them) hold a split_zhou_*.json: lists of [path, label, class
name] under train, val and test. fgvc_aircraft has images_variant_*.txt instead, imagenet a
classnames.txt with one folder a class, and its val is the test. val is kept apart, as in CoOp.
Underscores in class names become spaces. Parts: `base` (the first half of the labels, the larger
one) and `new` (the rest).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from harness.core.errors import DataError, did_you_mean, nearest
from harness.data._base import ImageFiles, apart_note, items_of, lines_hash, refuse_twins
from harness.data._checked import PictureOptions, without_corrupt
from harness.data._images import EXTENSIONS
from harness.data.folder import file_times, folder_at

LAYOUT_FILE = Path(__file__).with_name("coop.json")
SPLITS = ("train", "val", "test")


class Options(PictureOptions):
    dataset: str | None = None


@dataclass(frozen=True)
class _Listed:
    """What the files of a data set say, before a picture is looked at."""

    source: Path
    names: Sequence[str]
    rows: Mapping[str, Sequence[tuple[str, int]]]  # split -> (path, class)


@cache
def open_dataset(argument: str, options: Options) -> ImageFiles:
    """The pictures that the split file lists.

    Raises DataError: no such data set, a split file that is missing or malformed, pictures that
    are not there (how many, and the first), more corrupt pictures than max_corrupt.
    """
    root, name = _locate(argument, options)
    layout = _layout()[name]
    listed = _read(root, layout)
    reference = f"coop:{name}"
    rows = {split: [(item, label, "") for item, label in listed.rows[split]] for split in SPLITS}
    content = _manifest(root, listed)
    val = items_of(rows["val"])
    half = math.ceil(len(listed.names) / 2)
    data = ImageFiles(
        root, tuple(listed.names), items_of(rows["train"]), items_of(rows["test"]), content,
        {"base": range(half), "new": range(half, len(listed.names))},
        val=val, notes=apart_note(val, reference, "val"), reference=reference,
    )  # fmt: skip
    used = [item for split in ("train", "test") for item, _ in listed.rows[split]]
    address = file_times(root, used) if options.max_corrupt else []
    return without_corrupt(data, options.max_corrupt, address)


@cache
def _layout() -> dict[str, dict[str, str]]:
    layout: dict[str, dict[str, str]] = json.loads(LAYOUT_FILE.read_text(encoding="utf-8"))
    return layout


def _locate(argument: str, options: Options) -> tuple[Path, str]:
    """The folder of the data set, and which it is."""
    known = list(_layout())
    if options.dataset is None and argument:
        parent, _, name = argument.rstrip("/").rpartition("/")
        named = f"coop:{argument}"
        whole = argument
    else:
        parent, name = argument, options.dataset or ""
        named = f"coop:{argument}: dataset '{name}'"
        whole = f"{argument.rstrip('/')}/{name}"
    if name not in known and argument:
        raise DataError(
            f"{named}: the folder is none of CoOp's; allowed: {', '.join(known)}"
            + did_you_mean(nearest(name, known))
        )
    folder_at(parent or "." if argument else "", "coop", "ROOT/oxford_pets")
    return folder_at(whole, "coop", ""), name


def _read(root: Path, layout: Mapping[str, str]) -> _Listed:
    if "split" in layout:
        return _split_file(root / layout["split"], layout["images"])
    if "lists" in layout:
        return _lists(root, layout)
    return _class_folders(root, layout)


def _split_file(path: Path, images: str) -> _Listed:
    try:
        data = json.loads(_text(path))
    except ValueError as error:
        raise DataError(f"{path} is no JSON: {error}") from error
    if not isinstance(data, dict) or any(not isinstance(data.get(s), list) for s in SPLITS):
        raise DataError(f"{path}: there must be lists under {', '.join(SPLITS)}")
    names: dict[int, str] = {}
    for split in SPLITS:
        for n, entry in enumerate(data[split]):
            item, label, name = _entry(entry, f"{path}: {split}, entry {n}")
            if names.setdefault(label, name) != name:
                raise DataError(
                    f"{path}: {split}, entry {n} ({item}): label {label} is '{name}' here and "
                    f"'{names[label]}' before"
                )
    order = sorted(names)
    spaced = [names[label].replace("_", " ") for label in order]
    refuse_twins(spaced, path)
    index = {label: c for c, label in enumerate(order)}
    folder = PurePosixPath(images)
    rows = {s: [((folder / e[0]).as_posix(), index[e[1]]) for e in data[s]] for s in SPLITS}
    return _Listed(path, spaced, rows)


def _entry(entry: Any, where: str) -> tuple[str, int, str]:
    match entry:
        case [str(item), bool(), _]:
            pass
        case [str(item), int(label), str(name)] if item and name:
            path = PurePosixPath(item)
            if path.is_absolute() or ".." in path.parts:
                raise DataError(f"{where}: {item} leaves the folder of the pictures")
            return item, label, name
    raise DataError(f"{where} is not [path, label, class name]: {json.dumps(entry)[:100]}")


def _lists(root: Path, layout: Mapping[str, str]) -> _Listed:
    """A list a split, of lines 'picture class name', and one of the class names in order."""
    found: dict[str, list[tuple[str, str]]] = {}
    for split in SPLITS:
        path = root / layout["lists"].format(split=split)
        found[split] = []
        for n, line in enumerate(_text(path).splitlines(), start=1):
            item, _, name = line.strip().partition(" ")
            if not name or "/" in item:
                raise DataError(f"{path}, line {n} is not 'picture class name': {line[:100]!r}")
            found[split].append((f"{layout['images']}/{item}.jpg", name))
    source = root / layout["order"]
    names = [line.strip() for line in _text(source).splitlines() if line.strip()]
    refuse_twins(names, source)
    index = {name: c for c, name in enumerate(names)}
    strange = [name for rows in found.values() for _, name in rows if name not in index]
    if strange:
        raise DataError(f"{source} does not name the class '{strange[0]}' of the lists")
    rows = {split: [(item, index[name]) for item, name in found[split]] for split in SPLITS}
    return _Listed(path, [name.replace("_", " ") for name in names], rows)


def _class_folders(root: Path, layout: Mapping[str, str]) -> _Listed:
    """images/train and images/val with a folder a class, named in a file of 'folder name'."""
    path = root / layout["names"]
    pairs = [line.strip().partition(" ")[::2] for line in _text(path).splitlines() if line.strip()]
    names = {folder: name for folder, name in pairs if name}
    if len(names) != len(pairs):
        raise DataError(f"{path}: a line is not 'folder class name', or a folder is named twice")
    # Its published names hold repetitions, so they are not refused.
    order = sorted(names)
    index = {folder: c for c, folder in enumerate(order)}
    rows: dict[str, list[tuple[str, int]]] = {split: [] for split in SPLITS}
    for split, source in (("train", "train"), ("test", "val")):
        place = root / layout["images"] / source
        if not place.is_dir():
            raise DataError(f"{root}: there is no folder {place}")
        for folder in sorted(p for p in place.iterdir() if p.is_dir() and p.name[0] != "."):
            if folder.name not in index:
                raise DataError(f"{path} has no name for the folder {folder}")
            files = sorted(p for p in folder.iterdir() if p.suffix.lower() in EXTENSIONS)
            rows[split] += [(p.relative_to(root).as_posix(), index[folder.name]) for p in files]
    return _Listed(path, [names[f].replace("_", " ") for f in order], rows)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 (byte {error.start})") from error
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}: CoOp's DATASETS.md says where it is") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def _manifest(root: Path, listed: _Listed) -> str:
    """As that of a folder; val changes no result, so it is not in it."""
    lines, missing = [], []
    used = [(split, *row) for split in ("train", "test") for row in listed.rows[split]]
    if not used:
        raise DataError(f"{listed.source} lists no picture under train or test")
    for split, item, label in used:
        try:
            lines.append(f"{split}|{item}|{(root / item).stat().st_size}|{listed.names[label]}")
        except OSError:
            missing.append(item)
    if missing:
        raise DataError(
            f"{len(missing)} of the {len(used)} pictures that {listed.source} lists are not "
            f"there; the first: {root / missing[0]}"
        )
    twice = len(used) - len({item for _, item, _ in used})
    if twice:
        raise DataError(f"{listed.source} lists {twice} pictures more than once")
    return lines_hash(lines)
