"""The command line: finds a command by its file in harness/commands/ and tells errors once."""

from __future__ import annotations

import importlib
import os
import re
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from harness import __version__
from harness.core.cache import problems
from harness.core.errors import HarnessError, did_you_mean, nearest

INTERRUPTED = 130


def command_names() -> list[str]:
    folder = Path(__file__).parent / "commands"
    return sorted(p.stem for p in folder.glob("*.py") if p.stem[0] != "_")


class _Parser(ArgumentParser):
    """argparse that says one line and knows the nearest of its choices."""

    def error(self, message: str) -> NoReturn:
        close = None
        if found := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message):
            close = nearest(found[1], re.findall(r"[\w-]+", found[2]))
        self.exit(2, f"error: {message}{did_you_mean(close)}\n")

    def options(self) -> list[str]:
        """Long options; what a command only sets (`set_defaults`) is none."""
        names = [name for action in self._actions for name in action.option_strings]
        return [name for name in names if name.startswith("--")]


def parser() -> ArgumentParser:
    top = _Parser(
        prog="python -m harness",
        description="Does it matter how the classifier is initialised? Grids, tests, leaderboards.",
        epilog="First run: python -m harness grid tasks/few_shot.yaml. "
        "Exit codes: 0 done, 1 some cells failed, 2 bad input, 3 incomplete (status), "
        "130 interrupted.",
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in command_names():
        module = importlib.import_module(f"harness.commands.{name}")
        sub = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(sub)
        sub.set_defaults(parser=sub)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every error that a user can meet is one line on standard error."""
    top = parser()
    args, rest = top.parse_known_args(arguments)
    stray = [a for a in rest if a.startswith("-") or "=" not in a or not hasattr(args, "overrides")]
    if stray:
        close = did_you_mean(nearest(stray[0].partition("=")[0], args.parser.options()))
        top.error(f"unrecognised argument: {stray[0]}{close}")
    if rest:
        args.overrides += rest
    bad = [o for o in getattr(args, "overrides", []) if "=" not in o]
    if bad:
        top.error(f"'{bad[0]}' is not of the form key=value")
    try:
        code = int(importlib.import_module(f"harness.commands.{args.command}").run(args))
        for note in problems():
            print(f"note: {note}", file=sys.stderr)
        return code
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; finished cells are kept: run the same command again", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def entry() -> NoReturn:
    # As Ctrl-C: torchrun and SLURM end processes so, and a training saves a checkpoint first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
