"""Arguments that several commands share. Imports nothing heavy: --help reads this."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path


def add_task_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("task", help="a YAML file, or the name of one in tasks/")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="as in shots=[1,16] recipe.epochs=50"
    )
    add_folder_arguments(parser)


def add_folder_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR")
    parser.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR")


def positive(text: str) -> int:
    """A number of things to do at once."""
    if not text.isdecimal() or int(text) == 0:
        raise ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def launcher(text: str) -> str:
    """A file of harness/launch/."""
    if text == "slurm":
        raise ArgumentTypeError("'slurm' is not built yet; allowed: inline, local")
    if text not in ("inline", "local"):
        raise ArgumentTypeError(f"'{text}' is no way to launch; allowed: inline, local")
    return text


def add_json_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
