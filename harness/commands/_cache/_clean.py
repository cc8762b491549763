"""Removing what is of no use, and what was not used for long."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.commands._cache._entry import Entry, File, files_of, ids_first
from harness.commands._cache._inventory import Inventory, lists_of_features, take_inventory
from harness.commands._cache._kinds import KINDS
from harness.commands._cache._remove import Removal
from harness.commands._cache._text import print_unknown, several, size

SECONDS_A_DAY = 86400


def clean(days: int | None, *, dry: bool, as_json: bool) -> int:
    """Remove, or with `dry` only say, what can go; the exit code."""
    inventory = take_inventory()
    removal = Removal(inventory.folder, dry=dry)
    groups = [_remove(removal, *group) for group in _removable(inventory, days)]
    if as_json:
        document = {
            "folder": str(inventory.folder),
            "dry_run": dry,
            "groups": groups,
            "removed": removal.document,
            "unknown": [str(path) for path in inventory.unknown],
        }
        print(json.dumps(document, indent=1))
    else:
        _print(inventory, removal, groups)
    return 1 if removal.failed else 0


def _remove(removal: Removal, kind: str, what: str, files: Sequence[File]) -> dict[str, Any]:
    """What went of some files, as JSON has it."""
    before = removal.files, removal.bytes
    for file in ids_first(files):
        removal.remove(file)
    count, n_bytes = removal.files - before[0], removal.bytes - before[1]
    return {"kind": kind, "what": what, "files": count, "bytes": n_bytes}


def _print(inventory: Inventory, removal: Removal, groups: Sequence[Mapping[str, Any]]) -> None:
    for g in groups:
        files = several(g["files"], "file", "files")
        print(f"{removal.verb}: {g['kind']}: {g['what']}: {files}, {size(g['bytes'])}")
    print(f"{removal.verb} in all: {removal.summary}")
    removal.print_failed()
    print_unknown(inventory.folder, inventory.unknown)


def _removable(inventory: Inventory, days: int | None) -> Iterator[tuple[str, str, Sequence[File]]]:
    """(kind, what it is, files)."""
    yield from inventory.useless()
    if days is None:
        return
    what = f"entries not used for {several(days, 'day', 'days')}"
    old = _old(inventory, time.time() - days * SECONDS_A_DAY)
    for kind, entries in old.items():
        yield kind, what, files_of(entries)
    lists = [e for e in lists_of_features(inventory) if e not in old.get("extracted", ())]
    if "features" in old and lists:
        yield "extracted", "lists of what has features, as some go", files_of(lists)


def _old(inventory: Inventory, before: float) -> dict[str, list[Entry]]:
    """Entries by kind that were last used before a time."""
    return {
        name: old
        for name, found in inventory.kinds.items()
        if (old := [e for e in found.entries if e.last_used(KINDS[name].used) < before])
    }
