"""Lists of the videos of a data set, in the formats of the field. No video is opened.

folders: SPLIT/CLASS/x.mp4, or CLASS/x.mp4 (all of it is tested); the splits train, test, val
list: train.txt, test.txt (or val.txt; or .csv) of `path label`, or of `path num_frames label` where
the path is a folder of extracted frames; labels.csv: `id,name`
ucf101: classInd.txt, trainlist01.txt, testlist01.txt, as they are published
hmdb51: CLASS_test_split1.txt, as they are published
kinetics: train.csv, val.csv of `label,youtube_id,time_start,time_end,split`
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from harness.core.errors import DataError
from harness.data._files import read_text
from harness.data._listing import entries, folders_in, is_document, is_junk
from harness.data._split_folders import SPELLINGS, SplitFolders, Wanted, found_layout, split_folders
from harness.data._tables import csv_rows, numbered_lines

VIDEOS = frozenset({".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi"})
FORMATS = ("folders", "list", "ucf101", "hmdb51", "kinetics")
SPLITS = ("train", "test", "val")
LISTS = (".txt", ".csv")


@dataclass(frozen=True)
class Row:
    """One video, as a list names it."""

    path: str
    label: str  # as it is written
    group: str = ""  # '': a group of its own
    frames: int | None = None  # of a folder of extracted frames


@dataclass(frozen=True)
class VideoLists:
    """What the lists of a data set say. `names` are the labels in the order of their classes;
    `folders` are where the videos may be, relative to the data set, and `layouts` how a path may be
    written below it, the likelier first.
    """

    source: Path
    names: Sequence[str]
    train: Sequence[Row]
    test: Sequence[Row]
    folders: Sequence[str] = ("",)
    layouts: Sequence[Callable[[str], str]] = (str,)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class ListOptions:
    """Those of the options of `video` that lists depend on."""

    format: str | None = None
    split: int = 1
    train: str | None = None
    test: str | None = None
    labels: str | None = None


def read_lists(root: Path, options: ListOptions) -> VideoLists:
    """The lists of the folder `root`, or the one list that `root` is, which is then the test.

    Raises DataError: lists of several formats, or one that is missing or malformed.
    """
    if root.is_file():
        test_alone = ListOptions(test=root.name, train=options.train, labels=options.labels)
        return _lists(root.parent, test_alone)
    return READERS[options.format or _format(root, options)](root, options)


def _format(root: Path, options: ListOptions) -> str:
    """The format whose files are there; class folders where there is no list."""
    named = [root / name for name in (options.train, options.test) if name]
    tables = [p for use in SPLITS for p in _in_or_below(root, f"{use}.csv")]
    lists = [*named, *(root / f"{use}{end}" for use in SPLITS for end in LISTS)]
    files_of = {
        "ucf101": _in_or_below(root, "classInd.txt"),
        "hmdb51": _in_or_below(root, "*_test_split1.txt"),
        "kinetics": [path for path in tables if _is_kinetics(path)],
        "list": [p for p in lists if p.suffix in LISTS and p.is_file() and not _is_kinetics(p)],
    }
    fitting = [name for name, files in files_of.items() if files]
    if len(fitting) > 1:
        raise DataError(
            f"{root} holds lists of several formats ({', '.join(fitting)}): say which with the "
            "option format"
        )
    return fitting[0] if fitting else "folders"


def _is_kinetics(path: Path) -> bool:
    return path.suffix == ".csv" and "youtube_id" in next(iter(read_text(path).splitlines()), "")


def _in_or_below(root: Path, pattern: str) -> list[Path]:
    """Files of a name in the folder, or else in one directly below it."""
    # `pattern` may match a hidden file: macOS adds ._classInd.txt to archives.
    for each in (pattern, f"*/{pattern}"):
        files = [p for p in root.glob(each) if not any(map(is_junk, p.relative_to(root).parts))]
        if files:
            return sorted(files)
    return []


# --- one reader a format --------------------------------------------------------------------------


def _folders(root: Path, options: ListOptions) -> VideoLists:
    if options.train or options.test:
        named = {"train": options.train or "train", "test": options.test or _test_folder(root)}
        layout = SplitFolders(root, {use: root / name for use, name in named.items()})
    elif _only_val(root):
        layout = SplitFolders(root, {"val": root / "val"})
    else:
        layout = split_folders(root, Wanted(VIDEOS, "videos", f"video:{root}"), ("train", "test"))
    base, folders = layout.root, layout.folders
    tested = folders.get("test", folders.get("val"))
    train = list(_class_folders(base, folders["train"])) if "train" in folders else []
    test = list(_class_folders(base, tested)) if tested else []
    names = sorted({row.label for row in (*train, *test)})
    if not names:
        raise DataError(f"{root} holds no video: no list, no folder of class folders")
    if not test:
        raise DataError(
            f"dataset video:{root} has no split 'test' or 'val'; found: {found_layout(base)}"
        )
    return VideoLists(base, names, train, test, (str(base.relative_to(root)),), notes=layout.notes)


def _only_val(root: Path) -> bool:
    """Whether `val` is the only split: of videos it is then the test, and no class."""
    trained_or_tested = (*SPELLINGS["train"], *SPELLINGS["test"])
    names = [folder.name for folder in folders_in(root)]
    others = any(name.lower() in trained_or_tested for name in names)
    return "val" in names and not others and bool(folders_in(root / "val"))


def _test_folder(root: Path) -> str:
    return "test" if (root / "test").is_dir() else "val"


def _class_folders(root: Path, folder: Path) -> Iterator[Row]:
    """The videos of the class folders in `folder`.

    Raises DataError for a file of another kind, which nobody would miss.
    """
    if not folder.is_dir():
        return
    for inside in folders_in(folder):
        files = [p for p in entries(inside) if p.suffix.lower() in VIDEOS or not p.is_dir()]
        videos = [p for p in files if p.suffix.lower() in VIDEOS]  # special files are told later
        others = [p for p in files if p.suffix.lower() not in VIDEOS and not is_document(p)]
        if others:
            raise DataError(
                f"{others[0]} is of no kind that is read ({', '.join(sorted(VIDEOS))}): convert "
                "or remove it"
            )
        if not videos:
            raise DataError(f"there is no video in {inside}")
        yield from (Row(p.relative_to(root).as_posix(), inside.name) for p in videos)


def _lists(root: Path, options: ListOptions) -> VideoLists:
    trained = options.train or _list_file(root, "train")
    tested = options.test or _list_file(root, "test", "val")
    files = [root / name for name in (trained, tested)]
    if options.train is None and not files[0].is_file():
        files = files[1:]  # nothing to train on: for zero-shot
    rows = {path.name: list(_list_rows(path)) for path in files}
    train, test = (rows.get(Path(name).name, []) for name in (trained, tested))
    name_of = _names(root, options, {row.label for row in (*train, *test)})
    train, test = (
        [replace(row, label=name_of[row.label]) for row in split] for split in (train, test)
    )
    names = list(name_of.values())
    return VideoLists(files[-1], names, train, test, folders=("", "videos"))


def _list_file(root: Path, *splits: str) -> str:
    """The list of the first of `splits` that has one, else the name that it should have."""
    names = [f"{split}{end}" for split in splits for end in LISTS]
    return next((name for name in names if (root / name).is_file()), names[0])


def _list_rows(path: Path) -> Iterator[Row]:
    """Lines of `path label`, or all of `path num_frames label`; a path may hold spaces."""
    lines = list(numbered_lines(path))
    thirds = [line.rsplit(maxsplit=2) for _, line in lines]
    # One line alone may be a path that ends in a number; all of them are not.
    counted = all(len(t) == 3 and t[1].isdecimal() and t[2].isdecimal() for t in thirds)
    for number, line in lines:
        parts = line.rsplit(maxsplit=2 if counted else 1)
        if len(parts) < 2:
            raise DataError(
                f"{path}, line {number} is neither 'path label' nor 'path num_frames label': "
                f"{line[:100]!r}"
            )
        yield Row(parts[0], parts[-1], frames=int(parts[1]) if counted else None)


def _names(root: Path, options: ListOptions, labels: set[str]) -> dict[str, str]:
    """Label -> class name, in the order of the classes; numbers are looked up in labels.csv."""
    file = root / (options.labels or "labels.csv")
    if file.is_file() or options.labels:
        rows = csv_rows(file, ("id", "name"))
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
            f"the lists in {root} have numbers for labels, and there is no {file} with the "
            "columns id,name"
        )
    return {label: label for label in sorted(labels)}


def _ucf101(root: Path, options: ListOptions) -> VideoLists:
    source = _one(root, "classInd.txt")
    names: list[str] = []
    for number, line in numbered_lines(source):
        count, _, name = line.partition(" ")
        if not name or count != str(len(names) + 1):
            raise DataError(f"{source}, line {number} is not '{len(names) + 1} ClassName'")
        names.append(name.strip())
    rows = {}
    for use in ("train", "test"):
        path = source.with_name(f"{use}list{options.split:02}.txt")
        rows[use] = [
            _ucf101_row(path, number, line, names) for number, line in numbered_lines(path)
        ]
    return VideoLists(source, names, rows["train"], rows["test"], ("UCF-101", "videos", ""))


def _ucf101_row(path: Path, number: int, line: str, names: Sequence[str]) -> Row:
    """A clip; those of one scene (g01, g02, ...) are a group.

    Lines of the training lists end in the number of the class, those of the test do not.
    """
    item = line.split(maxsplit=1)[0]
    name = item.partition("/")[0]
    scene = re.search(r"_g(\d+)_c\d+", item)
    if name not in names or scene is None:
        raise DataError(f"{path}, line {number} is not 'Class/v_Class_g01_c01.avi': {line[:100]!r}")
    return Row(item, name, group=f"{name} g{scene[1]}")


def _hmdb51(root: Path, options: ListOptions) -> VideoLists:
    end = f"_test_split{options.split}.txt"
    files = _in_or_below(root, f"*{end}")
    if not files:
        raise DataError(f"{root} holds no file CLASS{end}")
    rows: dict[str, list[Row]] = {"1": [], "2": [], "0": []}
    for path in files:
        name = path.name.removesuffix(end)
        for number, line in numbered_lines(path):
            item, _, use = line.rpartition(" ")
            if not item or use not in rows:
                raise DataError(f"{path}, line {number} is not 'video.avi 0|1|2': {line[:100]!r}")
            # The part before the class names the film that a clip was cut out of.
            film = item.partition(f"_{name}_")[0]
            rows[use].append(Row(f"{name}/{item.strip()}", name, group=film))
    names = [path.name.removesuffix(end) for path in files]
    return VideoLists(files[0], names, rows["1"], rows["2"], ("hmdb51_org", "videos", ""))


def _kinetics(root: Path, options: ListOptions) -> VideoLists:
    columns = ("label", "youtube_id", "time_start", "time_end")
    tables = {"train": options.train or "train.csv", "test": options.test or "val.csv"}
    rows: dict[str, list[Row]] = {}
    for use, name in tables.items():
        file = next(iter(_in_or_below(root, name)), None)
        if file is None and use == "train" and options.train is None:
            rows[use] = []  # nothing to train on: for zero-shot
            continue
        source = file or root / name
        rows[use] = [
            _kinetics_row(source, Path(name).stem, number, row)
            for number, row in enumerate(csv_rows(source, columns), start=2)
        ]
    names = sorted({row.label for split in rows.values() for row in split})
    layouts = (str, _without_class, _underscored)  # as the scripts that download it leave it
    return VideoLists(source, names, rows["train"], rows["test"], ("", "videos"), layouts)


def _kinetics_row(path: Path, split: str, number: int, row: Mapping[str, str]) -> Row:
    """SPLIT/CLASS/ID_START_END.mp4; segments of one film of YouTube are a group."""
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


READERS: dict[str, Callable[[Path, ListOptions], VideoLists]] = {
    "folders": _folders, "list": _lists, "ucf101": _ucf101, "hmdb51": _hmdb51,
    "kinetics": _kinetics,
}  # fmt: skip


# --- files ----------------------------------------------------------------------------------------


def _one(root: Path, name: str) -> Path:
    """The file of this name. Raises DataError if there is none."""
    files = _in_or_below(root, name)
    if not files:
        raise DataError(f"there is no file {name} in {root} or a folder of it")
    return files[0]


def safe(path: str, where: Path) -> str:
    """A path of a list, which must stay below the folder of the videos."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise DataError(
            f"{where}: the path {path} must be relative to the folder of the videos (option root)"
        )
    return pure.as_posix()


def groups_of(root: Path) -> dict[str, str]:
    """groups.csv (path, group) in the folder of the lists; {} if there is none."""
    file = root / "groups.csv"
    if not file.is_file():
        return {}
    return {row["path"]: row["group"] for row in csv_rows(file, ("path", "group"))}
