"""Reading every entry, and removing those that are damaged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.commands._cache._checks import CHECKS
from harness.commands._cache._entry import Entry, files_of
from harness.commands._cache._inventory import Inventory, lists_of_features, take_inventory
from harness.commands._cache._remove import Removal
from harness.commands._cache._text import print_unknown, several, shown
from harness.commands._progress import Progress


@dataclass
class _Found:
    """What is wrong. `say` gets a line about each as it is found."""

    removal: Removal
    say: Callable[[str], object]
    damaged: list[dict[str, str]] = field(default_factory=list)
    unread: list[dict[str, str]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)  # how many are damaged

    def check(self, kind: str, entry: Entry) -> None:
        """Read an entry, and remove what is damaged of it."""
        try:
            damages = CHECKS[kind](entry)
        except OSError as error:
            name, reason = f"{kind}/{entry.name}", str(error.strerror or error)
            self.unread.append({"entry": name, "reason": reason})
            self.say(f"cannot be read: {name}: {reason}")
            return
        for damage in damages:
            file = shown(damage.file.path.relative_to(self.removal.folder))
            self.damaged.append({"file": file, "reason": damage.reason})
            self.say(f"damaged: {file}: {damage.reason}")
            for part in damage.remove:
                self.removal.remove(part)
        self.kinds[kind] += len(damages)


def verify(*, as_json: bool) -> int:
    """Check all entries; the exit code."""
    inventory = take_inventory()
    found = _Found(Removal(inventory.folder), (lambda _: None) if as_json else print)
    total = 0
    with Progress() as progress:
        for kind, entry in _entries(inventory, progress):
            total += 1
            found.check(kind, entry)
    if found.kinds["features"]:
        _void_lists(inventory)
    if as_json:
        print(json.dumps(_document(inventory, total, found), indent=1))
    else:
        _print(inventory, total, found)
    return 1 if found.damaged or found.unread else 0


def _entries(inventory: Inventory, progress: Progress) -> Iterator[tuple[str, Entry]]:
    every = [(kind, e) for kind, found in inventory.kinds.items() for e in found.entries]
    for done, (kind, entry) in enumerate(every, 1):
        yield kind, entry
        progress.update("entries", done, len(every))


def _void_lists(inventory: Inventory) -> None:
    """Without the features of a damaged shard, lists of what has features say too much."""
    lists = Removal(inventory.folder)
    for file in files_of(lists_of_features(inventory)):
        lists.remove(file)


def _document(inventory: Inventory, total: int, found: _Found) -> dict[str, Any]:
    return {
        "folder": str(inventory.folder),
        "entries": total,
        "damaged": found.damaged,
        "unread": found.unread,
        "removed": found.removal.document,
        "unknown": [str(path) for path in inventory.unknown],
    }


def _print(inventory: Inventory, total: int, found: _Found) -> None:
    wrong, unread = len(found.damaged), len(found.unread)
    print(f"{several(total, 'entry was', 'entries were')} read, "
          + (f"{wrong} damaged: removed {found.removal.summary}" if wrong else "none is damaged")
          + (f"; {unread} cannot be read" if unread else ""))  # fmt: skip
    found.removal.print_failed()
    print_unknown(inventory.folder, inventory.unknown)
