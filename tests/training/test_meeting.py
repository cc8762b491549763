"""Processes wait for each other as long as they live, and no longer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .processes import begin


def ended(folder: Path, scenario: str) -> list[tuple[int, str]]:
    """(exit status, the last line of its messages) of each of two processes."""
    running = begin(2, "meeting_examples", folder, scenario)
    messages = [process.communicate(100)[1].strip() for process in running]
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


@pytest.mark.parametrize(
    ("absent", "words"),
    [
        (1, "of 2 processes these did not come to tcp://.* within 2 s: 1; see their messages"),
        (0, "process 0 of 2 does not answer at tcp://.*; see its messages, if it was started"),
    ],
)
def test_one_that_fails_before_they_meet_is_named(tmp_path: Path, absent: int, words: str) -> None:
    ends = ended(tmp_path, f"without_{absent}")
    assert "DataError: a list cannot be read" in ends[absent][1]
    assert ends[1 - absent][0] == 1
    assert re.search(f"BadInput: {words}", ends[1 - absent][1])
