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
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator

from harness.core.errors import DataError
from harness.core.files import file_hash
from harness.core.hashing import digest
from harness.data import _decode, _video_lists
from harness.data._base import ImageFiles, Rows, items_of, lines_hash, refuse_twins
from harness.data._checked import PictureOptions
from harness.data._corrupt import SECONDS, named, unreadable
from harness.data._frames import Frames, files_hash, shrunk
from harness.data._images import EXTENSIONS, open_rgb
from harness.data._video_lists import Listed, Row, Wanted, listed
from harness.data._videos_checked import without_unreadable
from harness.data._words import words

if TYPE_CHECKING:
    from PIL import Image

#: How many rows tell where the videos lie.
PROBED = 100


class Options(PictureOptions):
    """root: where the videos lie, if not below PATH; train, test: a list or the folder of a split;
    labels: the csv of class names; frame: name of an extracted frame, as in img_{:05d}.jpg;
    groups: none, or a regular expression whose bracket finds a group in a path; min_frames: a
    shorter video cannot be read; side: frames are kept at a short side of at most this.
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
    side: int = Field(default=256, ge=16)

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
                raise ValueError("must hold a place for the number, as in img_{:05d}.jpg")
        except (IndexError, KeyError) as error:
            raise ValueError("must hold one place, for the number: img_{:05d}.jpg") from error
        return value


@dataclass(frozen=True)
class Videos(ImageFiles):
    """Videos below `root`; an item's id is its path relative to it."""

    kind: ClassVar[Kind] = "clips"

    options: Options = field(default_factory=Options)
    counted: Mapping[str, int] = field(default_factory=dict)  # items that are folders of frames
    trained: frozenset[str] = frozenset()  # whose frames are kept whole

    @property
    def position(self) -> str:
        return self.options.position

    def length(self, item: str) -> int:
        return self._told(self._length, item)

    def frames(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        return self._told(lambda i: self._frames(i, indices), item)

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
            if index.times:  # else the index pass has decoded it
                for _ in _decode.read_all(path, index):
                    pass
        return self.read(item)

    def content_hash(self, item: str) -> str:
        path = self.root / item
        if item not in self.counted:
            with _decode.readable(path):
                return digest([file_hash(path), self.options.side], 64)
        files = [self._frame_file(item, number) for number in range(self.counted[item])]
        return digest([files_hash(files), self.options.side], 64)

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
            return [shrunk(open_rgb(file), self.options.side) for file in files]
        return self._store.get(self.root / item, indices, whole=item in self.trained)

    def _frame_file(self, item: str, index: int) -> Path:
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
    def _store(self) -> Frames:
        return Frames(self.options.side)

    @cached_property
    def _how_many(self) -> str:
        items = (*self.train.ids, *self.test.ids)
        found, whole = unreadable(self.read_whole, items, SECONDS)
        count = f"{'' if whole else 'at least '}{len(found)} of the {len(items)} videos"
        return (
            f"; {count} of {self.reference} cannot be read: {named(found)}. Mend or remove them, "
            "or let a share of them be left out with the option max_corrupt"
        )


@cache
def open_dataset(argument: str, options: Options) -> Videos:
    """The videos that the lists or folders name.

    Raises DataError: lists that are missing or malformed, videos that are not there, duplicate
    class names, more videos that cannot be read than max_corrupt.
    """
    data, missing = open_incomplete(argument, options)
    return without_unreadable(
        data, options.max_corrupt, missing,
        read_whole=data.read_whole, min_frames=options.min_frames,
    )  # fmt: skip


def open_incomplete(argument: str, options: Options) -> tuple[Videos, list[str]]:
    """All that is listed, and which of it is not there.

    Raises DataError, but not for videos that are missing or cannot be read.
    """
    place = _place(argument)
    found = listed(place, Wanted(options.format, options.split, options.train, options.test,
                                 options.labels))  # fmt: skip
    names = words(found.names, split_camel=options.camel_case)
    refuse_twins(names, found.source)
    root, train, test = _located(place, found, options)
    reference = f"video:{argument}"
    given = _video_lists.groups_of(place) if options.groups is None and place.is_dir() else {}
    rows = {"train": train, "test": test}
    grouped = {use: [_grouped(row, options, given) for row in rows[use]] for use in rows}
    content, missing = _manifest(root, grouped, found.source)
    index = {label: c for c, label in enumerate(found.names)}
    items = {}
    for use, its in grouped.items():
        numbered: Rows = [(row.path, index[row.label], row.group) for row in its]
        items[use] = items_of(numbered)
    counted = {row.path: row.frames for row in (*train, *test) if row.frames is not None}
    data = Videos(
        root, names, items["train"], items["test"], content, {}, reference=reference,
        options=options, counted=counted, trained=frozenset(items["train"].ids),
    )  # fmt: skip
    return data, missing


def _place(argument: str) -> Path:
    if not argument:
        raise DataError("dataset 'video' needs a path, as in video:clips")
    try:
        place = Path(argument).expanduser()
        found = place.exists()
    except (OSError, RuntimeError) as error:  # a name too long, a user that is not
        raise DataError(f"dataset video:{argument[:200]} cannot be read: {error}") from error
    if not found:
        raise DataError(f"dataset video:{argument}: there is no folder or list {place}")
    return place


def _located(place: Path, found: Listed, options: Options) -> tuple[Path, list[Row], list[Row]]:
    """Where the videos lie, and the rows as they are laid out there."""
    base = place if place.is_dir() else place.parent
    folders = [base / options.root] if options.root else [base / f for f in found.folders]
    if not folders[0].is_dir() and options.root:
        raise DataError(f"option root: there is no folder {folders[0]}")
    rows = {"train": _safe(found.train, found), "test": _safe(found.test, found)}
    probed = [row.path for its in rows.values() for row in its[:PROBED]]
    if not probed:
        raise DataError(f"{found.source} lists no video")

    def there(folder: Path, lay: Any) -> int:
        return sum((folder / lay(path)).exists() for path in probed)

    folder, lay = max(
        ((folder, lay) for folder in folders for lay in found.places), key=lambda at: there(*at)
    )
    laid = {use: [replace(row, path=lay(row.path)) for row in its] for use, its in rows.items()}
    return folder, laid["train"], laid["test"]


def _safe(rows: Sequence[Row], found: Listed) -> list[Row]:
    return [replace(row, path=_video_lists.safe(row.path, found.source)) for row in rows]


def _grouped(row: Row, options: Options, given: Mapping[str, str]) -> Row:
    group = given.get(row.path, row.group)
    if options.groups == "none":
        group = ""
    elif options.groups is not None:
        match = re.search(options.groups, row.path)
        if match is None:
            raise DataError(f"option groups: {options.groups!r} finds nothing in {row.path}")
        group = match[1]
    return replace(row, group=group)


def _manifest(
    root: Path, grouped: Mapping[str, Sequence[Row]], source: Path
) -> tuple[str, list[str]]:
    """The hash of what is there, and what is listed and is not."""
    lines, missing = [], []
    for use, rows in grouped.items():
        for row in rows:
            try:
                size = row.frames or (root / row.path).stat().st_size
                if row.frames is not None and not (root / row.path).is_dir():
                    missing.append(row.path)
            except OSError:
                missing.append(row.path)
                continue
            lines.append(f"{use}|{row.path}|{size}|{row.label}|{row.group}")
    paths = [row.path for rows in grouped.values() for row in rows]
    if len(set(paths)) < len(paths):
        raise DataError(f"{source} lists {len(paths) - len(set(paths))} videos more than once")
    return lines_hash(lines), missing


@lru_cache(maxsize=256)
def _frame_files(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder in the order of their numbers.

    Raises DataError if a name has no number, or two the same.
    """
    try:
        files = [p for p in folder.iterdir() if p.suffix.lower() in EXTENSIONS]
    except OSError as error:
        raise DataError(f"the frames in {folder} cannot be read: {error.strerror}") from error
    numbered = {int(n[-1]): p for p in files if (n := re.findall(r"\d+", p.stem))}
    if len(numbered) < len(files):
        raise DataError(f"the frames in {folder} are not numbered, each with its own number")
    return tuple(numbered[number] for number in sorted(numbered))
