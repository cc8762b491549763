"""List what the cache holds: a line for each kind, with its entries and bytes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from harness.commands._arguments import add_json_argument

if TYPE_CHECKING:
    from harness.commands._cache._inventory import Inventory

HELP = "a line for each kind of entry: what it is, how many, how many bytes"


def add_arguments(parser: ArgumentParser) -> None:
    add_json_argument(parser)


def run(args: Namespace) -> int:
    import json

    from harness.commands._cache._inventory import take_inventory

    inventory = take_inventory()
    document = _document(inventory)
    if args.json:
        print(json.dumps(document, indent=1))
    else:
        _print(inventory, document)
    return 0


def _document(inventory: Inventory) -> dict[str, Any]:
    from harness.commands._cache._kinds import KINDS

    useless = [file for _, _, files in inventory.useless() for file in files]
    return {
        "folder": str(inventory.folder),
        "kinds": {
            name: {"holds": KINDS[name].holds, "entries": len(found.entries), "bytes": found.bytes}
            for name, found in inventory.kinds.items()
            if found.entries
        },
        "useless": {"files": len(useless), "bytes": sum(file.bytes for file in useless)},
        "unknown": [str(path) for path in inventory.unknown],
    }


def _print(inventory: Inventory, document: dict[str, Any]) -> None:
    from harness.commands._cache._text import print_unknown, several, size

    print(inventory.folder)
    if not document["kinds"]:
        print("  no entries")
    for name, kind in document["kinds"].items():
        entries = several(kind["entries"], "entry", "entries")
        print(f"  {name:<18} {entries:>14} {size(kind['bytes']):>9}  {kind['holds']}")
    useless = document["useless"]
    if useless["files"]:
        files = several(useless["files"], "file", "files")
        print(f"{files} of no use, {size(useless['bytes'])}: cache gc removes them")
    print_unknown(inventory.folder, inventory.unknown)
