"""Pictures read by the datasets library: `hf:NAME` or `hf:FOLDER`.

    hf:user/name                a data set of the hub, out of the local cache
    hf:FOLDER                   parquet files, an imagefolder, or what save_to_disk wrote
    {name: hf:user/name, config: small, train_split: train, test_split: validation,
     image: img, label: fine_label}

The hub is never asked while a study runs: `python -m harness fetch TASK` brings the data on a
machine with network. `train_split: null` makes all of it test, for zero-shot and across data sets.

Labels are a ClassLabel column (underscores in its names become spaces, for the text encoder's
sake), strings (as they are written), or integers: without names these become the texts "0", "1",
..., which mean nothing to a text encoder. `group` names a column of what was sampled together.
Items are rows: 'train/000123'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from harness.core.errors import DataError
from harness.core.hashes import Hashes
from harness.core.problems import Problems
from harness.core.samples import Items
from harness.data._hf_columns import (
    address_of,
    contents_of,
    groups_of,
    pictures,
    tell_repeated,
)
from harness.data._hf_folder import passed_over
from harness.data._hf_hashes import Rows as HashedRows
from harness.data._hf_hashes import hashes_of_rows
from harness.data._hf_labels import labels_of
from harness.data._hf_load import load_dataset
from harness.data._hf_messages import among
from harness.data._hf_source import cached_configs, choose_config, is_folder, load_splits
from harness.data._images import open_rgb
from harness.data._items import (
    Rows,
    items_of,
    lines_hash,
    shared_groups_note,
)
from harness.data._listing import left_out_note
from harness.data._max_corrupt import PictureOptions, without_corrupt_pictures
from harness.data._own_files import OwnFiles
from harness.data._scan import first_few


class Options(PictureOptions):
    """config, train_split, test_split: names that the data set uses; train_split null makes all of
    it test. image, label, group: columns. max_corrupt: as in PictureOptions.
    """

    config: str | None = None
    train_split: str | None = "train"
    test_split: str = "test"
    image: str = "image"
    label: str = "label"
    group: str | None = None


@dataclass(frozen=True)
class HubImages(OwnFiles):
    """Pictures in rows of arrow tables: of each the encoded bytes, or a path."""

    columns: Mapping[str, Any] = field(default_factory=dict)  # split -> chunked array of structs
    rows: Mapping[str, HashedRows] = field(default_factory=dict)  # split -> the same, to be hashed
    scope: str = ""  # what hashes are remembered under

    def read(self, item: str) -> Image.Image:
        """The picture. DataError, naming row and data set, if it cannot be read."""
        encoded = self._encoded(item)
        if isinstance(encoded, Path):
            return open_rgb(encoded)
        return open_rgb(BytesIO(encoded), self._shown(item))

    @cached_property
    def remembered(self) -> Hashes:
        """The hashes of the encoded bytes."""
        return hashes_of_rows(self.scope, self.rows, self.reference)

    def _encoded(self, item: str) -> bytes | Path:
        split, _, row = item.rpartition("/")
        picture = self.columns[split][int(row)].as_py() or {}  # None where the row is empty
        if picture.get("bytes") is not None:
            encoded: bytes = picture["bytes"]
            return encoded
        if picture.get("path"):
            return Path(picture["path"])
        raise DataError(f"picture {self._shown(item)} is empty")

    def _shown(self, item: str) -> str:
        return f"{item} of {self.reference}"


@dataclass(frozen=True)
class _Part:
    """The rows of a split of the library that is used as train or test."""

    use: str
    split: str
    column: Any  # of pictures
    texts: Sequence[str]  # the class of every row
    groups: Sequence[str]
    files: tuple[str, ...]  # that the table is read from

    @property
    def ids(self) -> list[str]:
        return [f"{self.split}/{n:06d}" for n in range(len(self.texts))]

    def items(self, classes: Sequence[str]) -> Items:
        index = {name: c for c, name in enumerate(classes)}
        rows: Rows = [
            (i, index[t], g) for i, t, g in zip(self.ids, self.texts, self.groups, strict=True)
        ]
        return items_of(rows)


def open_dataset(argument: str, options: Options) -> HubImages:
    """The rows of the two splits.

    Raises DataError: data that are not here, a config, split or column that there is not, all
    labels that do not fit and files that are listed twice at once, more corrupt pictures than
    max_corrupt.
    """
    shown = f"hf:{argument if len(argument) < 200 else argument[:200] + '...'}"
    splits = load_splits(argument, options.config, shown)
    names = {"test": options.test_split}
    if options.train_split is not None:
        names = {"train": options.train_split} | names
    if options.train_split == options.test_split:
        raise DataError(f"{shown}: train_split and test_split are both '{options.test_split}'")
    for use, name in names.items():
        among(name, splits, f"{shown}: {use}_split")
    tables = {name: splits[name] for name in names.values()}
    columns = {name: pictures(t, options.image, shown) for name, t in tables.items()}
    problems = Problems(f"dataset {shown}")
    labels = labels_of(tables, options.label, shown, problems)
    for name, column in columns.items():
        tell_repeated(column, labels.of[name], f"{shown}: split '{name}'", problems)
    problems.refuse()
    classes = tuple(labels.classes)
    parts = [
        _Part(use, name, columns[name], labels.of[name],
              groups_of(tables[name], options.group, shown), _files_of(tables[name]))
        for use, name in names.items()
    ]  # fmt: skip
    items = {part.use: part.items(classes) for part in parts}
    data = HubImages(
        root=Path(argument), classes=classes, train=items.get("train", items_of([])),
        test=items["test"], manifest_of=lambda: _manifest(parts), parts={}, notes=labels.notes,
        reference=shown, columns=columns,
        rows={part.split: HashedRows(part.column, part.files) for part in parts},
        scope=f"{_place(argument)}|{options.config}|{options.image}",
    )  # fmt: skip
    groups = {part.use: part.groups for part in parts}
    in_train, in_test = groups.get("train", ()), groups["test"]
    shared = shared_groups_note(in_train, in_test, shown)
    data = replace(data, notes=data.notes + shared)
    address = address_of(tables, columns) if options.max_corrupt else []
    unused = (pictures(t, options.image, shown) for name, t in splits.items()
              if name not in tables and options.image in t.column_names)  # fmt: skip
    root = Path(argument).expanduser().resolve()
    content = passed_over(argument, columns.values(), unused)
    notes = left_out_note(content.other.values(), shown)
    if content.names:
        notes += (f"Pictures of {shown} that the datasets library counts to no split, which are "
                  f"not read: {len(content.names)} ({first_few(content.names)}).",)  # fmt: skip
    data = replace(data, notes=data.notes + notes)
    special = {path.relative_to(root).as_posix(): kind for path, kind in content.special.items()}
    return without_corrupt_pictures(data, options.max_corrupt, address, special)


def _manifest(parts: Sequence[_Part]) -> str:
    """Hash over split, size and last bytes, class and group of every row."""
    return lines_hash(
        f"{part.use}|{i}|{c}|{t}|{g}"
        for part in parts
        for i, c, t, g in zip(
            part.ids, contents_of(part.column), part.texts, part.groups, strict=True
        )
    )


def _files_of(table: Any) -> tuple[str, ...]:
    return tuple(entry["filename"] for entry in table.cache_files)


def _place(argument: str) -> str:
    path = Path(argument).expanduser()
    return f"hf:{path.resolve() if path.is_dir() else argument}"


def fetch(argument: str, options: Options) -> bool:
    """Bring a data set of the hub into the local cache; False where it is there, or is a folder.

    Raises DataError if the hub cannot be reached or knows no such data set.
    """
    shown = f"hf:{argument}"
    if is_folder(argument, shown) or cached_configs(argument, shown):
        return False
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    try:  # one short question before the library asks, which would wait for half a minute
        HfApi().dataset_info(argument, timeout=10)
    except RepositoryNotFoundError as error:
        raise DataError(f"the hub knows no data set {argument}, or it is private") from error
    except Exception as error:  # a network fails in more ways than can be listed
        raise DataError(
            f"the hub cannot be reached from here, so {shown} was not fetched: run the same "
            "command on a machine with network and the same cache folder"
        ) from error
    config = choose_config(argument, options.config, shown)
    load_dataset(shown, argument, name=config)
    return True
