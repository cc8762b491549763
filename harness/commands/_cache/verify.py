"""Read every entry of the cache and check that it is whole; remove those that are damaged.

Exit code 0: all are whole; 1: some were damaged, or could not be read or removed. Hashes, frames
and features have checksums. Text embeddings and features of earlier versions have none: their
shapes and ids are checked, and that their values are finite numbers.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from harness.commands._arguments import add_json_argument

HELP = "read every entry, and remove those that are damaged"


def add_arguments(parser: ArgumentParser) -> None:
    add_json_argument(parser)


def run(args: Namespace) -> int:
    from harness.commands._cache._verify import verify

    return verify(as_json=args.json)
