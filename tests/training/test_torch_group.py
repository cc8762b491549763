"""The threads of torch's process group end with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .processes import in_processes


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
def test_no_thread_of_an_exchange_is_left(tmp_path: Path) -> None:
    """One that is left aborted a process at its end (status -6): of 20 pairs of processes 14 where
    these threads ran on one core after all others, and 4 of 90 on a busy machine.
    """
    for found in in_processes(2, tmp_path, "ending_examples"):
        assert found["during"] > 0
        assert (found["after"], found["after an error"]) == (0, 0)
