"""See what the cache folder holds, remove what is of no use, and check that it is whole.

The cache is the folder in HARNESS_CACHE, else the cache folder of the platform. What is removed is
computed again when it is needed, also by a study that is running. `adopt` is about the Records in a
runs folder.
"""

from __future__ import annotations

import importlib
from argparse import ArgumentParser, Namespace
from pathlib import Path

HELP = "list, measure, clean and check the cache folder"


def add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name in actions_known():
        module = importlib.import_module(f"harness.commands._cache.{name}")
        module.add_arguments(actions.add_parser(name, help=module.HELP, description=module.__doc__))


def actions_known() -> list[str]:
    """The files of _cache/: each has HELP, add_arguments and run, as a command has."""
    folder = Path(__file__).parent / "_cache"
    return sorted(p.stem for p in folder.glob("*.py") if p.stem[0] != "_")


def run(args: Namespace) -> int:
    return int(importlib.import_module(f"harness.commands._cache.{args.action}").run(args))
