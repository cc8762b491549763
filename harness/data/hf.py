"""Pictures read by the datasets library: `hf:NAME` or `hf:FOLDER`.

    hf:user/name                a data set of the hub, out of the local cache
    hf:FOLDER                   parquet files, an imagefolder, or what save_to_disk wrote
    {name: hf:user/name, config: small, train_split: train, test_split: validation,
     image: img, label: fine_label}

The hub is never asked while a study runs: `python -m harness fetch TASK` brings the data on a
machine with network. `train_split: null` makes all of it test, for zero-shot and across data sets.

Labels are a ClassLabel column (underscores in its names become spaces, for the text encoder's
sake), strings (as they are written), or integers: without names these become the texts "0",
"1", ..., of which a text encoder knows nothing. `group` names a column of what was sampled
together. Items are rows: 'train/000123'.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.files import cache_folder
from harness.data._base import ImageFiles, Rows, bytes_hash, items_of, lines_hash, refuse_twins
from harness.data._checked import PictureOptions, without_corrupt
from harness.data._images import open_rgb

#: Bytes at the end of a picture that its hash holds: with its length, cheap and telling.
TAIL = 64
#: How many of many names a message lists.
LISTED = 20


class Options(PictureOptions):
    config: str | None = None
    train_split: str | None = "train"
    test_split: str = "test"
    image: str = "image"
    label: str = "label"
    group: str | None = None


@dataclass(frozen=True)
class HubImages(ImageFiles):
    """Pictures in rows of arrow tables: of each the encoded bytes, or a path."""

    columns: Mapping[str, Any] = field(default_factory=dict)  # split -> chunked array
    _hashes: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def read(self, item: str) -> Image.Image:
        encoded = self._encoded(item)
        if isinstance(encoded, Path):
            return open_rgb(encoded)
        return open_rgb(BytesIO(encoded), self._shown(item))

    def content_hash(self, item: str) -> str:
        if item not in self._hashes:
            encoded = self._encoded(item)
            if isinstance(encoded, Path):
                return bytes_hash(encoded)
            self._hashes[item] = hashlib.sha256(encoded).hexdigest()  # rows never change
        return self._hashes[item]

    def _encoded(self, item: str) -> bytes | Path:
        split, _, row = item.rpartition("/")
        found = self.columns[split][int(row)].as_py() or {}
        if found.get("bytes") is not None:
            encoded: bytes = found["bytes"]
            return encoded
        if found.get("path"):
            return Path(found["path"])
        raise DataError(f"picture {self._shown(item)} is empty")

    def _shown(self, item: str) -> str:
        return f"{item} of {self.reference}"


@cache
def open_dataset(argument: str, options: Options) -> HubImages:
    """The rows of the two splits.

    Raises DataError: data that are not here, a config, split or column that there is not, labels
    that do not fit, more corrupt pictures than max_corrupt.
    """
    shown = f"hf:{argument if len(argument) < 200 else argument[:200] + '...'}"
    splits = _load(argument, options, shown)
    names = {"test": options.test_split}
    if options.train_split is not None:
        names = {"train": options.train_split} | names
    if options.train_split == options.test_split:
        raise DataError(f"{shown}: train_split and test_split are both '{options.test_split}'")
    for use, name in names.items():
        _among(name, splits, f"{shown}: {use}_split")
    tables = {name: splits[name] for name in names.values()}
    columns = {name: _pictures(t, options.image, shown) for name, t in tables.items()}
    labels = _labels(tables, options.label, shown)
    classes = tuple(labels.classes)
    refuse_twins(classes, f"{shown}, column '{options.label}'")
    index = {name: c for c, name in enumerate(classes)}
    rows: dict[str, Rows] = {"train": [], "test": []}
    lines: list[str] = []
    for use, name in names.items():
        ids = [f"{name}/{n:06d}" for n in range(len(tables[name]))]
        groups = _groups(tables[name], options.group, shown)
        texts = labels.of[name]
        rows[use] = [(i, index[t], g) for i, t, g in zip(ids, texts, groups, strict=True)]
        contents = _contents(columns[name])
        lines += [
            f"{use}|{i}|{c}|{t}|{g}"
            for i, c, t, g in zip(ids, contents, texts, groups, strict=True)
        ]
    data = HubImages(
        root=Path(argument), classes=classes, train=items_of(rows["train"]),
        test=items_of(rows["test"]), manifest=lines_hash(lines), parts={}, notes=labels.notes,
        reference=shown, columns=columns,
    )  # fmt: skip
    address = _address(tables, columns) if options.max_corrupt else []
    return without_corrupt(data, options.max_corrupt, address)


def fetch(argument: str, options: Options) -> None:
    """Bring a data set of the hub into the local cache; a folder is there already.

    Raises DataError if the hub cannot be reached or knows no such data set.
    """
    shown = f"hf:{argument}"
    if _is_folder(argument, shown) or _cached_configs(argument, shown):
        return
    import datasets
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    try:  # asked once before the library does, which would ask for half a minute
        HfApi().dataset_info(argument, timeout=10)
    except RepositoryNotFoundError as error:
        raise DataError(f"the hub knows no data set {argument}, or it is private") from error
    except Exception as error:  # a network fails in more ways than a list would hold
        raise DataError(
            f"the hub cannot be reached from here, so {shown} was not fetched: run the same "
            "command on a machine with network and the same cache folder"
        ) from error
    config = _config(argument, options, shown)
    _guarded(shown, lambda: datasets.load_dataset(argument, name=config))


# --- finding it --------------------------------------------------------------------------------


def _load(argument: str, options: Options, shown: str) -> Mapping[str, Any]:
    """Splits by name, memory-mapped."""
    if not argument:
        raise DataError("dataset 'hf' needs a name or a folder, as in hf:user/name")
    here = _is_folder(argument, shown)
    if not here:
        configs = _cached_configs(argument, shown)
        if not configs:
            raise DataError(
                f"{shown}: there is no such folder, and no data set of that name in the local "
                "cache: run `python -m harness fetch TASK` on a machine with network"
            )
    import datasets

    datasets.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    if not here:
        return _from_cache(argument, _choose(configs, options.config, shown), shown)
    # Absolute, as a folder may be called as one of the library's own formats.
    folder = Path(argument).expanduser().resolve()
    if any((folder / name).is_file() for name in ("dataset_dict.json", "state.json")):
        if options.config is not None:
            raise DataError(f"{shown}: config '{options.config}': a saved dataset has none")
        found = _guarded(shown, lambda: datasets.load_from_disk(str(folder)))
        return found if isinstance(found, Mapping) else {str(found.split or "train"): found}
    config = _config(str(folder), options, shown)
    kept = str(cache_folder() / "hf")
    splits: Mapping[str, Any] = _guarded(
        shown, lambda: datasets.load_dataset(str(folder), name=config, cache_dir=kept)
    )
    return splits


def _is_folder(argument: str, shown: str) -> bool:
    try:
        path = Path(argument).expanduser()
        if path.is_file():
            raise DataError(f"{shown} is a file; name the folder that holds it")
        return path.is_dir()
    except (OSError, RuntimeError, ValueError) as error:  # too long a name, a user that is not
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise DataError(f"{shown} cannot be read: {reason}") from error


def _cached_configs(argument: str, shown: str) -> list[str]:
    """Configs of a data set of the hub that the library's cache holds."""
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", argument):
        raise DataError(f"{shown} is neither a folder nor the name of a data set, as in user/name")
    from datasets import config
    from datasets.naming import camelcase_to_snakecase

    user, _, name = argument.rpartition("/")
    folder = f"{user}___" if user else ""
    root = Path(config.HF_DATASETS_CACHE).expanduser() / (folder + camelcase_to_snakecase(name))
    return sorted({p.parts[-4] for p in root.glob("*/*/*/dataset_info.json")})


def _from_cache(argument: str, config: str, shown: str) -> Mapping[str, Any]:
    from datasets.packaged_modules.cache.cache import Cache

    def load() -> Any:
        builder = Cache(
            repo_id=argument, dataset_name=argument.rpartition("/")[2], config_name=config,
            version="auto", hash="auto",
        )  # fmt: skip
        return builder.as_dataset()

    splits: Mapping[str, Any] = _guarded(shown, load)
    return splits


def _config(path: str, options: Options, shown: str) -> str:
    import datasets

    known = _guarded(shown, lambda: datasets.get_dataset_config_names(path))
    default = _guarded(shown, lambda: datasets.get_dataset_default_config_name(path))
    return _choose(known, options.config or default, shown)


def _choose(known: Sequence[str], config: str | None, shown: str) -> str:
    if config is not None:
        return _among(config, known, f"{shown}: config")
    if len(known) > 1 and "default" not in known:
        raise DataError(f"{shown} has several configs: choose one by config; allowed: "
                        + _listed(known))  # fmt: skip
    return known[0] if len(known) == 1 else "default"


def _guarded(shown: str, load: Callable[[], Any]) -> Any:
    """What the library raises, as one message."""
    try:
        return load()
    except Exception as error:  # damaged files raise whatever the readers meet
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        first = (str(cause).strip() or type(cause).__name__).splitlines()[0][:300]
        raise DataError(f"{shown} cannot be read by the datasets library: {first}") from error


# --- columns -----------------------------------------------------------------------------------


def _pictures(table: Any, column: str, shown: str) -> Any:
    """The column as structs of bytes and path, nothing decoded.

    Raises DataError if there is no such column, or it holds no pictures.
    """
    import datasets

    _among(column, table.column_names, f"{shown}: image: column")
    kind = table.features[column]
    encoded = isinstance(kind, Mapping) and "bytes" in kind
    plain = isinstance(kind, datasets.Value) and kind.dtype in ("binary", "large_binary")
    if not (isinstance(kind, datasets.Image) or encoded or plain):
        able = [n for n, k in table.features.items() if isinstance(k, datasets.Image)]
        raise DataError(
            f"{shown}: image: column '{column}' holds {_kind(kind)}, no pictures; columns of "
            f"pictures: {_listed(able) or 'none'}"
        )
    alone = table.select_columns([column])
    undecoded = _guarded(
        shown, lambda: alone.cast_column(column, datasets.Image(decode=False)).with_format("arrow")
    )
    return undecoded[:][column]


@dataclass(frozen=True)
class _Labels:
    classes: Sequence[str]
    of: Mapping[str, Sequence[str]]  # split -> class name of every row
    notes: tuple[str, ...] = ()


def _labels(tables: Mapping[str, Any], column: str, shown: str) -> _Labels:
    """Class names, and that of every row.

    Raises DataError if a split lacks the column or a label, or the splits do not match.
    """
    import datasets

    kinds, values = {}, {}
    for name, table in tables.items():
        _among(column, table.column_names, f"{shown}: label: column")
        kinds[name] = table.features[column]
        values[name] = table.select_columns([column]).with_format("arrow")[:][column].to_pylist()
    what = {name: _kind(kind) for name, kind in kinds.items()}
    if len(set(what.values())) > 1:
        both = ", ".join(f"{kind} in split '{name}'" for name, kind in what.items())
        raise DataError(f"{shown}: label: the splits do not match: {both}")
    kind = next(iter(kinds.values()))
    named = isinstance(kind, datasets.ClassLabel)
    if not named and _kind(kind) not in ("strings", "integers"):
        raise DataError(
            f"{shown}: label: column '{column}' holds {_kind(kind)}; allowed: ClassLabel, "
            "strings, integers"
        )
    for name, labels in values.items():
        _refuse_missing(labels, len(kinds[name].names) if named else None, name, shown)
    if named:
        return _of_class_labels(kinds, values, shown)
    of = {name: [str(label) for label in labels] for name, labels in values.items()}
    known = set(next(iter(of.values())))  # of the training split, where there is one
    for name, labels in of.items():
        for label in labels:
            if label not in known:
                raise DataError(
                    f"{shown}: label: the splits do not match: '{label}' of split '{name}' is "
                    f"not a label of split '{next(iter(of))}'; allowed: {_listed(sorted(known))}"
                    + did_you_mean(nearest(label, known))
                )
    return _Labels(sorted(known, key=int if _kind(kind) == "integers" else None), of)


def _of_class_labels(
    kinds: Mapping[str, Any], values: Mapping[str, Sequence[int]], shown: str
) -> _Labels:
    """By name: two splits may number the same names in another order."""
    first, *others = kinds
    names = list(kinds[first].names)
    for other in others:
        strange = sorted(set(names) ^ set(kinds[other].names))
        if strange:
            where, elsewhere = (first, other) if strange[0] in names else (other, first)
            raise DataError(
                f"{shown}: label: the splits do not match: '{strange[0]}' of split '{where}' is "
                f"not a class of split '{elsewhere}'; allowed: {_listed(kinds[elsewhere].names)}"
                + did_you_mean(nearest(strange[0], kinds[elsewhere].names))
            )
    of = {
        split: [kinds[split].names[v].replace("_", " ") for v in labels]
        for split, labels in values.items()
    }
    used = {name for labels in of.values() for name in labels}
    spaced = [name.replace("_", " ") for name in names]
    unused = [name for name in spaced if name not in used]
    notes: tuple[str, ...] = ()
    if unused:
        notes = (f"Classes that {shown} declares, left out as the splits used hold no picture of "
                 f"them: {len(unused)} ({_listed(unused, 5)}).",)  # fmt: skip
    return _Labels([name for name in spaced if name in used], of, notes)


def _refuse_missing(labels: Sequence[Any], names: int | None, split: str, shown: str) -> None:
    """-1 is how hidden test labels are published."""
    for row, label in enumerate(labels):
        if label is None or label == "" or (names is not None and not 0 <= label < names):
            what = "has no label" if names is None or label in (None, -1) else f"is {label}"
            raise DataError(
                f"{shown}: label: row {row} of split '{split}' {what}"
                + (" (hidden test labels are published as -1)" if label == -1 else "")
            )


def _groups(table: Any, column: str | None, shown: str) -> list[str]:
    if column is None:
        return [""] * len(table)
    _among(column, table.column_names, f"{shown}: group: column")
    values = table.select_columns([column]).with_format("arrow")[:][column].to_pylist()
    return ["" if v is None else str(v) for v in values]


def _contents(column: Any) -> list[str]:
    """Of every picture its size and what is cheap to see of it: the same in every process."""
    import pyarrow.compute as pc

    encoded = pc.struct_field(column, "bytes")
    sizes = pc.binary_length(encoded).to_pylist()
    tails = pc.binary_slice(encoded, -TAIL).to_pylist()
    if None not in sizes:
        return [f"{size}|{tail.hex()}" for size, tail in zip(sizes, tails, strict=True)]
    paths = pc.struct_field(column, "path").to_pylist()
    return [
        f"{_size(path)}|{Path(path or '').name}" if size is None else f"{size}|{tail.hex()}"
        for size, tail, path in zip(sizes, tails, paths, strict=True)
    ]


def _size(path: str | None) -> int | None:
    try:
        return Path(path).stat().st_size if path else None
    except OSError:  # not there: told when it is read
        return None


def _address(tables: Mapping[str, Any], columns: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """Path, size and time of every file that pictures are read from."""
    import pyarrow.compute as pc

    files = {entry["filename"] for table in tables.values() for entry in table.cache_files}
    for column in columns.values():
        files |= {p for p in pc.struct_field(column, "path").to_pylist() if p}
    # A path beside bytes is only a name, and no file.
    stats = [(name, Path(name).stat()) for name in sorted(files) if Path(name).is_file()]
    return [(name, s.st_size, s.st_mtime_ns) for name, s in stats]


# --- words -------------------------------------------------------------------------------------


def _among(name: str, known: Any, what: str) -> str:
    """Raises DataError, with what is allowed and the nearest, if `name` is none of `known`."""
    if name not in known:
        close = did_you_mean(nearest(name, known))
        raise DataError(f"{what} '{name}': there is none; allowed: {_listed(list(known))}{close}")
    return name


def _listed(names: Sequence[str], most: int = LISTED) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _kind(kind: Any) -> str:
    """What a column holds, as a reader calls it."""
    if type(kind).__name__ != "Value":
        return type(kind).__name__
    if kind.dtype in ("string", "large_string"):
        return "strings"
    return "integers" if re.match(r"u?int\d+$", kind.dtype) else str(kind.dtype)
