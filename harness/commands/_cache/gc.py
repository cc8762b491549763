"""Remove what can no longer be used; with --older-than also entries that were not used for long.

Of no use are entries of earlier versions, and a day after they were written temporary files of
interrupted writers and features that were not written whole. Files that are not of the cache are
named and left. A study that is running computes again what it misses. Exit code 1: something could
not be removed.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from harness.commands._arguments import add_json_argument, positive

HELP = "remove what can no longer be used, or was not used for long"
DAYS = 30


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--older-than", type=positive, nargs="?", const=DAYS, metavar="DAYS",
        help=f"also entries that were neither read nor written for so many days (default: {DAYS})",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="say what, and remove nothing")
    add_json_argument(parser)


def run(args: Namespace) -> int:
    from harness.commands._cache._clean import clean

    return clean(args.older_than, dry=args.dry_run, as_json=args.json)
