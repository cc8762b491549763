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
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from harness.core.errors import DataError
from harness.core.hashes import Hashes, Progress, Unhashed
from harness.core.hashing import digest
from harness.core.problems import Problems
from harness.core.protocols.dataset import Kind, Used
from harness.data import _decode
from harness.data._chosen_rows import chosen_lists
from harness.data._clip_bytes import Clip
from harness.data._frame_cache import FrameCache, Keeps, shrunk
from harness.data._frame_folders import FrameFolders
from harness.data._images import open_rgb
from harness.data._items import (
    Rows,
    items_of,
    shared_groups_note,
    tell_duplicate_names,
)
from harness.data._max_corrupt import PictureOptions, without_unreadable_videos
from harness.data._own_files import OwnFiles
from harness.data._side import kept_side
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


class Options(PictureOptions):
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
    position: Literal["centre", "first"] = "centre"
    camel_case: bool = True
    min_frames: int = Field(default=8, ge=1)
    leave_out_below: int | None = Field(default=None, ge=1)
    side: int | None = Field(default=None, ge=16)

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
class Videos(OwnFiles):
    """Videos below `root`; an item's id is its path relative to it."""

    kind: ClassVar[Kind] = "clips"
    noun: ClassVar[str] = "videos"

    options: Options = field(default_factory=Options)
    counted: Mapping[str, int] = field(default_factory=dict)  # items that are folders of frames
    trained: frozenset[str] = frozenset()  # of which training reads other frames in every epoch
    keeps: Keeps = "whole"  # what the cache keeps of them
    side: int = SHORT_SIDE  # frames are kept at a short side of at most this

    @property
    def position(self) -> str:
        """Centre | first, as the option says."""
        return self.options.position

    def for_pictures(self, resolution: int, short_side: int) -> Videos:
        """Raises DataError if the option side is smaller than the resolution."""
        side = kept_side(self.options.side, resolution, short_side, self.reference)
        if side == self.side:
            return self
        manifest_of = lambda: digest([self.manifest, "side", side], 64)  # noqa: E731
        return replace(self, side=side, manifest_of=manifest_of)

    def for_training(self, items: Sequence[str]) -> Videos:
        """Frames of these videos are kept whole if the budget of the cache has room for all."""
        files = [self.root / item for item in items if item not in self.counted]
        keeps: Keeps = "whole" if self._store.has_room(files) else "nothing"
        return replace(self, trained=frozenset(items), keeps=keeps)

    def content(self, used: Used, progress: Progress | None = None) -> str:
        """Over the bytes, and the side where it is not the usual one."""
        content = super().content(used, progress)
        return content if self.side == SHORT_SIDE else digest([content, "side", self.side], 64)

    def length(self, item: str) -> int:
        """Frames of a video. DataError for one that cannot be read or is too short."""
        return self._counting(self._length, item)

    def frames(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        """Frames by index, from the cache or decoded. DataError if one cannot be decoded."""
        return self._counting(lambda i: self._frames(i, indices), item)

    def read(self, item: str) -> Image.Image:
        """The middle frame."""
        return self._frames(item, [self._length(item) // 2])[0]

    def read_whole(self, item: str) -> Image.Image:
        """The middle frame, after every frame was decoded. DataError if one cannot be."""
        path, _ = self.root / item, self._length(item)
        if item in self.counted:
            for file in self._folders.files(item):
                open_rgb(file)
        else:
            index = self._store.index(path)
            if index.times:  # else the index pass has decoded the video
                for _ in _decode.read_all(path, index):
                    pass
        return self.read(item)

    def content_hash(self, item: str) -> str:
        """Of the bytes of the file or of all extracted frames, and of the side they are kept at."""
        return digest([super().content_hash(item), self.side], 64)

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

    def _length(self, item: str) -> int:
        length = self.counted.get(item)
        if length is None:
            length = self._store.length(self.root / item, self._keeps(item))
        if length < self.options.min_frames:
            raise DataError(
                f"video {self.root / item} is too short: {length} frames, and min_frames is "
                f"{self.options.min_frames}"
            )
        return length

    def _frames(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        length = self._length(item)
        for index in indices:
            if not 0 <= index < length:
                raise DataError(f"video {self.root / item} has no frame {index}: it has {length}")
        if item in self.counted:
            files = self._folders.files(item)
            return [shrunk(open_rgb(files[index]), self.side) for index in indices]
        return self._store.get(self.root / item, indices, self._keeps(item))

    def _keeps(self, item: str) -> Keeps:
        return self.keeps if item in self.trained else "used"

    @cached_property
    def _folders(self) -> FrameFolders:
        return FrameFolders(self.root, self.counted, self.options.frame)

    @cached_property
    def _store(self) -> FrameCache:
        return FrameCache(self.side, self._sha256)

    def _sha256(self, path: Clip) -> str:
        item = Path(str(path)).relative_to(self.root).as_posix()
        (sha_32,) = self.remembered.of([item])
        return bytes(sha_32).hex()


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
