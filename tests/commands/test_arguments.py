"""Arguments that several commands share: their defaults, and values that are refused."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

import pytest

from harness.commands._arguments import (
    add_json_argument,
    add_launch_arguments,
    add_task_arguments,
    positive,
)


def parser() -> ArgumentParser:
    whole = ArgumentParser()
    add_task_arguments(whole)
    add_launch_arguments(whole)
    add_json_argument(whole)
    return whole


def test_defaults() -> None:
    args = parser().parse_args(["few_shot"])
    assert (args.task, args.overrides, args.embedded) == ("few_shot", [], False)
    assert (args.runs, args.reports) == (Path("runs"), Path("reports"))
    assert (args.launch, args.jobs, args.profile, args.changes) == ("inline", None, None, [])
    assert args.json is False


def test_changes_of_a_profile_are_collected() -> None:
    args = parser().parse_args(["t", "a=1", "--set", "cpus=2", "--set", "gpus=1", "--jobs", "3"])
    assert args.overrides == ["a=1"]
    assert args.changes == ["cpus=2", "gpus=1"]
    assert args.jobs == 3


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two", ""])
def test_numbers_of_jobs_that_are_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a whole number above 0"):
        positive(text)
