"""Your own videos: `video:PATH`, a folder or a list, in the formats of the field.

    PATH/train/CLASS/x.mp4, PATH/test/CLASS/x.mp4   class folders
    PATH/train.txt, test.txt, labels.csv            lists of `path label`
    PATH/ucfTrainTestlist/, PATH/UCF-101/           {name: video:PATH, split: 1}
    PATH/*_test_split1.txt, PATH/hmdb51_org/        the same for HMDB-51
    PATH/train.csv, val.csv, PATH/train/CLASS/      Kinetics

A list of `path num_frames label` names folders of extracted frames. docs/datasets.md has all of it.
Opening reads names and sizes and decodes nothing, unless max_corrupt asks for what can be read.
A frame that cannot be decoded is an error that names the video, never another frame.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from harness.core.errors import DataError
from harness.core.hashes import Hashes, Progress, Unhashed
from harness.core.problems import Problems
from harness.data._chosen_rows import chosen_lists
from harness.data._clip_bytes import Clip
from harness.data._clips import ClipOptions, DecodedClips
from harness.data._frame_cache import shrunk
from harness.data._frame_folders import FrameFolders
from harness.data._images import open_rgb
from harness.data._items import (
    Rows,
    items_of,
    shared_groups_note,
    tell_duplicate_names,
)
from harness.data._max_corrupt import without_unreadable_videos
from harness.data._video_hashes import files_of_videos, states_of, video_hashes, whole_frames
from harness.data._video_places import grouped, located, manifest_of
from harness.data._video_rows import (
    ListOptions,
    VideoLists,
    groups_of,
    tell_repeated,
)
from harness.data._words import camel_note, is_camel_case, words
from harness.sampling.crops import SHORT_SIDE

if TYPE_CHECKING:
    from PIL import Image

    from harness.core.hashes import Digests


class Options(ClipOptions):
    """format: of the lists, if several fit; split: of ucf101 and hmdb51, or all of them to test on;
    root: the folder of the videos, if they are not below PATH; train, test: a list or the folder
    of a split; labels: the csv of class names; frame: name of an extracted frame, as in
    img_{:05d}.jpg; groups: none, or a regular expression whose bracket finds a group in a path;
    position: the frame of a segment that evaluation reads; camel_case: whether CamelCase names
    become words; min_frames: a shorter video cannot be read; leave_out_below: videos of fewer
    frames, where a list says how many, are left out; side: frames are kept at a short side of at
    most this, by default what the resolution of a cell needs.
    """

    format: Literal["folders", "list", "ucf101", "hmdb51", "kinetics"] | None = None
    split: Annotated[int, Field(ge=1, le=3)] | Literal["all"] = 1
    root: str | None = None
    train: str | None = None
    test: str | None = None
    labels: str | None = None
    frame: str | None = None
    groups: str | None = None
    camel_case: bool = True
    leave_out_below: int | None = Field(default=None, ge=1)

    @field_validator("groups")
    @classmethod
    def _one_bracket(cls, value: str | None) -> str | None:
        if value is not None and value != "none":
            try:
                brackets = re.compile(value).groups
            except re.error as error:
                raise ValueError(f"is no regular expression: {error}") from error
            if brackets != 1:
                raise ValueError("must have one bracket, which is the group, as in '_(g[0-9]+)_'")
        return value

    @field_validator("frame")
    @classmethod
    def _takes_a_number(cls, value: str | None) -> str | None:
        try:
            if value is not None and value.format(1) == value.format(2):
                raise ValueError("must have a field for the number, as in img_{:05d}.jpg")
        except (IndexError, KeyError) as error:
            raise ValueError("must have one field, for the number: img_{:05d}.jpg") from error
        return value


@dataclass(frozen=True)
class Videos(DecodedClips):
    """Videos below `root`; an item's id is its path relative to it."""

    options: Options = field(default_factory=Options)
    counted: Mapping[str, int] = field(default_factory=dict)  # items that are folders of frames

    def clip(self, item: str) -> Clip:
        """The file, or the folder of extracted frames."""
        return self.root / item

    def sha256(self, clip: Clip) -> str:
        """Of the bytes of a file."""
        item = Path(str(clip)).relative_to(self.root).as_posix()
        (sha_32,) = self.remembered.of([item])
        return bytes(sha_32).hex()

    def for_training(self, items: Sequence[str]) -> Videos:
        """Extracted frames are files already; those of videos may be kept whole."""
        opened = super().for_training([item for item in items if item not in self.counted])
        return replace(opened, trained=frozenset(items))

    def frames_that_are_there(self, item: str) -> int:
        """As a list has it for extracted frames."""
        counted = self.counted.get(item)
        return super().frames_that_are_there(item) if counted is None else counted

    def frames_at(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        """Raises DataError for a frame that cannot be decoded, or read."""
        if item not in self.counted:
            return super().frames_at(item, indices)
        files = self._folders.files(item)
        return [shrunk(open_rgb(files[index]), self.side) for index in indices]

    def decode_whole(self, item: str) -> None:
        """Of a folder every file."""
        if item not in self.counted:
            super().decode_whole(item)
            return
        for file in self._folders.files(item):
            open_rgb(file)

    def item_hashes(self, items: Sequence[str], progress: Progress | None = None) -> Digests:
        """(N, 32): of the file, or over all extracted frames in order. OSError or DataError."""
        return video_hashes(self.remembered, items, self._frames_below, progress)

    def items_unhashed(self, items: Sequence[str]) -> Unhashed:
        """In files: every extracted frame counts."""
        return self.remembered.unhashed(files_of_videos(items, self._frames_below))

    @cached_property
    def remembered(self) -> Hashes:
        """The hashes of files below `root`; of extracted frames only of whole ones."""
        return whole_frames(self.root) if self.counted else super().remembered

    def _frames_below(self, item: str) -> list[str] | None:
        """The files of extracted frames, relative to `root`; None for a video in one file."""
        if item not in self.counted:
            return None
        return [f"{item}/{file.name}" for file in self._folders.files(item)]

    @cached_property
    def _folders(self) -> FrameFolders:
        return FrameFolders(self.root, self.counted, self.options.frame)


def open_dataset(argument: str, options: Options) -> Videos:
    """The videos that the lists or folders name.

    Raises DataError: lists that are missing, and all at once lines that are wrong, videos that are
    not there, duplicate class names, more videos that cannot be read than max_corrupt.
    """
    data, missing, problems = _opened(argument, options)
    data = _usable(data, missing, problems)
    problems.refuse()
    return data


def open_incomplete(argument: str, options: Options) -> tuple[Videos, list[str]]:
    """All that is listed, with its problems, and which of it is not there.

    Raises DataError, but not for lines that are wrong, or videos that are missing or cannot be
    read. What max_corrupt allows is left out, as in a study.
    """
    data, missing, problems = _opened(argument, options)
    if options.max_corrupt:
        data, missing = _usable(data, missing, problems), {}
    return replace(data, problems=tuple(problems.lines())), list(missing)


def _usable(data: Videos, missing: Mapping[str, str], problems: Problems) -> Videos:
    """`data` without what max_corrupt allows; more than that is a problem."""
    try:
        return without_unreadable_videos(
            data, data.options.max_corrupt, missing,
            read_whole=data.read_whole, min_frames=data.options.min_frames,
            state=lambda items: states_of(data.root, items),
        )  # fmt: skip
    except DataError as error:
        problems.add_error("unusable", error)
        return data


def _opened(argument: str, options: Options) -> tuple[Videos, dict[str, str], Problems]:
    """All that is listed, what of it cannot be opened with the reason or where it is listed, and
    lines that are wrong.
    """
    path = _folder_or_list(argument)
    reference = f"video:{argument}"
    problems = Problems(f"dataset {reference}")
    list_options = ListOptions(
        options.format, train=options.train, test=options.test, labels=options.labels
    )
    with problems.with_last():
        lists = chosen_lists(path, list_options, options.split, options.leave_out_below, problems)
    names, notes = _names(lists, options, reference, problems)
    folder = path if path.is_dir() else path.parent
    root, placed = located(folder, lists, options.root, problems)
    base = lists.source if lists.source.is_dir() else path  # one folder deeper than `path`, maybe
    in_table = groups_of(base, problems) if options.groups is None and path.is_dir() else {}
    rows = {
        split: [grouped(row, options.groups, in_table, problems) for row in its_rows]
        for split, its_rows in placed.items()
    }
    all_rows = (*rows["train"], *rows["test"])
    tell_repeated(all_rows, lists.source, problems)
    manifest, wrong = manifest_of(root, rows)
    missing = {row.path: wrong[row.path] or row.line for row in all_rows if row.path in wrong}
    index = {label: c for c, label in enumerate(lists.names)}
    items = {}
    for split, its_rows in rows.items():
        numbered: Rows = [(row.path, index[row.label], row.group) for row in its_rows]
        items[split] = items_of(numbered)
    in_train, in_test = ([row.group for row in rows[split]] for split in ("train", "test"))
    notes += shared_groups_note(in_train, in_test, reference)
    data = Videos(
        root, names, items["train"], items["test"], manifest, {}, notes=(*lists.notes, *notes),
        reference=reference, options=options,
        counted={row.path: row.frames for row in all_rows if row.frames is not None},
        side=options.side or SHORT_SIDE,
    )  # fmt: skip
    return data, missing, problems


def _names(
    lists: VideoLists, options: Options, reference: str, problems: Problems
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The class names as they are read, and the note on those that were split into words."""
    names = words(lists.names, split_camel=options.camel_case)
    tell_duplicate_names(names, lists.source, problems)
    split = options.camel_case and is_camel_case(lists.names)
    return names, camel_note(lists.names, names, reference) if split else ()


def _folder_or_list(argument: str) -> Path:
    if not argument:
        raise DataError("dataset 'video' needs a path, as in video:clips")
    try:
        path = Path(argument).expanduser()
        exists = path.exists()
    except (OSError, RuntimeError) as error:  # a name too long, a user that does not exist
        raise DataError(f"dataset video:{argument[:200]} cannot be read: {error}") from error
    if not exists:
        raise DataError(f"dataset video:{argument}: there is no folder or list {path}")
    return path
