"""Processes that wait for each other before their first step: `meeting_examples.py FILE SCENARIO`.

An exchange gives up after 2 s here, and a process without a sign of life is dead after 3 s.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import torch

from harness.core.errors import DataError
from harness.training import distributed, meeting
from harness.training.distributed import World, process_group

FIRST, SECOND = 0, 1


def long_preparation(group: World) -> None:
    """Process 0 works three times as long as an exchange may take; then the others do."""
    with group.first():
        if group.rank == FIRST:
            time.sleep(6)
    if group.rank == SECOND:
        time.sleep(4)
    group.wait()
    group.add([torch.ones(1)])


def killed_preparing(group: World) -> None:
    if group.rank == SECOND:
        os._exit(9)
    group.wait()


def first_killed_preparing(group: World) -> None:
    with group.first():
        if group.rank == FIRST:
            os._exit(9)


def failed_preparing(group: World) -> None:
    if group.rank == SECOND:
        raise DataError("a picture cannot be read")
    group.wait()


def killed_in_an_exchange(group: World) -> None:
    if group.rank == SECOND:
        os._exit(9)
    group.add([torch.ones(1)])


SCENARIOS: dict[str, Callable[[World], None]] = {
    each.__name__: each
    for each in (
        long_preparation,
        killed_preparing,
        first_killed_preparing,
        failed_preparing,
        killed_in_an_exchange,
    )
}


def main(file: Path, scenario: str) -> None:
    distributed.PATIENCE = timedelta(seconds=2)
    if scenario.startswith("without"):
        distributed.COMING = timedelta(seconds=2)
    meeting.SILENCE, meeting.PULSE = 3.0, 0.2
    if scenario == f"without_{os.environ['RANK']}":
        raise DataError("a list cannot be read")
    with process_group() as group:
        SCENARIOS[scenario](group)
    file.write_text("{}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
