"""Remove what can no longer be used; with --older-than also entries that were not used for long.

Of no use are entries of earlier versions, and a day after they were written temporary files of
interrupted writers and features that were not written whole. Files that are not of the cache are
named and left. A study that is running computes again what it misses.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence

from harness.commands._arguments import positive
from harness.commands._cache._entry import Entry, File, files_of, ids_first
from harness.commands._cache._inventory import Inventory, lists_of_features, take_inventory
from harness.commands._cache._kinds import KINDS
from harness.commands._cache._remove import Removal
from harness.commands._cache._text import print_unknown, several, size

HELP = "remove what can no longer be used, or was not used for long"
DAYS = 30


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--older-than", type=positive, nargs="?", const=DAYS, metavar="DAYS",
        help=f"also entries that were neither read nor written for so many days (default: {DAYS})",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="say what, and remove nothing")


def run(args: Namespace) -> int:
    inventory = take_inventory()
    removal = Removal(inventory.folder, dry=args.dry_run)
    for kind, what, files in _removable(inventory, args.older_than):
        before = removal.files, removal.bytes
        for file in ids_first(files):
            removal.remove(file)
        _say(removal, kind, what, before)
    print(f"{removal.verb} in all: {several(removal.files, 'file', 'files')}, "
          f"{size(removal.bytes)}")  # fmt: skip
    removal.print_failed()
    print_unknown(inventory.folder, inventory.unknown)
    return 1 if removal.failed else 0


def _removable(inventory: Inventory, days: int | None) -> Iterator[tuple[str, str, Sequence[File]]]:
    """(kind, what it is, files)."""
    yield from inventory.useless()
    if days is None:
        return
    what = f"entries not used for {several(days, 'day', 'days')}"
    old = _old(inventory, time.time() - days * 86400)
    for kind, entries in old.items():
        yield kind, what, files_of(entries)
    if "features" in old:
        lists = [e for e in lists_of_features(inventory) if e not in old.get("extracted", ())]
        yield "extracted", "lists of items, as features are removed", files_of(lists)


def _old(inventory: Inventory, before: float) -> dict[str, list[Entry]]:
    """Entries by kind that were last used before a time."""
    return {
        name: old
        for name, found in inventory.kinds.items()
        if (old := [e for e in found.entries if e.last_used(KINDS[name].used) < before])
    }


def _say(removal: Removal, kind: str, what: str, before: tuple[int, int]) -> None:
    files, count = removal.files - before[0], removal.bytes - before[1]
    print(f"{removal.verb}: {kind}: {what}: {several(files, 'file', 'files')}, {size(count)}")
