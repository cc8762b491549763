"""List what the cache holds: a line for each kind, with its entries and bytes."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from harness.commands._arguments import add_json_argument
from harness.commands._cache._inventory import Inventory, take_inventory
from harness.commands._cache._kinds import KINDS
from harness.commands._cache._text import print_unknown, several, size

HELP = "a line for each kind of entry: what it is, how many, how many bytes"


def add_arguments(parser: ArgumentParser) -> None:
    add_json_argument(parser)


def run(args: Namespace) -> int:
    inventory = take_inventory()
    document = _document(inventory)
    if args.json:
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        _print(inventory, document)
    return 0


def _document(inventory: Inventory) -> dict[str, Any]:
    useless = [file for _, _, files in inventory.useless() for file in files]
    return {
        "folder": str(inventory.folder),
        "kinds": {
            name: {"holds": KINDS[name].holds, "entries": len(found.entries), "bytes": found.bytes}
            for name, found in inventory.kinds.items()
        },
        "useless": {"files": len(useless), "bytes": sum(file.bytes for file in useless)},
        "unknown": [str(path) for path in inventory.unknown],
    }


def _print(inventory: Inventory, document: dict[str, Any]) -> None:
    print(inventory.folder)
    if not any(kind["entries"] for kind in document["kinds"].values()):
        print("  no entries")
    for name, kind in document["kinds"].items():
        if kind["entries"]:
            entries = several(kind["entries"], "entry", "entries")
            print(f"  {name:<18} {entries:>14} {size(kind['bytes']):>9}  {kind['holds']}")
    useless = document["useless"]
    if useless["files"]:
        files = several(useless["files"], "file", "files")
        print(f"{files} of no use, {size(useless['bytes'])}: cache gc removes them")
    print_unknown(inventory.folder, inventory.unknown)
