"""Processes wait for each other as long as they live, and no longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from .processes import begin


def ended(folder: Path, scenario: str) -> list[tuple[int, str]]:
    """(exit status, the last line of its messages) of each of two processes."""
    running = begin(2, "meeting_examples", folder, scenario)
    messages = [process.communicate(timeout=100)[1].strip() for process in running]
    lines = [each.splitlines()[-1] for each in messages]
    return [(process.returncode, line) for process, line in zip(running, lines, strict=True)]


def test_preparation_may_take_longer_than_an_exchange(tmp_path: Path) -> None:
    assert [status for status, _ in ended(tmp_path, "long_preparation")] == [0, 0]


@pytest.mark.parametrize(
    ("scenario", "who", "words"),
    [
        ("killed_preparing", 0, "process 1 of this training has shown no sign of life for 3 s"),
        ("first_killed_preparing", 1, "process 0 of this training has ended; see its messages"),
        ("failed_preparing", 0, "process 1 of this training has failed: DataError: a picture "
         "cannot be read"),
        ("killed_in_an_exchange", 0, "a process of this training has ended or does not answer"),
    ],
)  # fmt: skip
def test_a_process_that_has_ended_is_known_to_the_others(
    tmp_path: Path, scenario: str, who: int, words: str
) -> None:
    status, last = ended(tmp_path, scenario)[who]
    assert status == 1
    assert f"HarnessError: {words}" in last
