"""The lists that say which videos there are, in the formats of the field. No video is opened.

folders: SPLIT/CLASS/x.mp4, or CLASS/x.mp4 (all of it is tested); the splits train, test, val
list: train.txt, test.txt (or val.txt; or .csv) of `path label`, or of `path num_frames label` where
the path is a folder of extracted frames; labels.csv: `id,name`
ucf101: classInd.txt, trainlist01.txt, testlist01.txt, as they are published
hmdb51: CLASS_test_split1.txt, as they are published
kinetics: train.csv, val.csv of `label,youtube_id,time_start,time_end,split`
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from harness.core.errors import DataError

VIDEOS = frozenset({".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi"})
#: What may lie beside videos in a class folder and is no data.
NOTES = (".txt", ".csv", ".json", ".md", ".xml")
FORMATS = ("folders", "list", "ucf101", "hmdb51", "kinetics")
SPLITS = ("train", "test", "val")
LISTS = (".txt", ".csv")


@dataclass(frozen=True)
class Row:
    path: str
    label: str  # as it is written
    group: str = ""  # '': a group of its own
    frames: int | None = None  # of a folder of extracted frames


@dataclass(frozen=True)
class Listed:
    """`names` are the labels in the order of their classes; `folders` are where the videos may be,
    relative to the data set, and `places` how a path may be laid out below it, the likelier first.
    """

    source: Path
    names: Sequence[str]
    train: Sequence[Row]
    test: Sequence[Row]
    folders: Sequence[str] = ("",)
    tested: str = "test"
    places: Sequence[Callable[[str], str]] = (str,)


@dataclass(frozen=True)
class Wanted:
    """What the options say."""

    format: str | None = None
    split: int = 1
    train: str | None = None
    test: str | None = None
    labels: str | None = None


def listed(place: Path, wanted: Wanted) -> Listed:
    """Raises DataError: a format that cannot be told, a list that is missing or malformed."""
    if place.is_file():
        return _lists(place.parent, Wanted(test=place.name, train=wanted.train,
                                           labels=wanted.labels))  # fmt: skip
    return READERS[wanted.format or _format(place, wanted)](place, wanted)


def _format(place: Path, wanted: Wanted) -> str:
    named = [place / name for name in (wanted.train, wanted.test) if name]
    tables = [p for use in SPLITS for p in _beside(place, f"{use}.csv")]
    lists = [*named, *(place / f"{use}{end}" for use in SPLITS for end in LISTS)]
    found = {
        "ucf101": _beside(place, "classInd.txt"),
        "hmdb51": _beside(place, "*_test_split1.txt"),
        "kinetics": [path for path in tables if _is_kinetics(path)],
        "list": [p for p in lists if p.suffix in LISTS and p.is_file() and not _is_kinetics(p)],
    }
    fitting = [name for name, files in found.items() if files]
    if len(fitting) > 1:
        raise DataError(
            f"{place} holds lists of several formats ({', '.join(fitting)}): say which with the "
            "option format"
        )
    return fitting[0] if fitting else "folders"


def _is_kinetics(path: Path) -> bool:
    return path.suffix == ".csv" and "youtube_id" in next(iter(_text(path).splitlines()), "")


def _beside(place: Path, pattern: str) -> list[Path]:
    """Files of a name in the folder or in one below it."""
    return sorted(place.glob(pattern)) or sorted(place.glob(f"*/{pattern}"))


# --- one reader a format --------------------------------------------------------------------------


def _folders(place: Path, wanted: Wanted) -> Listed:
    trained, tested = wanted.train or "train", wanted.test
    if tested is None:
        tested = "test" if (place / "test").is_dir() else "val"
    if any((place / split).is_dir() for split in (trained, tested)):
        train, test = (list(_class_folders(place, split)) for split in (trained, tested))
    else:
        train, test = [], list(_class_folders(place, ""))
    names = sorted({row.label for row in (*train, *test)})
    if not names:
        raise DataError(f"{place} holds no video: no list, no folder of class folders")
    return Listed(place, names, train, test, tested=tested)


def _class_folders(place: Path, split: str) -> Iterator[Row]:
    folder = place / split
    if not folder.is_dir():
        return
    for inside in sorted(p for p in folder.iterdir() if p.is_dir() and p.name[0] != "."):
        files = sorted(p for p in inside.iterdir() if p.is_file() and p.name[0] != ".")
        videos = [p for p in files if p.suffix.lower() in VIDEOS]
        others = [p for p in files if p.suffix.lower() not in (*VIDEOS, *NOTES)]
        if others:
            raise DataError(
                f"{others[0]} is of no kind that is read ({', '.join(sorted(VIDEOS))}): convert "
                "or remove it"
            )
        if not videos:
            raise DataError(f"there is no video in {inside}")
        yield from (Row(p.relative_to(place).as_posix(), inside.name) for p in videos)


def _lists(place: Path, wanted: Wanted) -> Listed:
    trained = wanted.train or _list_file(place, "train")
    tested = wanted.test or _list_file(place, "test", "val")
    files = [place / name for name in (trained, tested)]
    if wanted.train is None and not files[0].is_file():
        files = files[1:]  # nothing to train on: for zero-shot
    rows = {path.name: list(_list_rows(path)) for path in files}
    train, test = (rows.get(Path(name).name, []) for name in (trained, tested))
    name_of = _names(place, wanted, {row.label for row in (*train, *test)})
    train, test = ([replace(row, label=name_of[row.label]) for row in its] for its in (train, test))
    names = list(name_of.values())
    return Listed(files[-1], names, train, test, folders=("", "videos"),
                  tested=Path(tested).stem)  # fmt: skip


def _list_file(place: Path, *splits: str) -> str:
    names = [f"{split}{end}" for split in splits for end in LISTS]
    return next((name for name in names if (place / name).is_file()), names[0])


def _list_rows(path: Path) -> Iterator[Row]:
    lines = list(_lines(path))
    whole = [line.rsplit(maxsplit=2) for _, line in lines]
    counted = all(len(part) == 3 and part[1].isdecimal() and part[2].isdecimal() for part in whole)
    for number, line in lines:
        parts = line.rsplit(maxsplit=2 if counted else 1)
        if len(parts) < 2:
            raise DataError(
                f"{path}, line {number} is neither 'path label' nor 'path num_frames label': "
                f"{line[:100]!r}"
            )
        yield Row(parts[0], parts[-1], frames=int(parts[1]) if counted else None)


def _names(place: Path, wanted: Wanted, labels: set[str]) -> dict[str, str]:
    """Label -> class name, in the order of the classes; numbers are looked up in labels.csv."""
    file = place / (wanted.labels or "labels.csv")
    if file.is_file() or wanted.labels:
        rows = _csv(file, ("id", "name"))
        ids = [row["id"].strip() for row in rows]
        if set(ids) != {str(i) for i in range(len(ids))}:
            raise DataError(f"{file}: the ids must be 0 to {len(ids) - 1}, each once")
        unknown = sorted(labels - set(ids))
        if unknown:
            raise DataError(f"{file} has no id {unknown[0]}, which a list names")
        order = sorted(rows, key=lambda row: int(row["id"]))
        return {row["id"].strip(): row["name"].strip() for row in order}
    if any(label.isdecimal() for label in labels):
        raise DataError(
            f"the lists in {place} have numbers for labels, and there is no {file} with the "
            "columns id,name"
        )
    return {label: label for label in sorted(labels)}


def _ucf101(place: Path, wanted: Wanted) -> Listed:
    source = _one(place, "classInd.txt")
    names: list[str] = []
    for number, line in _lines(source):
        count, _, name = line.partition(" ")
        if not name or count != str(len(names) + 1):
            raise DataError(f"{source}, line {number} is not '{len(names) + 1} ClassName'")
        names.append(name.strip())
    rows = {}
    for use in ("train", "test"):
        path = source.with_name(f"{use}list{wanted.split:02}.txt")
        rows[use] = [_ucf101_row(path, number, line, names) for number, line in _lines(path)]
    return Listed(source, names, rows["train"], rows["test"], ("UCF-101", "videos", ""))


def _ucf101_row(path: Path, number: int, line: str, names: Sequence[str]) -> Row:
    """The files of the training lists end in a number of the class, those of the test do not."""
    item = line.split(maxsplit=1)[0]
    name = item.partition("/")[0]
    scene = re.search(r"_g(\d+)_c\d+", item)
    if name not in names or scene is None:
        raise DataError(f"{path}, line {number} is not 'Class/v_Class_g01_c01.avi': {line[:100]!r}")
    return Row(item, name, group=f"{name} g{scene[1]}")


def _hmdb51(place: Path, wanted: Wanted) -> Listed:
    end = f"_test_split{wanted.split}.txt"
    files = _beside(place, f"*{end}")
    if not files:
        raise DataError(f"{place} holds no file CLASS{end}")
    rows: dict[str, list[Row]] = {"1": [], "2": [], "0": []}
    for path in files:
        name = path.name.removesuffix(end)
        for number, line in _lines(path):
            item, _, use = line.rpartition(" ")
            if not item or use not in rows:
                raise DataError(f"{path}, line {number} is not 'video.avi 0|1|2': {line[:100]!r}")
            # What stands before the class is the film that a clip was cut out of.
            film = item.partition(f"_{name}_")[0]
            rows[use].append(Row(f"{name}/{item.strip()}", name, group=film))
    names = [path.name.removesuffix(end) for path in files]
    return Listed(files[0], names, rows["1"], rows["2"], ("hmdb51_org", "videos", ""))


def _kinetics(place: Path, wanted: Wanted) -> Listed:
    columns = ("label", "youtube_id", "time_start", "time_end")
    tested = wanted.test or "val.csv"
    found: dict[str, list[Row]] = {}
    for use, name in (("train", wanted.train or "train.csv"), ("test", tested)):
        file = next(iter(_beside(place, name)), None)
        if file is None and use == "train" and wanted.train is None:
            found[use] = []
            continue
        source = file or place / name
        found[use] = [
            _kinetics_row(source, Path(name).stem, number, row)
            for number, row in enumerate(_csv(source, columns), start=2)
        ]
    names = sorted({row.label for rows in found.values() for row in rows})
    return Listed(source, names, found["train"], found["test"], ("", "videos"),
                  Path(tested).stem, (str, _without_class, _underscored))  # fmt: skip


def _kinetics_row(path: Path, split: str, number: int, row: Mapping[str, str]) -> Row:
    try:
        start, end = (int(float(row[key])) for key in ("time_start", "time_end"))
    except ValueError as error:
        raise DataError(f"{path}, line {number}: {error}") from error
    name = f"{row['youtube_id']}_{start:06}_{end:06}.mp4"
    return Row(f"{split}/{row['label']}/{name}", row["label"].strip('"'), group=row["youtube_id"])


def _without_class(path: str) -> str:
    split, _, name = path.split("/")
    return f"{split}/{name}"


def _underscored(path: str) -> str:
    return path.replace(" ", "_")


READERS: dict[str, Callable[[Path, Wanted], Listed]] = {
    "folders": _folders, "list": _lists, "ucf101": _ucf101, "hmdb51": _hmdb51,
    "kinetics": _kinetics,
}  # fmt: skip


# --- files ----------------------------------------------------------------------------------------


def _one(place: Path, name: str) -> Path:
    found = _beside(place, name)
    if not found:
        raise DataError(f"there is no file {name} in {place} or a folder of it")
    return found[0]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number, line) of every line that is not empty."""
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


def _csv(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(_text(path).splitlines())
        missing = [c for c in columns if c not in (reader.fieldnames or ())]
        if missing:
            raise DataError(
                f"{path}: there is no column '{missing[0]}'; needed: {', '.join(columns)}"
            )
        rows = list(reader)
    except csv.Error as error:
        raise DataError(f"{path} is no csv: {error}") from error
    for number, row in enumerate(rows, start=2):
        if any(not (row[c] or "").strip() for c in columns):
            raise DataError(f"{path}, line {number}: a column is empty")
    return rows


def safe(path: str, where: Path) -> str:
    """A path of a list, which must stay below the folder of the videos."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise DataError(
            f"{where}: the path {path} must be relative to the folder of the videos (option root)"
        )
    return pure.as_posix()


def groups_of(place: Path) -> dict[str, str]:
    """groups.csv (path, group) beside the lists, if there is one."""
    file = place / "groups.csv"
    if not file.is_file():
        return {}
    return {row["path"]: row["group"] for row in _csv(file, ("path", "group"))}
