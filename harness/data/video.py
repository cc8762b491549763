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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from harness.core.errors import DataError
from harness.core.files import file_hash
from harness.core.hashing import digest
from harness.core.protocols.dataset import Kind
from harness.data import _decode, _video_lists
from harness.data._frame_cache import FrameCache, files_hash, shrunk
from harness.data._image_files import ImageFiles, opened_once
from harness.data._images import EXTENSIONS, open_rgb, picture_suffixes
from harness.data._items import Rows, items_of, lines_hash, refuse_duplicate_names
from harness.data._listing import entries, special
from harness.data._max_corrupt import PictureOptions, without_unreadable_videos
from harness.data._side import kept_side
from harness.data._video_lists import ListOptions, Row, VideoLists, read_lists
from harness.data._words import words
from harness.sampling.views import SHORT_SIDE

if TYPE_CHECKING:
    from PIL import Image

#: How many rows of a split are looked up to find where the videos are.
PROBED = 100


class Options(PictureOptions):
    """format: of the lists, if several fit; split: of ucf101 and hmdb51; root: the folder of the
    videos, if they are not below PATH; train, test: a list or the folder of a split; labels: the
    csv of class names; frame: name of an extracted frame, as in img_{:05d}.jpg; groups: none, or a
    regular expression whose bracket finds a group in a path; position: the frame of a segment that
    evaluation reads; camel_case: whether CamelCase names become words; min_frames: a shorter video
    cannot be read; side: frames are kept at a short side of at most this, by default what the
    resolution of a cell needs.
    """

    format: Literal["folders", "list", "ucf101", "hmdb51", "kinetics"] | None = None
    split: int = Field(default=1, ge=1, le=3)
    root: str | None = None
    train: str | None = None
    test: str | None = None
    labels: str | None = None
    frame: str | None = None
    groups: str | None = None
    position: Literal["centre", "first"] = "centre"
    camel_case: bool = True
    min_frames: int = Field(default=8, ge=1)
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
class Videos(ImageFiles):
    """Videos below `root`; an item's id is its path relative to it."""

    kind: ClassVar[Kind] = "clips"
    noun: ClassVar[str] = "videos"

    options: Options = field(default_factory=Options)
    counted: Mapping[str, int] = field(default_factory=dict)  # items that are folders of frames
    trained: frozenset[str] = frozenset()  # whose frames are kept whole
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
        return replace(self, side=side, manifest=digest([self.manifest, "side", side], 64))

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
        length = self._length(item)
        path = self.root / item
        if item in self.counted:
            for number in range(length):
                open_rgb(self._frame_file(item, number))
        else:
            index = self._store.index(path, whole=False)
            if index.times:  # else the index pass has decoded the video
                for _ in _decode.read_all(path, index):
                    pass
        return self.read(item)

    def content_hash(self, item: str) -> str:
        """Of the bytes of the file or of all extracted frames, and of the side they are kept at."""
        path = self.root / item
        if item not in self.counted:
            with _decode.readable(path):
                return digest([file_hash(path), self.side], 64)
        files = [self._frame_file(item, number) for number in range(self.counted[item])]
        return digest([files_hash(files), self.side], 64)

    def _length(self, item: str) -> int:
        length = self.counted.get(item)
        if length is None:
            length = self._store.length(self.root / item, whole=item in self.trained)
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
            files = [self._frame_file(item, index) for index in indices]
            return [shrunk(open_rgb(file), self.side) for file in files]
        return self._store.get(self.root / item, indices, whole=item in self.trained)

    def _frame_file(self, item: str, index: int) -> Path:
        """The picture of an extracted frame."""
        folder = self.root / item
        if self.options.frame is not None:
            return folder / self.options.frame.format(index + 1)
        files = _frame_files(folder)
        if index >= len(files):
            raise DataError(
                f"the folder {folder} holds {len(files)} frames; its list says {self.counted[item]}"
            )
        return files[index]

    @cached_property
    def _store(self) -> FrameCache:
        return FrameCache(self.side)


@opened_once
def open_dataset(argument: str, options: Options) -> Videos:
    """The videos that the lists or folders name.

    Raises DataError: lists that are missing or malformed, videos that are not there, duplicate
    class names, more videos that cannot be read than max_corrupt.
    """
    data, missing = open_incomplete(argument, options)
    return without_unreadable_videos(
        data, options.max_corrupt, missing,
        read_whole=data.read_whole, min_frames=options.min_frames,
    )  # fmt: skip


def open_incomplete(argument: str, options: Options) -> tuple[Videos, list[str]]:
    """All that is listed, and which of it is not there.

    Raises DataError, but not for videos that are missing or cannot be read.
    """
    path = _folder_or_list(argument)
    list_options = ListOptions(
        options.format, options.split, options.train, options.test, options.labels
    )
    lists = read_lists(path, list_options)
    names = words(lists.names, split_camel=options.camel_case)
    refuse_duplicate_names(names, lists.source)
    root, located = _located(path, lists, options)
    base = lists.source if lists.source.is_dir() else path  # one folder deeper than `path`, maybe
    group_of = _video_lists.groups_of(base) if options.groups is None and path.is_dir() else {}
    rows = {
        split: [_grouped(row, options, group_of) for row in its_rows]
        for split, its_rows in located.items()
    }
    manifest, missing = _manifest(root, rows, lists.source)
    index = {label: c for c, label in enumerate(lists.names)}
    items = {}
    for split, its_rows in rows.items():
        numbered: Rows = [(row.path, index[row.label], row.group) for row in its_rows]
        items[split] = items_of(numbered)
    all_rows = (*rows["train"], *rows["test"])
    data = Videos(
        root, names, items["train"], items["test"], manifest, {}, notes=tuple(lists.notes),
        reference=f"video:{argument}", options=options,
        counted={row.path: row.frames for row in all_rows if row.frames is not None},
        trained=frozenset(items["train"].ids), side=options.side or SHORT_SIDE,
    )  # fmt: skip
    return data, missing


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


def _located(path: Path, lists: VideoLists, options: Options) -> tuple[Path, dict[str, list[Row]]]:
    """The folder of the videos, and the rows of every split with paths as they are below it.

    Of the folders and layouts that the format allows, the one in which most videos are found.
    """
    base = path if path.is_dir() else path.parent
    folders = [base / options.root] if options.root else [base / f for f in lists.folders]
    if not folders[0].is_dir() and options.root:
        raise DataError(f"option root: there is no folder {folders[0]}")
    rows = {"train": _safe(lists.train, lists), "test": _safe(lists.test, lists)}
    probed = [row.path for split in rows.values() for row in split[:PROBED]]
    if not probed:
        raise DataError(f"{lists.source} lists no video")

    def count(folder: Path, layout: Callable[[str], str]) -> int:
        return sum((folder / layout(each)).exists() for each in probed)

    # Of equals max takes the first, which is the likelier.
    folder, layout = max(
        ((folder, layout) for folder in folders for layout in lists.layouts),
        key=lambda candidate: count(*candidate),
    )
    return folder, {
        split: [replace(row, path=layout(row.path)) for row in its_rows]
        for split, its_rows in rows.items()
    }


def _safe(rows: Sequence[Row], lists: VideoLists) -> list[Row]:
    return [replace(row, path=_video_lists.safe(row.path, lists.source)) for row in rows]


def _grouped(row: Row, options: Options, group_of: Mapping[str, str]) -> Row:
    """The row with its group: of the option, of groups.csv, or of the format."""
    group = group_of.get(row.path, row.group)
    if options.groups == "none":
        group = ""
    elif options.groups is not None:
        match = re.search(options.groups, row.path)
        if match is None:
            raise DataError(f"option groups: {options.groups!r} finds nothing in {row.path}")
        group = match[1]
    return replace(row, group=group)


def _manifest(root: Path, rows: Mapping[str, Sequence[Row]], source: Path) -> tuple[str, list[str]]:
    """The hash of what is there, and what is listed and is not, or is no regular file.

    Raises DataError for a video that is listed twice.
    """
    lines, missing = [], []
    for split, its_rows in rows.items():
        for row in its_rows:
            if row.frames is None and special(root / row.path):
                missing.append(row.path)  # opening a FIFO would block
                continue
            try:
                size = row.frames or (root / row.path).stat().st_size
                if row.frames is not None and not (root / row.path).is_dir():
                    missing.append(row.path)
            except OSError:
                missing.append(row.path)
                continue
            lines.append(f"{split}|{row.path}|{size}|{row.label}|{row.group}")
    paths = [row.path for its_rows in rows.values() for row in its_rows]
    if len(set(paths)) < len(paths):
        raise DataError(f"{source} lists {len(paths) - len(set(paths))} videos more than once")
    return lines_hash(lines), missing


@lru_cache(maxsize=256)
def _frame_files(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder in the order of their numbers.

    Raises DataError if the folder cannot be read, a name has no number, or two the same.
    """
    present = entries(folder)
    # Pictures of rarer kinds may be a by-product: they are frames where there are no others.
    usual, readable = (
        [path for path in present if path.suffix.lower() in suffixes]
        for suffixes in (EXTENSIONS, picture_suffixes())
    )
    files = usual or readable
    numbered = {int(n[-1]): p for p in files if (n := re.findall(r"\d+", p.stem))}
    if len(numbered) < len(files):
        raise DataError(f"the frames in {folder} are not numbered, each with its own number")
    return tuple(numbered[number] for number in sorted(numbered))
