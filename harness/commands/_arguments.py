"""Arguments that several commands share. It has no heavy imports, as --help loads it."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path


def add_task_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("task", help="a YAML file, or the name of one in tasks/")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="as in shots=[1,16] recipe.epochs=50"
    )
    add_embedded_argument(parser)
    add_folder_arguments(parser)


def add_embedded_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--embedded", action="store_true", help="the variant of the task on embedded data"
    )


def add_folder_arguments(parser: ArgumentParser) -> None:
    parser.set_defaults(embedded=False, overrides=[])
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR")
    parser.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR")


def positive(text: str) -> int:
    """A whole number above 0."""
    if not text.isdecimal() or int(text) == 0:
        raise ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def add_launch_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--launch", default="inline", metavar="HOW",
        help="inline | local | slurm, or your own launcher: package.module:object",
    )  # fmt: skip
    parser.add_argument("--jobs", type=positive, metavar="N", help="cells at once (default: cores)")
    parser.add_argument(
        "--profile",
        metavar="FILE",
        help="profile of the cluster: a YAML file, or the name of one in slurm/",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="changes",
        help="set a key of the profile, as in --set partition=low",
    )  # fmt: skip


def add_json_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
