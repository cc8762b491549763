"""Which shards a data set has, and the split of each.

    PATH/imagenet-{train-{0000..0146},val-{00..06}}.tar    braces; * and ? as in a shell
    PATH/train/*.tar, PATH/test/*.tar                      a folder
    PATH/x-train-0000.tar, PATH/x-val-0000.tar             the same, by the names of the files

A shard whose name says no split is of the test.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.core.errors import DataError
from harness.data._shard_files import fixed_folder, is_there, is_url, matching, sorted_unique
from harness.data._split_folders import SPELLINGS

SUFFIX = ".tar"
#: They cannot be read from the middle.
COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar.lz4")
#: What may be expanded to so many names is a slip.
MOST = 1_000_000
NAME_OF_SPLIT = re.compile(
    rf"(?<![a-z])({'|'.join(s for each in SPELLINGS.values() for s in each)})(?![a-z])"
)
SPLIT_OF = {spelling: split for split, those in SPELLINGS.items() for spelling in those}


@dataclass(frozen=True)
class Shards:
    """The shards of every split; `base` is what their names are relative to."""

    base: str
    of: Mapping[str, list[str]]  # train, test, val -> places; a split without shards is not there

    def name(self, place: str) -> str:
        """The same wherever the data are: 'train/0000'."""
        below = place.startswith(self.base)
        short = place[len(self.base) :] if below else place.rpartition("/")[2]
        return short.removesuffix(SUFFIX)


def shards_at(argument: str, train: str | None, test: str | None) -> Shards:
    """The shards that a task names; `train` and `test` are patterns relative to `argument`, or the
    name of a split that is used as such.

    Raises DataError: no shards, one that is not there, a compressed one, a name of two splits.
    """
    if not argument:
        raise DataError("dataset 'webdataset' needs shards, as in webdataset:shards/{000..146}.tar")
    if argument.startswith("pipe:"):
        raise DataError(f"webdataset:{argument}: commands are not run; name a path or a URL")
    is_folder = not argument.endswith((SUFFIX, *COMPRESSED))
    base = argument.rstrip("/") + "/" if is_folder else fixed_folder(argument)
    named = {"train": train, "test": test}
    patterns = {split: p for split, p in named.items() if p is not None and p not in SPELLINGS}
    found: dict[str, list[str]] = {}
    if not (is_folder and len(patterns) == 2):
        found = _by_name(argument, base, is_folder=is_folder)
    for split, pattern in patterns.items():
        found[split] = _expanded(pattern if is_absolute(pattern) else base + pattern)
    for split, other in named.items():
        if other in SPELLINGS and other != split:
            if other not in found:
                raise DataError(f"webdataset:{argument}: there are no shards of '{other}'")
            found[split] = found.pop(other)
    if "test" not in found and "val" in found:
        found["test"] = found.pop("val")
    if not found:
        raise DataError(f"webdataset:{argument}: there is no shard, a file {base}*{SUFFIX}")
    shards = Shards(base, found)
    _refuse(argument, shards)
    return shards


def is_absolute(place: str) -> bool:
    return is_url(place) or place.startswith("/")


def braces(text: str) -> Iterator[str]:
    """`x{0..2}` to x0, x1, x2 and `{a,b}` to a, b, as bash has it; nested ones too."""
    match = re.search(r"\{([^{}]*)\}", text)
    if match is None:
        yield text
        return
    before, after = text[: match.start()], text[match.end() :]
    parts = _range(match[1]) or match[1].split(",")
    if parts == [match[1]]:
        raise DataError(f"{{{match[1]}}} in {text} is neither {{FIRST..LAST}} nor {{a,b}}")
    yield from itertools.chain.from_iterable(braces(before + part + after) for part in parts)


def _range(text: str) -> list[str] | None:
    match = re.fullmatch(r"(\d+)\.\.(\d+)", text)
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    width = max(map(len, match.groups())) if "0" in (match[1][0], match[2][0]) else 0
    if abs(last - first) >= MOST:
        raise DataError(f"{{{text}}} means {abs(last - first) + 1} shards")
    step = 1 if last >= first else -1
    return [f"{n:0{width}}" for n in range(first, last + step, step)]


def _expanded(pattern: str) -> list[str]:
    places: list[str] = []
    for each in braces(pattern):
        if "*" in each or "?" in each:
            found = matching(each)
            if not found:
                raise DataError(f"there is no shard {each}")
            places += found
        else:
            places.append(each)
    return sorted_unique(places)


def _by_name(argument: str, base: str, *, is_folder: bool) -> dict[str, list[str]]:
    """Split -> shards, by the folders or names of the files."""
    if is_folder:
        found_at = (
            matching(f"{base}{below}*{end}")
            for end in (SUFFIX, *COMPRESSED)
            for below in ("", "*/")
        )
        places = list(itertools.chain.from_iterable(found_at))
    else:
        places = _expanded(argument)
    found: dict[str, list[str]] = {}
    for place in sorted_unique(places):
        name = place.removeprefix(base).lower()
        splits = {SPLIT_OF[spelling] for spelling in NAME_OF_SPLIT.findall(name)}
        if len(splits) > 1:
            raise DataError(f"shard {place} has the names of two splits: name the shards of each "
                            "with the options train and test")  # fmt: skip
        found.setdefault(splits.pop() if splits else "test", []).append(place)
    return found


def _refuse(argument: str, shards: Shards) -> None:
    """Raises DataError for what is not there, is compressed, or is of two splits."""
    places = [place for split in shards.of.values() for place in split]
    for place in places:
        if place.endswith(COMPRESSED):
            raise DataError(f"shard {place} is compressed, and single samples cannot be read from "
                            "it: decompress it to .tar (gunzip, unzstd, xz -d)")  # fmt: skip
    named: dict[str, str] = {}
    for place in places:
        other = named.setdefault(shards.name(place), place)
        if other is not place:
            what = "is of two splits" if other == place else f"has the name of {other}"
            raise DataError(f"webdataset:{argument}: shard {place} {what}")
    missing = [place for place in places if not is_there(place)]
    if missing:
        raise DataError(f"there is no shard {missing[0]}: {len(missing)} of the {len(places)} "
                        f"shards of webdataset:{argument} are missing")  # fmt: skip
