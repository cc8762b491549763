"""Print the JSON schema of a task, for editors."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

HELP = "print the JSON schema of a task, for editors"


def add_arguments(parser: ArgumentParser) -> None:
    """None."""


def run(args: Namespace) -> int:
    import json

    from harness.task.read import json_schema

    print(json.dumps(json_schema(), indent=1))
    return 0
