"""Precomputed features: arrays that another program wrote, read and checked.

An .npz file, a .safetensors file or a folder holds them by name (N items, C classes, T texts,
F width of the features, D width of the texts):

    features (N, F)         numbers
    labels (N,)             class names, or whole numbers that count class_names from 0
    split (N,)              train | test
    class_names (C,)        required if labels are numbers
    ids (N,)                optional; names of the items, else their row numbers
    group (N,)              optional; items sampled together, as clips of one video, have one
    text_features (T, D)    optional; one row per class
    text_names (T,)         optional; the classes of the text features, else class_names
    logit_scale             optional; the factor, not its logarithm

In a folder each array is NAME.npy, or NAME.txt with one text per line. A .safetensors file cannot
hold texts: they are in its metadata, each as a JSON list under its name.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.directions import without_direction
from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.hashes import file_hash
from harness.core.hashing import digest
from harness.core.identity import Identity, identity
from harness.core.logit_scales import not_a_stored_factor
from harness.core.row_checksums import MANY, kept_checksums, row_checksums
from harness.core.safetensors_file import read_safetensors_array, read_safetensors_header
from harness.core.text_files import read_text

if TYPE_CHECKING:
    from harness.core.checksums import Words
    from harness.core.samples import IntArray

    Array = np.ndarray[Any, np.dtype[Any]]

NEEDED = ("features", "labels", "split")
NAMES = (*NEEDED, "class_names", "ids", "group", "text_features", "text_names", "logit_scale")
SPLITS = ("train", "test")
#: CLIP's largest scale, for files without a logit_scale.
LOGIT_SCALE = 100.0


@dataclass(frozen=True, eq=False)
class PrecomputedFeatures:
    """The arrays of one file, checked. Rows are in the order of the file."""

    path: Path
    features_NF: Array
    labels_N: IntArray  # index into class_names
    split_N: tuple[str, ...]
    ids: tuple[str, ...]
    groups: tuple[str, ...]  # '' where an item is a group of its own
    class_names: tuple[str, ...]
    text_TD: Array | None
    text_names: tuple[str, ...]
    logit_scale: float
    content: str  # hash of the whole file

    @property
    def dim(self) -> int:
        """F."""
        return int(self.features_NF.shape[1])

    @cached_property
    def checksums_N(self) -> Words:  # noqa: N802
        """(N,): rows of equal numbers have equal checksums."""
        return row_checksums(self.features_NF, self.content)


def read_precomputed(path: Path) -> PrecomputedFeatures:
    """The arrays of `path`: an .npz file, a .safetensors file or a folder; read once while its
    files are the same.

    Raises DataError, which names the file and the array: no such file, another form, an array that
    is missing, of a wrong shape, not finite, or inconsistent with the others.
    """
    files = _files_of(path) if path.is_dir() else [path]
    # A file that is not there has no identity; reading it says so.
    return _read(path, tuple((file.name, identity(file)) for file in files if file.is_file()))


@lru_cache(maxsize=16)
def _read(path: Path, _files: tuple[tuple[str, Identity], ...]) -> PrecomputedFeatures:
    arrays = _Arrays(path, *_load(path))
    features_NF = arrays.numbers("features", 2)
    n = len(features_NF)
    names, labels_N = _labels(arrays, n)
    ids = arrays.texts("ids", n) or tuple(f"{row:08d}" for row in range(n))
    _refuse_duplicates(arrays, "ids", ids)
    if kept_checksums(arrays.content, n) is None:
        arrays.check_directions("features", features_NF, lambda row: f"item '{ids[row]}'")
        if n >= MANY:
            row_checksums(features_NF, arrays.content)
    split_N = arrays.texts("split", n)
    _check_split(arrays, split_N)
    text_TD, text_names = _texts(arrays, names)
    return PrecomputedFeatures(
        path=path,
        features_NF=features_NF,
        labels_N=labels_N,
        split_N=split_N,
        ids=ids,
        groups=arrays.texts("group", n) or ("",) * n,
        class_names=names,
        text_TD=text_TD,
        text_names=text_names,
        logit_scale=_logit_scale(arrays),
        content=arrays.content,
    )


def _labels(arrays: _Arrays, n: int) -> tuple[tuple[str, ...], IntArray]:
    """Class names, and the class of every item as an index into them, (N,)."""
    raw_N = arrays.get("labels", 1, n)
    names = arrays.texts("class_names")
    _refuse_duplicates(arrays, "class_names", names)
    if raw_N.dtype.kind in "iu":
        if not names:
            raise arrays.problem("class_names", "is missing, and labels are numbers")
        outside = raw_N[(raw_N < 0) | (raw_N >= len(names))]
        if len(outside):
            raise arrays.problem(
                "labels", f"holds {outside[0]}; class_names has the numbers 0 to {len(names) - 1}"
            )
        return names, raw_N.astype(np.int64)
    labels = arrays.texts("labels", n)
    names = names or tuple(sorted(set(labels)))
    index = {name: number for number, name in enumerate(names)}
    for label in labels:
        if label not in index:
            close = did_you_mean(nearest(label, names))
            raise arrays.problem("labels", f"holds '{label}', which is not in class_names{close}")
    return names, np.array([index[label] for label in labels], dtype=np.int64)


def _check_split(arrays: _Arrays, split_N: tuple[str, ...]) -> None:
    for split in dict.fromkeys(split_N):
        if split not in SPLITS:
            raise arrays.problem("split", f"holds '{split}'; allowed: {', '.join(SPLITS)}")
    if "test" not in split_N:
        raise arrays.problem("split", "has no item of 'test': nothing would be measured")


def _texts(arrays: _Arrays, names: tuple[str, ...]) -> tuple[Array | None, tuple[str, ...]]:
    """Text features (T, D), and the T names that they are the texts of."""
    if "text_features" not in arrays.known:
        return None, ()
    text_TD = arrays.numbers("text_features", 2)
    key = "text_names" if "text_names" in arrays.known else "class_names"
    if key not in arrays.known:
        raise arrays.problem("text_features", "has no class_names that say whose texts they are")
    text_names = arrays.texts(key)
    _refuse_duplicates(arrays, key, text_names)
    if len(text_names) != len(text_TD):
        problem = f"has {len(text_TD)} rows for {len(text_names)} {key}"
        raise arrays.problem("text_features", problem)
    arrays.check_directions("text_features", text_TD, lambda row: f"class '{text_names[row]}'")
    missing = [name for name in names if name not in set(text_names)]
    if missing:
        raise arrays.problem(key, f"has no '{missing[0]}', which is a class of the items")
    return text_TD, text_names


def _logit_scale(arrays: _Arrays) -> float:
    if "logit_scale" not in arrays.known:
        return LOGIT_SCALE
    values = arrays.get("logit_scale").ravel()
    if len(values) != 1 or values.dtype.kind not in "fiu" or not 0 < float(values[0]) < np.inf:
        raise arrays.problem("logit_scale", "must be one number above 0")
    problem = not_a_stored_factor(float(values[0]))
    if problem is not None:
        raise arrays.problem("logit_scale", f"{float(values[0]):.6g} {problem}")
    return float(values[0])


def _refuse_duplicates(arrays: _Arrays, name: str, texts: tuple[str, ...]) -> None:
    if len(set(texts)) == len(texts):
        return
    seen: set[str] = set()
    for text in texts:
        if text in seen:
            raise arrays.problem(name, f"holds '{text}' twice")
        seen.add(text)


class _Arrays:
    """The arrays of a file by name, each read when it is asked for.

    Every problem names the file and the array.
    """

    def __init__(self, path: Path, loaders: Mapping[str, Callable[[], Array]], content: str):
        self._path, self._loaders, self.content = path, loaders, content
        self.known = set(loaders)
        for name in loaders:
            if name not in NAMES:
                close = did_you_mean(nearest(name, NAMES))
                raise self.problem(name, f"is no array of this format: {', '.join(NAMES)}{close}")
        for name in NEEDED:
            if name not in loaders:
                raise self.problem(name, "is missing")

    def problem(self, name: str, what: str) -> DataError:
        """The error that array `name` has this problem."""
        return DataError(f"{self._path}: {name}: {what}")

    def get(self, name: str, axes: int | None = None, length: int | None = None) -> Array:
        """An array with so many axes, and so many rows as features has."""
        try:
            array = self._loaders[name]()
        except (ValueError, OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
            reason = " ".join(str(error).split())
            if "allow_pickle" in reason:  # what numpy says of an array of Python objects
                reason = "it holds Python objects; save text as an array of dtype str"
            raise self.problem(name, f"cannot be read: {reason[:200]}") from error
        if axes is not None and array.ndim != axes:
            raise self.problem(name, f"has the shape {array.shape}, not {axes} axes")
        if length is not None and len(array) != length:
            raise self.problem(name, f"has {len(array)} rows, features has {length}")
        return array

    def numbers(self, name: str, axes: int) -> Array:
        """A table of floating-point numbers with at least one row and column."""
        array = self.get(name, axes)
        if array.dtype.kind != "f":
            raise self.problem(name, f"holds {array.dtype}, not float16, float32 or float64")
        if 0 in array.shape:
            raise self.problem(name, f"is empty: its shape is {array.shape}")
        return array

    def check_directions(self, name: str, array_NF: Array, says: Callable[[int], str]) -> None:
        """Raises the problem of a row without a direction; `says` what a row is."""
        found = without_direction(array_NF)
        if found is not None:
            faulty, what = found
            first = f"the first is row {faulty[0]}, {says(faulty[0])}"
            raise self.problem(name, f"{what} in {len(faulty)} rows, {first}")

    def texts(self, name: str, length: int | None = None) -> tuple[str, ...]:
        """A list of names; () if the file has none. Whole numbers are taken as their digits."""
        if name not in self._loaders:
            return ()
        array = self.get(name, 1, length)
        if array.dtype.kind == "S":
            array = np.char.decode(array, "utf-8")
        if array.dtype.kind not in "Uiu":
            raise self.problem(name, f"holds {array.dtype}, not text")
        values = array.tolist()
        given = values if array.dtype.kind == "U" else map(str, values)
        # Texts that repeat, as those of splits and labels do, are one object each.
        one: dict[str, str] = {}
        texts = tuple(one.setdefault(text, text) for text in given)
        if not all(text.strip() for text in one):
            raise self.problem(name, "holds an empty name")
        return texts


def _load(path: Path) -> tuple[dict[str, Callable[[], Array]], str]:
    """How to read each array of `path`, and a hash of them all."""
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        raise DataError(f"there is no file or folder of features {path}")
    readers = {".npz": _from_npz, ".safetensors": _from_safetensors}
    if path.suffix not in readers:
        raise DataError(f"{path}: features are an .npz file, a .safetensors file or a folder")
    try:
        return readers[path.suffix](path), file_hash(path)
    except DataError:
        raise
    except Exception as error:  # safetensors raises errors of its own kinds
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path} is no {path.suffix} file that can be read: {reason}") from error


def _from_folder(path: Path) -> tuple[dict[str, Callable[[], Array]], str]:
    files = _files_of(path)
    loaders: dict[str, Callable[[], Array]] = {}
    for file in files:
        if file.stem in loaders:
            raise DataError(f"{path}: {file.stem}: is there as .npy and as .txt")
        loaders[file.stem] = partial(_from_file, file)
    if not loaders:
        raise DataError(f"{path} holds no features.npy")
    return loaders, digest([[file.name, file_hash(file)] for file in files], 64)


def _files_of(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix in (".npy", ".txt") and p.stem in NAMES)


def _from_file(file: Path) -> Array:
    if file.suffix == ".txt":
        text = read_text(file).removesuffix("\n")
        return np.array(text.split("\n") if text else [], dtype=np.str_)
    array: Array = np.load(file, mmap_mode="r", allow_pickle=False)
    return array


def _from_npz(path: Path) -> dict[str, Callable[[], Array]]:
    # np.load would take other bytes for a pickle and say so.
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no zip archive, or was cut short")
    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
    return {name: partial(_npz_array, path, name) for name in names}


def _npz_array(path: Path, name: str) -> Array:
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as saved:
        array: Array = saved[name]
        return array


def _from_safetensors(path: Path) -> dict[str, Callable[[], Array]]:
    header = read_safetensors_header(path)
    # The metadata may have entries of the writer's own.
    texts = {name: text for name, text in header.metadata.items() if name in NAMES}
    numbers = {name: partial(read_safetensors_array, path, name) for name in header.tensors}
    return {**numbers, **{name: partial(_listed_texts, text) for name, text in texts.items()}}


def _listed_texts(text: str) -> Array:
    return np.array(json.loads(text))
