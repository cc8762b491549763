"""Measure the cache: bytes by kind and in all, with what is of no use; folders count nothing."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path

from harness.commands._arguments import add_json_argument

HELP = "bytes by kind and in all"


def add_arguments(parser: ArgumentParser) -> None:
    add_json_argument(parser)


def run(args: Namespace) -> int:
    import json

    from harness.commands._cache._inventory import take_inventory
    from harness.commands._cache._text import size

    inventory = take_inventory()
    kinds = {
        name: found.bytes + sum(file.bytes for file in found.rest)
        for name, found in inventory.kinds.items()
    }
    others = _bytes_of(inventory.unknown)
    total = sum(kinds.values()) + others
    if args.json:
        document = {"folder": str(inventory.folder), "kinds": kinds, "unknown": others}
        print(json.dumps(document | {"total": total}, indent=1))
        return 0
    print(inventory.folder)
    for name, count in [*kinds.items(), ("not of the cache", others), ("in all", total)]:
        if count or name == "in all":
            print(f"  {name:<18} {size(count):>9}")
    return 0


def _bytes_of(paths: Iterable[Path]) -> int:
    """Of files, and of all files below folders. Links are not followed."""
    from harness.commands._cache._entry import found_file

    total = 0
    for path in paths:
        below = [Path(place) / name for place, _, names in os.walk(path) for name in names]
        files = below if path.is_dir() and not path.is_symlink() else [path]
        total += sum(file.bytes for found in files if (file := found_file(found)) is not None)
    return total
