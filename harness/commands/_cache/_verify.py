"""Reading every entry, and removing those that are damaged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.commands._cache._checks import CHECKS
from harness.commands._cache._entry import Damage, Entry, files_of
from harness.commands._cache._inventory import Inventory, lists_of_features, take_inventory
from harness.commands._cache._remove import Removal
from harness.commands._cache._text import print_unknown, several, shown
from harness.commands._progress import Progress


def verify() -> int:
    """Check all entries; the exit code."""
    inventory = take_inventory()
    removal = Removal(inventory.folder)
    damaged: dict[str, int] = {}
    total = unread = 0
    with Progress() as progress:
        for kind, entry in _entries(inventory, progress):
            total += 1
            try:
                damages = CHECKS[kind](entry)
            except OSError as error:
                unread += 1
                print(f"cannot be read: {kind}/{entry.name}: {error.strerror or error}")
                continue
            _remove(damages, removal)
            damaged[kind] = damaged.get(kind, 0) + len(damages)
    _void_lists(inventory, damaged)
    wrong = sum(damaged.values())
    print(f"{several(total, 'entry was', 'entries were')} read, "
          + (f"{wrong} damaged: removed {removal.summary}" if wrong else "none is damaged")
          + (f"; {unread} cannot be read" if unread else ""))  # fmt: skip
    removal.print_failed()
    print_unknown(inventory.folder, inventory.unknown)
    return 1 if wrong or unread else 0


def _entries(inventory: Inventory, progress: Progress) -> Iterator[tuple[str, Entry]]:
    every = [(kind, e) for kind, found in inventory.kinds.items() for e in found.entries]
    for done, (kind, entry) in enumerate(every, 1):
        yield kind, entry
        progress.update("entries", done, len(every))


def _remove(damages: Sequence[Damage], removal: Removal) -> None:
    for damage in damages:
        print(f"damaged: {shown(damage.file.path.relative_to(removal.folder))}: {damage.reason}")
        for file in damage.remove:
            removal.remove(file)


def _void_lists(inventory: Inventory, damaged: dict[str, int]) -> None:
    """Without the features of a damaged shard, lists of what has features say too much."""
    if damaged.get("features"):
        lists = Removal(inventory.folder)
        for file in files_of(lists_of_features(inventory)):
            lists.remove(file)
