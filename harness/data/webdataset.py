"""Pictures and videos in tar shards, as clusters have them: `webdataset:SHARDS`.

    webdataset:PATH/imagenet-{train-{0000..1281},val-{00..49}}.tar
    webdataset:PATH        PATH/train/*.tar, PATH/test/*.tar, or x-train-0000.tar, x-val-0000.tar
    webdataset:s3://BUCKET/PATH          whatever fsspec reads
    {name: webdataset:PATH, train: "a-{000..146}.tar", test: "b-*.tar", classes: names.txt}

A sample is the files of one name: x.jpg (png, webp, ..., or a video as mp4) with x.cls (a number or
a text) or x.json with a field label. Numbers count the lines of classnames.txt from 0. Opening
reads every shard once; what it found is remembered while the file of the shard is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.core import progress
from harness.core.errors import DataError
from harness.core.problems import Problems
from harness.core.samples import Items
from harness.data._images import picture_suffixes
from harness.data._items import lines_hash, unused_split_note
from harness.data._max_corrupt import usable_pictures, without_unreadable_videos
from harness.data._shard_classes import class_names, classes_of
from harness.data._shard_data import ShardClips, ShardOptions, ShardPictures, members_of
from harness.data._shard_files import state_of
from harness.data._shard_index import known_shard, read_shard
from harness.data._shard_lists import Shards, shards_at
from harness.data._shard_pass import Shard, Wanted
from harness.data._video_rows import VIDEOS
from harness.sampling.crops import SHORT_SIDE

Options = ShardOptions
SPLITS = ("train", "test", "val")


def open_dataset(argument: str, options: Options) -> ShardPictures:
    """The samples of all shards.

    Raises DataError: shards that are not there, are compressed or cut short, samples without a
    label or with two, labels that are no class, pictures beside videos, more of them that cannot be
    read than max_corrupt.
    """
    data, problems = _opened(argument, options)
    problems.refuse()
    return data


def open_incomplete(argument: str, options: Options) -> tuple[ShardPictures, list[str]]:
    """The samples with their problems. Nothing is missing: all shards must be there."""
    data, problems = _opened(argument, options)
    return replace(data, problems=tuple(problems.lines())), []


def _opened(argument: str, options: Options) -> tuple[ShardPictures, Problems]:
    reference = f"webdataset:{argument}"
    problems = Problems(f"dataset {reference}")
    shards = shards_at(argument, options.train, options.test)
    read = _read(shards, options, problems)
    every = [shard for of_split in read.values() for shard in of_split]
    ids = {split: _ids(shards, of_split) for split, of_split in read.items()}
    labels = {split: [x for s in of_split for x in s.labels] for split, of_split in read.items()}
    first: dict[str, str] = {}
    for split in read:
        for item, label in zip(ids[split], labels[split], strict=True):
            first.setdefault(label, item)
    names = class_names(shards.base, options.classes)
    classes, index = classes_of(names, first, reference, problems)
    items = {split: _items(ids.get(split, ()), labels.get(split, ()), index) for split in SPLITS}
    members = members_of(every, [item for of_split in ids.values() for item in of_split])
    kind: type[ShardPictures] = _kind(every, reference)
    data = kind(
        Path(argument), classes, items["train"], items["test"],
        lambda: _manifest(data), {}, val=items["val"] if "val" in read else None,
        notes=_notes(shards, items, reference), reference=reference,
        members=members, options=options,
    )  # fmt: skip
    if isinstance(data, ShardClips):
        data = replace(data, side=options.side or SHORT_SIDE)
    return _usable(data, every, problems), problems


def _read(shards: Shards, options: Options, problems: Problems) -> dict[str, list[Shard]]:
    """Split -> its shards. Those that are not known are counted while they are read.

    Raises DataError with what is wrong with each of them.
    """
    media = frozenset((*picture_suffixes(), *VIDEOS))
    wanted = Wanted(media, options.member, options.label)
    places = [place for split in SPLITS for place in shards.of.get(split, ())]
    known = {place: known_shard(place, wanted) for place in places}
    unknown = [place for place, shard in known.items() if shard is None]
    read = {place: shard for place, shard in known.items() if shard is not None}
    for done, place in enumerate(unknown):
        progress.tell("files", done, len(unknown))
        try:
            read[place] = read_shard(place, wanted)
        except DataError as error:
            problems.add_error("shard", error)
    problems.refuse()
    if unknown:
        progress.tell("files", len(unknown), len(unknown))
    return {s: [read[place] for place in shards.of[s]] for s in SPLITS if s in shards.of}


def _ids(shards: Shards, read: Sequence[Shard]) -> list[str]:
    """'train/0000/x': the name of the shard, and the key in it."""
    return [f"{name}/{key}" for s in read for name in [shards.name(s.place)] for key in s.keys]


def _items(ids: Sequence[str], labels: Sequence[str], index: Mapping[str, int]) -> Items:
    """Without those whose label is a problem. Each is a group of its own."""
    known = [
        (item, index[label]) for item, label in zip(ids, labels, strict=True) if label in index
    ]
    label_N = np.array([label for _, label in known], dtype=np.int64)
    return Items(tuple(item for item, _ in known), label_N, np.arange(len(known)))


def _kind(read: Sequence[Shard], reference: str) -> type[ShardPictures]:
    """Raises DataError for pictures beside videos."""
    first: dict[bool, str] = {}
    for shard in read:
        for suffix in sorted(set(shard.suffixes)):
            key = shard.keys[shard.suffixes.index(suffix)]
            first.setdefault(suffix in VIDEOS, f"{key}{suffix} in {shard.place}")
    if len(first) > 1:
        both = f"a video ({first[True]}) and a picture ({first[False]})"
        raise DataError(f"dataset {reference} holds {both}: it must be of one kind")
    return ShardClips if True in first else ShardPictures


def _notes(shards: Shards, items: Mapping[str, Items], reference: str) -> tuple[str, ...]:
    notes = unused_split_note(items["val"], reference, "val")
    if "test" not in shards.of:
        notes += (f"{reference} has no shards of a split 'test'.",)
    return notes


def _manifest(data: ShardPictures) -> str:
    """Over split, name, size, class of every item."""
    assert data.members is not None
    lines = []
    for split, items in (("train", data.train), ("test", data.test)):
        sizes = data.members.size_N[data.members.rows(items.ids)].tolist()
        for item, size, label in zip(items.ids, sizes, items.labels.tolist(), strict=True):
            lines.append(f"{split}|{item}|{size}|{data.classes[label]}|")
    return lines_hash(lines)


def _usable(data: ShardPictures, read: Sequence[Shard], problems: Problems) -> ShardPictures:
    """`data` without what max_corrupt allows; more than that is a problem."""
    limit = data.options.max_corrupt
    if not limit:
        return data
    states = [[shard.place, state_of(shard.place)] for shard in read]
    if not isinstance(data, ShardClips):
        return usable_pictures(data, limit, states, {}, problems)
    try:
        return without_unreadable_videos(
            data, limit, {}, read_whole=data.read_whole, min_frames=data.options.min_frames,
            state=lambda _: states,
        )  # fmt: skip
    except DataError as error:
        problems.add_error("unusable", error)
        return data
