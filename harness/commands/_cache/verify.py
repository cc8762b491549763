"""Read every entry of the cache and check that it is whole; remove those that are damaged.

Exit code 0: all are whole; 1: some were damaged, or cannot be read. Rows of features and embeddings
have no checksum: their shapes, ids and numbers are checked. Hashes and frames have checksums.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence

from harness.commands._cache._entry import Damage, Entry, files_of
from harness.commands._cache._inventory import Inventory, lists_of_features, take_inventory
from harness.commands._cache._remove import Removal
from harness.commands._cache._text import print_unknown, several, size
from harness.commands._progress import Progress

HELP = "read every entry, and remove those that are damaged"


def add_arguments(parser: ArgumentParser) -> None:
    """None."""


def run(args: Namespace) -> int:
    from harness.commands._cache._checks import CHECKS

    inventory = take_inventory()
    removal, unread, total = Removal(inventory.folder), 0, 0
    with Progress() as progress:
        for kind, entry in _entries(inventory, progress):
            total += 1
            try:
                damages = CHECKS[kind](entry)
            except OSError as error:
                unread += 1
                print(f"cannot be read: {kind} {entry.name}: {error.strerror or error}")
                continue
            _remove(damages, removal)
            if damages and kind == "features":
                _void_lists(inventory)
    _conclude(inventory, removal, total, unread)
    return 1 if removal.files or removal.failed or unread else 0


def _entries(inventory: Inventory, progress: Progress) -> Iterator[tuple[str, Entry]]:
    every = [(kind, e) for kind, found in inventory.kinds.items() for e in found.entries]
    for done, (kind, entry) in enumerate(every, 1):
        yield kind, entry
        progress.update("entries", done, len(every))


def _remove(damages: Sequence[Damage], removal: Removal) -> None:
    for damage in damages:
        print(f"damaged: {damage.file.path.relative_to(removal.folder)}: {damage.reason}")
        for file in damage.remove:
            removal.remove(file)


def _void_lists(inventory: Inventory) -> None:
    lists = Removal(inventory.folder)
    for file in files_of(lists_of_features(inventory)):
        lists.remove(file)


def _conclude(inventory: Inventory, removal: Removal, total: int, unread: int) -> None:
    entries = several(total, "entry was", "entries were")
    if removal.files:
        files = several(removal.files, "file", "files")
        print(f"{entries} read; {files} of damaged ones removed, {size(removal.bytes)}: "
              "what they held is computed again when it is needed")  # fmt: skip
    elif not (unread or removal.failed):
        print(f"{entries} read, and all are whole")
    removal.print_failed()
    print_unknown(inventory.folder, inventory.unknown)
