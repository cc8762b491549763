"""Lists of videos as they are published: UCF-101, HMDB-51 and Kinetics."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.core.errors import DataError
from harness.core.problems import Problems
from harness.data._tables import csv_rows, numbered_lines
from harness.data._video_rows import ListOptions, Row, VideoLists, in_or_below, tell_empty


def ucf101(root: Path, options: ListOptions, problems: Problems) -> VideoLists:
    """classInd.txt, trainlist01.txt, testlist01.txt. Raises DataError for one that is missing."""
    files = in_or_below(root, "classInd.txt")
    if not files:
        raise DataError(f"there is no file classInd.txt in {root} or a folder of it")
    source = files[0]
    names: list[str] = []
    for number, line in numbered_lines(source):
        count, _, name = line.partition(" ")
        if not name or count != str(len(names) + 1):
            raise DataError(f"{source}, line {number} is not '{len(names) + 1} ClassName'")
        names.append(name.strip())
    rows: dict[str, list[Row]] = {}
    for use in ("train", "test"):
        path = source.with_name(f"{use}list{options.split:02}.txt")
        lines = (_ucf101_row(path, n, line, names, problems) for n, line in numbered_lines(path))
        rows[use] = [row for row in lines if row]
        tell_empty(path, rows[use], problems)
    return VideoLists(source, names, rows["train"], rows["test"], ("UCF-101", "videos", ""))


def _ucf101_row(
    path: Path, number: int, line: str, names: Sequence[str], problems: Problems
) -> Row | None:
    """A clip; those of one scene (g01, g02, ...) are a group.

    Lines of the training lists end in the number of the class, those of the test do not.
    """
    item, *last = line.split(maxsplit=1)
    name = item.partition("/")[0]
    scene = re.search(r"_g(\d+)_c\d+", item)
    if name not in names or scene is None:
        problem = f"is not 'Class/v_Class_g01_c01.avi': {line[:100]!r}"
    elif last and last[0] != str(names.index(name) + 1):
        problem = f"ends in {last[0]}, and {name} is class {names.index(name) + 1}"
    else:
        return Row(item, name, group=f"{name} g{scene[1]}", line=f"{path.name}, line {number}")
    problems.add("line", f"{path}, line {number} {problem}")
    return None


def hmdb51(root: Path, options: ListOptions, problems: Problems) -> VideoLists:
    """CLASS_test_split1.txt of every class. Raises DataError if there is none."""
    end = f"_test_split{options.split}.txt"
    files = in_or_below(root, f"*{end}")
    if not files:
        raise DataError(f"{root} holds no file CLASS{end}")
    rows: dict[str, list[Row]] = {"1": [], "2": [], "0": []}
    for path in files:
        name = path.name.removesuffix(end)
        before = sum(map(len, rows.values()))
        for number, line in numbered_lines(path):
            item, _, use = line.rpartition(" ")
            if not item or use not in rows:
                problems.add("line", f"{path}, line {number} is not 'video.avi 0|1|2': "
                             f"{line[:100]!r}")  # fmt: skip
                continue
            # The part before the class names the film that a clip was cut out of.
            film = item.partition(f"_{name}_")[0]
            where = f"{path.name}, line {number}"
            rows[use].append(Row(f"{name}/{item.strip()}", name, group=film, line=where))
        if sum(map(len, rows.values())) == before:
            problems.add("empty list", f"{path} lists no video")
    names = [path.name.removesuffix(end) for path in files]
    return VideoLists(files[0], names, rows["1"], rows["2"], ("hmdb51_org", "videos", ""))


def kinetics(root: Path, options: ListOptions, problems: Problems) -> VideoLists:
    """train.csv and val.csv. Raises DataError if the second is missing."""
    columns = ("label", "youtube_id", "time_start", "time_end")
    tables = {"train": options.train or "train.csv", "test": options.test or "val.csv"}
    rows: dict[str, list[Row]] = {}
    for use, name in tables.items():
        file = next(iter(in_or_below(root, name)), None)
        if file is None and use == "train" and options.train is None:
            rows[use] = []  # nothing to train on: for zero-shot
            continue
        source = file or root / name
        lines = (
            _kinetics_row(source, Path(name).stem, number, row, problems)
            for number, row in csv_rows(source, columns, problems)
        )
        rows[use] = [row for row in lines if row]
        tell_empty(source, rows[use], problems)
    names = sorted({row.label for split in rows.values() for row in split})
    layouts = (str, _without_class, _underscored)  # as the scripts that download it leave it
    return VideoLists(source, names, rows["train"], rows["test"], ("", "videos"), layouts)


def _kinetics_row(
    path: Path, split: str, number: int, row: Mapping[str, str], problems: Problems
) -> Row | None:
    """SPLIT/CLASS/ID_START_END.mp4; segments of one film of YouTube are a group."""
    where = f"{path.name}, line {number}"
    try:
        start, end = (int(float(row[key])) for key in ("time_start", "time_end"))
    except (ValueError, OverflowError) as error:
        problems.add("line", f"{path}, line {number}: {error}")
        return None
    name = f"{row['youtube_id']}_{start:06}_{end:06}.mp4"
    label = row["label"]
    return Row(f"{split}/{label}/{name}", label.strip('"'), group=row["youtube_id"], line=where)


def _without_class(path: str) -> str:
    split, _, name = path.split("/")
    return f"{split}/{name}"


def _underscored(path: str) -> str:
    return path.replace(" ", "_")
