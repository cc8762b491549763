"""`data check coop:ROOT/DATASET --against LISTS`: CoOp's draws compared with published lists.

The split file is enough: no picture needs to be there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.core.cells import Choice
    from harness.core.published_lists import Entry, NamedList
    from harness.core.samples import Items
    from harness.data.coop import Listing


@dataclass(frozen=True)
class Compared:
    """One split of a published list. `difference` is '' where it is equal, order included."""

    list: str
    shots: int
    seed: int
    split: str
    samples: int
    difference: str


def compare_with_lists(name: str, choice: Choice, against: str, as_json: bool) -> int:
    """Print how the draws compare. 0: all are equal; 1: some are not.

    Raises BadInput for a data set that is not CoOp's, for lists that are missing or malformed.
    """
    found = list(_compared(choice, Path(against).expanduser()))
    different = [each for each in found if each.difference]
    if as_json:
        document: dict[str, Any] = {
            "name": name, "equal": len(found) - len(different), "lists": [asdict(c) for c in found],
        }  # fmt: skip
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        print(f"{name}: {len(found) - len(different)} of {len(found)} lists are equal to CoOp's "
              "draw, order included")  # fmt: skip
        for each in different:
            print(f"problem: {each.list}, {each.split}: {each.difference}")
    return 1 if different else 0


def _compared(choice: Choice, against: Path) -> Iterator[Compared]:
    for one, lists in _datasets(choice, against):
        listing = _listing(one)
        for named in _lists(lists):
            yield from _compare(listing, named)


def _datasets(choice: Choice, against: Path) -> Sequence[tuple[Choice, Path]]:
    """The data set with its lists; of a ROOT all that have a folder of lists by their name, where
    caltech101 is the name of caltech-101.

    Raises BadInput for a ROOT without any.
    """
    from harness.core.cells import Choice
    from harness.core.errors import BadInput
    from harness.core.registry import split_reference
    from harness.data.coop import datasets_below

    root = Path(split_reference(choice.name)[1]).expanduser()
    below = datasets_below(root) if choice.name.startswith("coop:") and not choice.options else {}
    if not below:
        return [(choice, against)]
    folders = {_plain(path.name): path for path in against.iterdir()} if against.is_dir() else {}
    found = [
        (Choice(f"coop:{folder}"), folders[_plain(name)])
        for name, folder in below.items()
        if _plain(name) in folders
    ]
    if not found:
        raise BadInput(
            f"data check --against: {against} has no folder of lists for the datasets in {root}: "
            + ", ".join(below)
        )
    return found


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _listing(choice: Choice) -> Listing:
    from harness.core.errors import BadInput
    from harness.core.protocols.dataset import DatasetPlugin
    from harness.core.registry import split_reference
    from harness.data.coop import Options, read_listing
    from harness.plan.catalogue import Catalogue

    family, argument = split_reference(choice.name)
    if family != "coop":
        raise BadInput(f"data check --against: {choice} is no dataset of CoOp: coop:ROOT/DATASET")
    # Other options, as max_corrupt, change no draw; they are still checked.
    options = Catalogue().chosen(DatasetPlugin, choice).options
    return read_listing(argument, Options(dataset=options.dataset))


def _lists(against: Path) -> Sequence[NamedList]:
    """The lists of a folder, or the one list of a file. Raises BadInput if there is none."""
    from harness.core.errors import BadInput
    from harness.core.published_lists import named_list

    files = sorted(against.iterdir()) if against.is_dir() else [against]
    found = [named for path in files if path.is_file() and (named := named_list(path)) is not None]
    if not found:
        raise BadInput(
            f"data check --against: {against} has no list; expected: shot_K-seed_S.json, "
            "shot_K-seed_S_train.jsonl or shot_K-seed_S_val.jsonl, or a folder of them"
        )
    return sorted(found, key=lambda named: (named.seed, named.shots, named.path))


def _compare(listing: Listing, named: NamedList) -> Iterator[Compared]:
    from harness.core.published_lists import read_list
    from harness.sampling.coop import draw_coop

    lists = read_list(named.path)
    drawn = dict(zip(("train", "val"), draw_coop(listing, named.seed, named.shots), strict=True))
    for split, entries in lists.items():
        items = listing.listed(split)
        ids = [items.ids[n] for n in drawn[split]]
        difference = _difference(ids, entries, items)
        yield Compared(str(named.path), named.shots, named.seed, split, len(entries), difference)


def _difference(drawn: Sequence[str], entries: Sequence[Entry], items: Items) -> str:
    """The first difference, by name; '' without one."""
    from harness.core.published_lists import ItemsByPath

    by_path = ItemsByPath(items.ids)
    listed = [by_path.of(entry.path) for entry in entries]
    same = sorted(drawn) == sorted(item or "" for item in listed)
    order = " (the same samples in another order)" if same else ""
    for n, (ours, theirs) in enumerate(zip(drawn, listed, strict=False)):
        if ours != theirs:
            strange = "" if theirs else ", which is not in this split of the dataset"
            return f"entry {n}: drawn {ours}, listed {entries[n].path}{strange}{order}"
    if len(drawn) == len(listed):
        return ""
    more = drawn[len(listed)] if len(drawn) > len(listed) else entries[len(drawn)].path
    where = "drawn" if len(drawn) > len(listed) else "listed"
    counts = f"{len(drawn)} are drawn and {len(listed)} listed"
    return f"{counts}: entry {min(len(drawn), len(listed))}, {more}, is only {where}"
