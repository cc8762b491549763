"""Lists of the videos of a data set, in the formats of the field. No video is opened.

folders: SPLIT/CLASS/x.mp4, or CLASS/x.mp4 (all of it is tested); the splits train, test, val
list: train.txt, test.txt (or val.txt; or .csv) of `path label`, or of `path num_frames label` where
the path is a folder of extracted frames; labels.csv: `id,name`
ucf101: classInd.txt, trainlist01.txt, testlist01.txt, as they are published
hmdb51: CLASS_test_split1.txt, as they are published
kinetics: train.csv, val.csv of `label,youtube_id,time_start,time_end,split`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.core.errors import DataError
from harness.core.problems import Problems
from harness.core.progress import counted
from harness.core.text_files import is_text_file, lines_of, read_text
from harness.data._listing import (
    NO_TEXT_NAME,
    folders_in,
    has_text_name,
    is_document,
    is_folder,
    printable,
    suffix_of,
    visible,
)
from harness.data._path_lists import LISTS, path_lists
from harness.data._published_lists import hmdb51, kinetics, ucf101
from harness.data._split_folders import (
    SPELLINGS,
    SplitFolders,
    Wanted,
    found_layout,
    split_folders,
    unread_note,
)
from harness.data._video_rows import VIDEOS, ListOptions, Reader, Row, VideoLists, in_or_below

SPLITS = ("train", "test", "val")


def read_lists(root: Path, options: ListOptions, problems: Problems) -> VideoLists:
    """The lists of the folder `root`, or the one list that `root` is, which is then the test.
    Lines and files that are wrong are left out and told as problems.

    Raises DataError: lists of several formats, or one that is missing or cannot be read.
    """
    if not root.is_dir():
        test_alone = ListOptions(test=root.name, train=options.train, labels=options.labels)
        return path_lists(root.parent, test_alone, problems)
    return READERS[options.format or _format(root, options)](root, options, problems)


def _format(root: Path, options: ListOptions) -> str:
    """The format whose files are there; class folders where there is no list."""
    named = [root / name for name in (options.train, options.test) if name]
    tables = [p for use in SPLITS for p in in_or_below(root, f"{use}.csv")]
    lists = [*named, *(root / f"{use}{end}" for use in SPLITS for end in LISTS)]
    files_of = {
        "ucf101": in_or_below(root, "classInd.txt"),
        "hmdb51": in_or_below(root, "*_test_split1.txt"),
        "kinetics": [path for path in tables if _is_kinetics(path)],
        "list": [p for p in lists if p.suffix in LISTS and is_text_file(p) and not _is_kinetics(p)],
    }
    fitting = [name for name, files in files_of.items() if files]
    if len(fitting) > 1:
        raise DataError(
            f"{root} holds lists of several formats ({', '.join(fitting)}): say which with the "
            "option format"
        )
    return fitting[0] if fitting else "folders"


def _is_kinetics(path: Path) -> bool:
    return path.suffix == ".csv" and "youtube_id" in lines_of(read_text(path))[0]


def _folders(root: Path, options: ListOptions, problems: Problems) -> VideoLists:
    wanted = Wanted(VIDEOS, "videos", f"video:{root}")
    if options.train or options.test:
        named = {"train": options.train or "train", "test": options.test or _test_folder(root)}
        folders = {use: root / name for use, name in named.items()}
        layout = SplitFolders(root, folders, unread_note(root, folders.values(), wanted))
    elif _only_val(root):
        folders = {"val": root / "val"}
        layout = SplitFolders(root, folders, unread_note(root, folders.values(), wanted))
    else:
        layout = split_folders(root, wanted, ("train", "test"))
    base, folders = layout.root, dict(layout.folders)
    tested = folders.get("test", folders.get("val"))
    train = list(_class_folders(base, folders["train"], problems)) if "train" in folders else []
    test = list(_class_folders(base, tested, problems)) if tested else []
    names = sorted({row.label for row in (*train, *test)})
    if not names:
        problems.refuse()
        raise DataError(f"{root} holds no video: no list, no folder of class folders")
    notes = list(layout.notes)
    if not test:
        notes.append(f"video:{root} has no split 'test' or 'val'; found: {found_layout(base)}.")
    return VideoLists(base, names, train, test, (str(base.relative_to(root)),), notes=notes)


def _only_val(root: Path) -> bool:
    """Whether `val` is the only split: of videos it is then the test, and no class."""
    trained_or_tested = (*SPELLINGS["train"], *SPELLINGS["test"])
    names = [folder.name for folder in folders_in(root)]
    others = any(name.lower() in trained_or_tested for name in names)
    return "val" in names and not others and bool(folders_in(root / "val"))


def _test_folder(root: Path) -> str:
    return "test" if (root / "test").is_dir() else "val"


def _class_folders(root: Path, folder: Path, problems: Problems) -> Iterator[Row]:
    """The videos of the class folders in `folder`; a file of another kind, which nobody would
    miss, is a problem.
    """
    inside_it = folders_in(folder) if folder.is_dir() else []
    for inside in counted(f"folders of {folder.name}", inside_it):
        if not has_text_name(inside):
            problems.add("text", f"the name of {printable(inside)} is not UTF-8; rename it")
            continue
        videos, others = [], []
        for entry in visible(inside):
            if suffix_of(entry.name) in VIDEOS:
                videos.append(entry.name)  # special files are told later
            elif not is_folder(entry):
                others.append(inside / entry.name)
        _tell_others((path for path in others if not is_document(path)), problems)
        if not videos:
            problems.add("empty", f"class '{inside.name}' is empty: there is no video in {inside}")
        below = inside.relative_to(root).as_posix()
        for name in videos:
            wrong = "" if has_text_name(name) else NO_TEXT_NAME
            yield Row(printable(f"{below}/{name}"), inside.name, wrong=wrong)


def _tell_others(files: Iterable[Path], problems: Problems) -> None:
    kinds = ", ".join(sorted(VIDEOS))
    for path in files:
        problems.add("kind", f"{printable(path)} is of no kind that is read ({kinds}): convert or "
                     "remove it")  # fmt: skip


READERS: dict[str, Reader] = {
    "folders": _folders, "list": path_lists, "ucf101": ucf101, "hmdb51": hmdb51,
    "kinetics": kinetics,
}  # fmt: skip
