"""Which of the listed videos take part: all splits together, and not those that are too short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from harness.core.problems import Problems
from harness.data._video_lists import read_lists
from harness.data._video_rows import ListOptions, Row, VideoLists

#: In place of the number of an official split: every video that any of them lists is tested.
ALL = "all"
SPLITS = (1, 2, 3)


def chosen_lists(
    root: Path,
    options: ListOptions,
    split: int | str,
    leave_out_below: int | None,
    problems: Problems,
) -> VideoLists:
    """The lists of a data set, of one official split or with `split: all` of all of them.

    Raises DataError as `read_lists`.
    """
    if split == ALL:
        each = [replace(options, split=number) for number in SPLITS]
        lists = all_tested([read_lists(root, of_split, problems) for of_split in each])
    else:
        lists = read_lists(root, replace(options, split=int(split)), problems)
    return lists if leave_out_below is None else without_short(lists, leave_out_below)


def all_tested(splits: Sequence[VideoLists]) -> VideoLists:
    """Every video that is listed, as the test: for zero-shot on all of a data set."""
    every: dict[str, Row] = {}
    for lists in splits:
        for row in (*lists.test, *lists.train):
            every.setdefault(row.path, row)
    test = sorted(every.values(), key=lambda row: row.path)
    return replace(splits[0], train=[], test=test)


def without_short(lists: VideoLists, least: int) -> VideoLists:
    """The lists without videos of fewer than `least` frames, where they say how many there are."""
    train, test = (_long_enough(rows, least) for rows in (lists.train, lists.test))
    gone = len(lists.train) - len(train), len(lists.test) - len(test)
    if not any(gone):
        return lists
    note = (
        f"Left out, as their lists say fewer than {least} frames: {gone[0]} training videos and "
        f"{gone[1]} test videos of {lists.source}."
    )
    return replace(lists, train=train, test=test, notes=(*lists.notes, note))


def _long_enough(rows: Iterable[Row], least: int) -> list[Row]:
    return [row for row in rows if row.frames is None or row.frames >= least]
